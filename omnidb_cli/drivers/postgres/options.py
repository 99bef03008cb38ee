"""How to connect to PostgreSQL: the parts of a URL, as libpq reads them, in the words of asyncpg."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.drivers._url_options import PLAIN
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.postgres.parameters import PARAMETERS
from omnidb_cli.errors import ConnectError, ErrorKind, TopologyError

PORT = 5432

_READ_HERE = ("connect_timeout", "fallback_application_name", "port", "require_auth", "service", "servicefile", "ssl",
              "sslnegotiation", "target_session_attrs")  # fmt: skip
"""Not passed on: it has been read here."""


class Login(Struct, frozen=True):
    """Where and as whom. `params` go on as they are; `direct_tls` is for a server that expects TLS from the first byte.

    `require_auth` says how a server may ask for the password. `target` is what it was made from. `service` names the
    entry of the service file that is still to be read: until then there may be no host.
    """

    target: Target
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None
    database: str | None
    params: Mapping[str, str]
    session_attrs: str
    connect_timeout_s: float | None
    service: str | None = None
    direct_tls: bool = False
    require_auth: str | None = None

    def place(self, host: str, port: int) -> str:
        """One of the hosts and the database, for people."""
        shown = f"unix:{host}" if host.startswith("/") else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"{shown}/{self.database}" if self.database else shown

    @property
    def places(self) -> str:
        """All of the hosts, for people."""
        return ", ".join(self.place(*host) for host in self.hosts) or f"service={self.service}"

    def password_for(self, host: str, port: int) -> str | None:
        """What is given, what `PGPASSWORD` says, or what the password file has for this host."""
        if self.password:
            return self.password
        found = os.environ.get("PGPASSWORD") or self._in_password_file(host, port)
        self.target.learn(found or "")
        return found

    def _in_password_file(self, host: str, port: int) -> str | None:
        from omnidb_cli.drivers.postgres.service_files import password_in

        user = self.username or os.environ.get("PGUSER") or _account()
        names = (host, "localhost") if host.startswith("/") else (host,)
        database = self.database or os.environ.get("PGDATABASE") or user
        return password_in(self.params.get("passfile"), hosts=names, port=port, database=database, user=user)


def login_of(target: Target) -> Login:
    """How `target` is connected to. Raises TopologyError for a parameter that it cannot have."""
    try:
        return _login(target, target.params.get("service") or os.environ.get("PGSERVICE"))
    except ValueError as error:
        raise TopologyError(f'connection "{target.name}": in its URL, {error}') from None


def with_service(login: Login) -> Login:
    """The login with what its service's entry says, where the URL and the topology say nothing.

    Reads the service file. Raises ConnectError, with file and line, for one that cannot be used.
    """
    if login.service is None:
        return login
    from omnidb_cli.drivers.postgres.service_files import service_entry

    target = login.target
    service = service_entry(login.service, target.params.get("servicefile"))
    file, entry = service.file, service.params
    params = {key: value for key, value in entry.items() if value} | dict(target.params)
    said = {key: params.pop(key, None) for key in ("host", "hostaddr", "user", "password", "dbname")}
    for secret in (said["password"], entry.get("sslpassword")):
        target.learn(secret or "")
    try:
        hosts = target.hosts or _hosts(said["host"] or said["hostaddr"], params.get("port"))
        if hosts != target.hosts:
            params.pop("port", None)
        found = replace(
            target,
            hosts=hosts,
            username=target.username or said["user"],
            password=target.password or said["password"],
            database=target.database or said["dbname"],
            params=params,
        )
        return _login(found, None)
    except ValueError as error:
        raise ConnectError(
            f'{file}: in its service "{login.service}", {error.args[0]}', kind=ErrorKind.NOT_FOUND
        ) from None


def _login(target: Target, service: str | None) -> Login:
    params = dict(target.params)
    for fault in PARAMETERS.faults(params, scheme=target.scheme, hosts=len(target.hosts), wording=PLAIN):
        raise ValueError(fault)
    default_port = _number("port", params.get("port")) or PORT
    return Login(
        target=target,
        hosts=tuple((host, port or int(default_port)) for host, port in target.hosts),
        username=target.username,
        password=target.password,
        database=target.database,
        params=_passed_on(params),
        session_attrs=params.get("target_session_attrs") or os.environ.get("PGTARGETSESSIONATTRS") or "any",
        connect_timeout_s=_wait_s(params.get("connect_timeout")),
        service=service,
        direct_tls=params.get("sslnegotiation") == "direct",
        require_auth=params.get("require_auth") or os.environ.get("PGREQUIREAUTH"),
    )


def _hosts(names: str | None, ports: str | None) -> tuple[tuple[str, int | None], ...]:
    """As libpq has them: `host=a,b` with one port or as many; no host is `PGHOST`, or where a server is by default."""
    numbers = [_number("port", port) for port in (ports or os.environ.get("PGPORT") or str(PORT)).split(",")]
    places = (names or os.environ.get("PGHOST") or _by_default(int(numbers[0] or PORT))).split(",")
    if len(numbers) == 1:
        numbers *= len(places)
    if len(numbers) != len(places):
        raise ValueError("host and port have different numbers of entries")
    return tuple((place, int(number or PORT)) for place, number in zip(places, numbers, strict=True))


def _by_default(port: int) -> str:
    sockets = (folder for folder in _SOCKET_FOLDERS if (Path(folder) / f".s.PGSQL.{port}").exists())
    return next(sockets, "localhost")


_SOCKET_FOLDERS = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108 - where servers have their sockets


def _account() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):  # an account without a name
        return ""


def _passed_on(params: Mapping[str, str]) -> Mapping[str, str]:
    name = params.get("application_name") or os.environ.get("PGAPPNAME") or params.get("fallback_application_name")
    passed = {key: value for key, value in PARAMETERS.read(params).items() if key not in _READ_HERE and value}
    if params.get("ssl") == "true":  # as libpq reads the JDBC driver's word
        passed.setdefault("sslmode", "require")
    return passed | {"application_name": name or "omnidb"}


def _wait_s(text: str | None) -> float | None:
    """How long each host is waited for; as libpq has it, nothing, zero and less are without a limit."""
    return float(text) if text and float(text) > 0 else None


def _number(name: str, text: str | None) -> float | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{name} is a number, not {text!r}")
    return float(text)
