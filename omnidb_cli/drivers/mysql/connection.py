"""One connection to a MySQL or MariaDB server: asyncmy's, kept from what it does too much or too long.

It never speaks in multi-statements unless asked to, encrypts as asked for, ends at once, and says when it is lost.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import omnidb_cli.drivers.mysql.quick_import  # noqa: F401 - before asyncmy: see there

# isort: split
from asyncmy.connection import Connection
from asyncmy.constants import CLIENT, COMMAND
from asyncmy.protocol import FieldDescriptorPacket, MysqlPacket

from omnidb_cli.drivers._batch_size import ENOUGH
from omnidb_cli.drivers._transport import abort, is_on_this_host
from omnidb_cli.drivers.mysql.measured import field, measure
from omnidb_cli.drivers.mysql.options import Login, Place, TlsMode
from omnidb_cli.drivers.mysql.values import decoders
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind, is_local

if TYPE_CHECKING:
    import ssl

Row = tuple[Any, ...]

_NO_LIMIT_S = 31_536_000  # asyncmy wants one; whoever connects sets the real one around it
_READS_A_BATCH = 16  # each is what the network brought, a quarter of a megabyte at the most, or one large row
_SHORT = 1000
_DECODERS = decoders()
_IN_CLEAR = (b"mysql_clear_password", b"dialog")
_WEAK = b"mysql_old_password"
_ENCRYPT = "ssl-mode=REQUIRED, or better VERIFY_IDENTITY, encrypts it"
_MARIADB_PREFIX = "5.5.5-"  # what MariaDB before 11 says first, for old replicas

measure()


class Wire(Connection):
    """A connection to `place`. `scripts` lets one message carry several statements: for our own text only.

    `reached` says that somebody has accepted the connection, whatever came after.
    """

    _transport: Any
    _proto: Any
    _result: Any
    _ssl_context: "ssl.SSLContext | None"
    _client_flag: int
    _secure: bool
    server_capabilities: int

    def __init__(self, login: Login, place: Place, *, scripts: bool = False) -> None:
        self._login = login
        self._tls_mode = TlsMode.DISABLED if _needs_no_tls(login, place) else login.tls.mode
        super().__init__(  # type: ignore[no-untyped-call]
            user=login.username,
            password=login.password,
            host=None if place.is_socket else place.host,
            port=place.port,
            unix_socket=place.host if place.is_socket else None,
            database=login.database,
            charset="utf8mb4",
            conv=_DECODERS,
            autocommit=True,
            connect_timeout=_NO_LIMIT_S,
            program_name="omnidb",
            ssl=None if self._tls_mode is TlsMode.DISABLED else tls_context(login, self._tls_mode),
        )
        self.place = place
        self.reached = False
        self._when_lost: Callable[[], None] | None = None
        if not scripts:
            self._client_flag &= ~CLIENT.MULTI_STATEMENTS

    @property
    def version(self) -> str:
        """As the server said it when it was reached, say `10.11.6-MariaDB`."""
        return str(self.get_server_info()).removeprefix(_MARIADB_PREFIX)

    @property
    def is_mariadb(self) -> bool:
        """Whether the server is MariaDB, by its version."""
        return "mariadb" in self.version.lower()

    def expect(self, most_bytes: int) -> None:
        """No more than this is taken from the network until this is called again; a login may bring 1 MB."""
        if self._proto is not None:
            self._proto.expect(most_bytes)

    @property
    def has_brought_enough(self) -> bool:
        """Whether so much came since `expect` that no more is to be kept with it."""
        return bool(self._proto.came > ENOUGH)

    async def _fill_buffer(self, need: int) -> None:
        """Called by asyncmy where it needs more than it has."""
        proto = self._proto
        try:
            await super()._fill_buffer(need)  # type: ignore[misc]
        except Exception as error:
            if proto.too_much is not None:
                raise proto.too_much from error
            raise

    async def read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        """Called by asyncmy for whatever it does not find in its buffer yet."""
        make = field if packet_type is FieldDescriptorPacket else packet_type
        return await super().read_packet(make)  # type: ignore[no-untyped-call]

    async def _get_server_information(self) -> None:
        self.reached = True
        await super()._get_server_information()  # type: ignore[misc]
        if self._ssl_context is None or self.server_capabilities & CLIENT.SSL:
            return
        if self._tls_mode is not TlsMode.PREFERRED:
            raise ConnectError(
                f"{self.place} offers no encrypted connection, and ssl-mode={self._tls_mode} asks for one",
                kind=ErrorKind.TLS,
            )
        self._ssl_context = None
        self._client_flag &= ~CLIENT.SSL

    async def _process_auth(self, plugin_name: bytes, auth_packet: object) -> object:
        allowed = plugin_name in _IN_CLEAR and (self._login.in_clear or self._is_private)
        if plugin_name in (*_IN_CLEAR, _WEAK) and not (self._secure or allowed):
            raise AuthenticationError(
                f"{self.place} asks for the password in clear ({plugin_name.decode()}), and the connection is not"
                " encrypted: it was not sent",
                hint=f"{_ENCRYPT}; enable-cleartext-plugin=true sends it all the same",
            )
        return await super()._process_auth(plugin_name, auth_packet)  # type: ignore[misc]

    @property
    def _is_private(self) -> bool:
        """Whether nobody between here and there can read what is sent."""
        return self._secure or is_on_this_host(self._transport)

    @property
    def _server_public_key(self) -> bytes | None:
        """The key that the password is encrypted with where TLS does not do it: anybody could have sent it."""
        return self._public_key

    @_server_public_key.setter
    def _server_public_key(self, key: bytes | None) -> None:
        """Called by asyncmy with None at first, and with what the server sent before it is used."""
        if key and not (self._login.by_any_key or self._login.in_clear or self._is_private):
            raise AuthenticationError(
                f"{self.place} asks for the password under a key of its own, the connection is not encrypted, and so"
                " anybody's key it may be: it was not sent",
                hint=f"{_ENCRYPT}; get-server-public-key=true trusts the key all the same",
            )
        self._public_key = key

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._transport is None or self._transport.is_closing()

    def when_lost(self, call: Callable[[], None]) -> None:
        """Calls `call` once, in the event loop, when the connection ends and it was not us who ended it."""
        self._when_lost = call
        self._proto._closed_waiter.add_done_callback(self._is_lost)  # noqa: SLF001 - it has no listener

    def _is_lost(self, _future: object) -> None:
        call, self._when_lost = self._when_lost, None
        if call is not None:
            call()

    async def ask(self, statement: str) -> "Answered":
        """Sends a statement; its rows are still to be read."""
        await self.query(statement, unbuffered=True)  # type: ignore[no-untyped-call]
        return Answered(self, self._result)

    async def next(self) -> "Answered":
        """What a script, or a procedure, answers next."""
        await self.next_result(unbuffered=True)  # type: ignore[no-untyped-call]
        return Answered(self, self._result)

    def hold_back(self) -> None:
        """Takes nothing more from the network, so that what waits there takes no memory here."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Takes from the network again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def leave(self) -> None:
        """Says goodbye and ends the connection; waits for nobody."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(b"\x01\x00\x00\x00" + bytes([COMMAND.COM_QUIT]))
        self.abort()

    def abort(self) -> None:
        """Ends the connection at once, in whatever state it is."""
        self._when_lost = None
        self.close()

    def close(self) -> None:
        """What asyncmy calls whenever it gives up: an orderly end could wait for the server without end."""
        transport = self._transport
        super().close()
        if transport is not None:
            abort(transport)


class Answered:
    """One answer: `columns` is empty for a statement that returns no rows; `is_complete` after the last one."""

    def __init__(self, wire: Wire, result: Any) -> None:
        self._wire = wire
        self._result = result
        self.columns: tuple[str, ...] = tuple(column[0] for column in result.description or ())
        self.is_complete = not self.columns

    @property
    def changed(self) -> int:
        """The rows that the statement changed."""
        return int(self._result.affected_rows)

    @property
    def warnings(self) -> int:
        """How many the server has to say; known after the last row."""
        return int(self._result.warning_count)

    @property
    def has_next(self) -> bool:
        """Whether another answer follows; known after the last row."""
        return bool(self._result.has_next)

    async def rows(self, most: int) -> Sequence[Row]:
        """Some of the next rows: at least one, until there are no more, and as many as take little memory."""
        rows: list[Row] = []
        result = self._result
        for _ in range(_READS_A_BATCH):
            row = await result._read_rowdata_packet_unbuffered()  # noqa: SLF001 - its cursors log warnings themselves
            if row is None:
                self.is_complete = True
                break
            rows.append(row)
            rows.extend(result._take_pending_rows(most - len(rows)))  # noqa: SLF001 - already parsed, without awaiting
            if len(rows) >= most or self._wire.has_brought_enough:
                break
        return rows

    async def all(self) -> Sequence[Row]:
        """Every row; for answers that are known to be short."""
        rows: list[Row] = []
        while not self.is_complete:
            rows.extend(await self.rows(_SHORT))
        return rows

    async def skip(self) -> None:
        """Reads what is left, and keeps nothing of it."""
        while not self.is_complete:
            await self.rows(_SHORT)


def _needs_no_tls(login: Login, place: Place) -> bool:
    """A unix socket leaves no host: there TLS is used only when it is asked for."""
    return place.is_socket and login.tls.mode is TlsMode.PREFERRED


def tls_context(login: Login, mode: TlsMode) -> "ssl.SSLContext":
    """The context for this mode. Raises ConnectError for a file that cannot be used."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode is TlsMode.VERIFY_IDENTITY
    verified = mode in {TlsMode.VERIFY_CA, TlsMode.VERIFY_IDENTITY}
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    tls = login.tls
    try:
        if tls.ca:
            context.load_verify_locations(tls.ca)
        elif verified:
            context.load_default_certs()
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key)
    except OSError as error:
        if is_local(error):
            raise
        files = " or ".join(file for file in (tls.ca, tls.cert, tls.key) if file)
        reason = error.strerror or str(error)
        raise ConnectError(f"{files} cannot be used for TLS: {reason}", kind=ErrorKind.TLS) from error
    return context
