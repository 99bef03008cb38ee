"""What asyncmy keeps to itself and has no public way to; docs/extending.md has each use with its reason.

Its version is replaced before it is imported: reading its package's metadata is two thirds of its import. What the
server then shows as `_client_version` is empty; the program's name is ours.
"""

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _Version(ModuleType):
    __VERSION__ = __version__ = ""


if "asyncmy.version" not in sys.modules:  # somebody else's asyncmy in the same process keeps what it has
    sys.modules["asyncmy.version"] = _Version("asyncmy.version")

from asyncmy import connection  # noqa: E402
from asyncmy.constants import CLIENT  # noqa: E402

from omnidb_cli.drivers.mysql.measured import Measured  # noqa: E402

if TYPE_CHECKING:
    import asyncio
    import ssl

Row = tuple[Any, ...]

_receiver: Any = connection._MySQLProtocol  # type: ignore[attr-defined]  # noqa: SLF001
_connecting: ContextVar["GuardedConnection | None"] = ContextVar("_connecting", default=None)


class MeasuredReceiver(Measured, _receiver):  # type: ignore[misc]  # asyncmy has types for its public part alone
    """asyncmy's side of the network, measured, which tells the connection that makes it, and of its end."""

    transport: "asyncio.Transport | None"

    def __init__(self, loop: object) -> None:
        super().__init__(loop)
        self.on_lost: Callable[[], None] | None = None
        owner = _connecting.get()
        if owner is None:  # a connection that somebody else makes in this process is not ours to bound
            self.expect(sys.maxsize)
        else:
            owner.receiver = self

    def connection_lost(self, error: Exception | None) -> None:
        """Called when the connection is over."""
        super().connection_lost(error)
        call, self.on_lost = self.on_lost, None
        if call is not None:
            call()


connection._MySQLProtocol = MeasuredReceiver  # type: ignore[attr-defined]  # noqa: SLF001


class GuardedConnection(connection.Connection):
    """asyncmy's, which asks before it logs in. A subclass says what `greeted` and the two `refuse_…` do."""

    _client_flag: int
    _ssl_context: "ssl.SSLContext | None"
    _result: Any
    server_capabilities: int
    receiver: MeasuredReceiver | None = None
    reached = False
    """Whether somebody has accepted the connection, whatever came after."""

    async def connect(self) -> Any:
        """Connects and logs in."""
        token = _connecting.set(self)
        try:
            return await super().connect()
        finally:
            _connecting.reset(token)

    def greeted(self) -> None:
        """Called when the server has said what it is and can do, before anything is sent."""

    def refuse_password(self, way: bytes) -> None:
        """Called before the password is sent in a way of this name. Raises where it must not be."""

    def refuse_key(self) -> None:
        """Called before the password is encrypted with a key that came over the network. Raises where it must not."""

    def send_single_statements(self) -> None:
        """Has no message carry several statements; to be called in `greeted`."""
        self._client_flag &= ~CLIENT.MULTI_STATEMENTS

    def lacks_tls(self) -> bool:
        """Whether TLS was wanted, and the server offers none; known in `greeted`."""
        return self._ssl_context is not None and not self.server_capabilities & CLIENT.SSL

    def go_without_tls(self) -> None:
        """Logs in without; to be called in `greeted`."""
        self._ssl_context = None
        self._client_flag &= ~CLIENT.SSL

    @property
    def result(self) -> Any:
        """The last answer."""
        return self._result

    async def _get_server_information(self) -> None:
        self.reached = True
        await super()._get_server_information()  # type: ignore[misc]
        self.greeted()

    async def _process_auth(self, plugin_name: bytes, auth_packet: object) -> object:
        self.refuse_password(plugin_name)
        return await super()._process_auth(plugin_name, auth_packet)  # type: ignore[misc]

    @property
    def _server_public_key(self) -> bytes | None:
        return self._public_key

    @_server_public_key.setter
    def _server_public_key(self, key: bytes | None) -> None:
        """Called by asyncmy with None at first, and with what the server sent before it is used."""
        if key:
            self.refuse_key()
        self._public_key = key


async def next_row(result: Any) -> Row | None:
    """The next row of an answer, None after the last one. asyncmy's cursors log warnings themselves."""
    row: Row | None = await result._read_rowdata_packet_unbuffered()  # noqa: SLF001
    return row


def rows_at_hand(result: Any, most: int) -> Sequence[Row]:
    """Rows that are here already, without waiting."""
    rows: Sequence[Row] = result._take_pending_rows(most)  # noqa: SLF001
    return rows
