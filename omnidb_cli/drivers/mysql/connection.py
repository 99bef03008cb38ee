"""One connection to a MySQL or MariaDB server: asyncmy with strict TLS, no multi-statements, bounded close."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from omnidb_cli.drivers.mysql.private_api import GuardedConnection, Row, next_row, rows_at_hand  # before asyncmy

# isort: split
from asyncmy.constants import COMMAND
from asyncmy.protocol import FieldDescriptorPacket, MysqlPacket

from omnidb_cli.drivers._transport import abort, is_on_this_host
from omnidb_cli.drivers.batching import ENOUGH
from omnidb_cli.drivers.mysql.measured import field
from omnidb_cli.drivers.mysql.options import Login, Place, TlsMode
from omnidb_cli.drivers.mysql.values import decoders
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind, is_local

if TYPE_CHECKING:
    import ssl

_NO_LIMIT_S = 31_536_000  # asyncmy wants one; whoever connects sets the real one around it
_READS_A_BATCH = 16  # each is what the network brought, a quarter of a megabyte at the most, or one large row
_SHORT = 1000
_DECODERS = decoders()
_IN_CLEAR = (b"mysql_clear_password", b"dialog")
_WEAK = b"mysql_old_password"
_ENCRYPT = "ssl-mode=REQUIRED, or better VERIFY_IDENTITY, encrypts it"
_MARIADB_PREFIX = "5.5.5-"  # what MariaDB before 11 says first, for old replicas


class Wire(GuardedConnection):
    """A connection to `place`. `scripts` lets one message carry several statements: for our own text only."""

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
        self._scripts = scripts

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
        if self.receiver is not None:
            self.receiver.expect(most_bytes)

    @property
    def has_brought_enough(self) -> bool:
        """Whether so much came since `expect` that no more is to be kept with it."""
        return self.receiver is not None and self.receiver.came > ENOUGH

    async def read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        """Called by asyncmy for whatever it does not find in its buffer yet."""
        make = field if packet_type is FieldDescriptorPacket else packet_type
        try:
            return await super().read_packet(make)  # type: ignore[no-untyped-call]
        except Exception as error:
            self.refuse_too_much(error)
            raise

    def refuse_too_much(self, error: Exception) -> None:
        """Raises what the connection was ended for, if that was too much, in place of the error that came of it."""
        if self.receiver is not None and self.receiver.too_much is not None:
            raise self.receiver.too_much from error

    def greeted(self) -> None:
        """Called by asyncmy when the server has said what it is and can do."""
        if not self._scripts:
            self.send_single_statements()
        if not self.lacks_tls():
            return
        if self._tls_mode is not TlsMode.PREFERRED:
            raise ConnectError(
                f"{self.place} offers no encrypted connection, and ssl-mode={self._tls_mode} asks for one",
                kind=ErrorKind.TLS,
            )
        self.go_without_tls()

    def refuse_password(self, way: bytes) -> None:
        """Called before the password is sent."""
        allowed = way in _IN_CLEAR and (self._login.in_clear or self._is_private)
        if way in (*_IN_CLEAR, _WEAK) and not (self._is_encrypted or self.place.is_socket or allowed):
            raise AuthenticationError(
                f"{self.place} asks for the password in clear ({way.decode()}), and the connection is not"
                " encrypted: it was not sent",
                hint=f"{_ENCRYPT}; enable-cleartext-plugin=true sends it all the same",
            )

    def refuse_key(self) -> None:
        """Called before the password is sent under a key of the server's: without TLS anybody could have sent it."""
        if not (self._login.by_any_key or self._login.in_clear or self._is_private):
            raise AuthenticationError(
                f"{self.place} asks for the password under a key of its own, the connection is not encrypted, and so"
                " anybody's key it may be: it was not sent",
                hint=f"{_ENCRYPT}; get-server-public-key=true trusts the key all the same",
            )

    @property
    def _network(self) -> "asyncio.Transport | None":
        return None if self.receiver is None else self.receiver.transport

    @property
    def _is_encrypted(self) -> bool:
        network = self._network
        return network is not None and network.get_extra_info("ssl_object") is not None

    @property
    def _is_private(self) -> bool:
        """Whether nobody between here and there can read what is sent."""
        network = self._network
        return self._is_encrypted or (network is not None and is_on_this_host(network))

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked any more."""
        network = self._network
        return network is None or network.is_closing()

    def when_lost(self, call: Callable[[], None]) -> None:
        """Calls `call` once, in the event loop, when the connection ends and it was not us who ended it."""
        if self.receiver is None or self.receiver.transport is None:
            asyncio.get_running_loop().call_soon(call)
        else:
            self.receiver.on_lost = call

    async def ask(self, statement: str) -> "Answered":
        """Sends a statement; its rows are still to be read."""
        await self.query(statement, unbuffered=True)  # type: ignore[no-untyped-call]
        return Answered(self, self.result)

    async def next(self) -> "Answered":
        """What a script, or a procedure, answers next."""
        await self.next_result(unbuffered=True)  # type: ignore[no-untyped-call]
        return Answered(self, self.result)

    def hold_back(self) -> None:
        """Takes nothing more from the network, so that what waits there takes no memory here."""
        network = self._network
        if network is not None:
            network.pause_reading()

    def go_on(self) -> None:
        """Takes from the network again."""
        network = self._network
        if network is not None:
            network.resume_reading()

    def leave(self) -> None:
        """Says goodbye and ends the connection; waits for nobody."""
        network = self._network
        if network is not None and not network.is_closing():
            network.write(b"\x01\x00\x00\x00" + bytes([COMMAND.COM_QUIT]))
        self.abort()

    def abort(self) -> None:
        """Ends the connection at once, in whatever state it is."""
        if self.receiver is not None:
            self.receiver.on_lost = None
        self.close()

    def close(self) -> None:
        """What asyncmy calls whenever it gives up: an orderly end could wait for the server without end."""
        network = self._network
        super().close()
        if network is not None:
            abort(network)


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
            try:
                row = await next_row(result)
            except Exception as error:
                self._wire.refuse_too_much(error)
                raise
            if row is None:
                self.is_complete = True
                break
            rows.append(row)
            rows.extend(rows_at_hand(result, most - len(rows)))
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
