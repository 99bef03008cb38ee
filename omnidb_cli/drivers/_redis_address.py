"""Where a Redis or Valkey server is, and how it is logged in to: what a URL says, in the driver's own terms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from omnidb_cli.drivers._tls_files import refuse_unreadable
from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import ConnectError, ErrorKind, TopologyError
from omnidb_cli.tuples import NamedTuple

if TYPE_CHECKING:
    from ssl import SSLContext

PORT = 6379

_TLS_SCHEMES = ("rediss", "valkeys")
_TLS_PARAMS = (
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_keyfile_password",
    "ssl_check_hostname",
)
_VERIFICATIONS = ("required", "optional", "none")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_OF_APPLICATIONS = frozenset({
    "client_name", "decode_responses", "encoding", "encoding_errors", "health_check_interval", "max_connections",
    "protocol", "retry_on_timeout", "socket_connect_timeout", "socket_keepalive", "socket_timeout", "timeout",
})  # fmt: skip
"""What redis-py's URLs may say besides. It is about an application's client, so it is accepted and has no effect."""


class Tls(NamedTuple):
    """How the server's certificate is verified, and with which one this side shows who it is (files)."""

    verify: bool = True
    verify_name: bool = True
    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = None

    def context(self) -> "SSLContext":
        """What asyncio wants of it. Raises ConnectError of kind `tls` for files that cannot be used."""
        import ssl

        refuse_unreadable(self.authorities, self.certificate, self.key)
        try:
            # Not create_default_context(): from Python 3.13 on that refuses authorities which redis-cli accepts.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = self.verify and self.verify_name
            context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
            if self.authorities is not None:
                context.load_verify_locations(self.authorities)
            elif self.verify:
                context.load_default_certs()
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, self.key_password or "")
        except (OSError, ValueError) as error:
            files = ", ".join(filter(None, (self.authorities, self.certificate, self.key)))
            raise ConnectError(f"TLS cannot be set up with {files}: {error}", kind=ErrorKind.TLS) from error
        return context


class Address(NamedTuple):
    """One server, or its unix socket (`path`), the number of a database on it, and the login."""

    host: str = ""
    port: int = PORT
    path: str | None = None
    database: int = 0
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None

    @property
    def server(self) -> str:
        """The server, for people."""
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def place(self) -> str:
        """The server and the database, for people: `cache.internal:6379/0`."""
        return f"{self.server}/{self.database}"


def address_of(target: Target) -> Address:
    """Where `target` is. Raises TopologyError for a parameter that its URL cannot have."""
    _refuse_unknown(target)
    host, port = target.hosts[0]
    return Address(
        host=host,
        port=port or PORT,
        path=host if host.startswith("/") else None,
        database=_database(target),
        username=target.username,
        password=target.password,
        tls=_tls(target) if target.scheme in _TLS_SCHEMES else None,
    )


def _refuse_unknown(target: Target) -> None:
    for name in target.params:
        if name in _TLS_PARAMS and target.scheme not in _TLS_SCHEMES:
            raise _wrong(target, f"{name} is for TLS, and the URL asks for none", "write rediss:// or valkeys://")
        if name != "db" and name not in _TLS_PARAMS and name not in _OF_APPLICATIONS:
            known = ", ".join(("db", *_TLS_PARAMS))
            raise _wrong(target, f"a {target.scheme} URL has no parameter {name}", f"there are {known}")


def _database(target: Target) -> int:
    text = target.params.get("db") or target.database or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise _wrong(target, "the database of a Redis URL is its number", "write redis://host:6379/0")
    return int(text)


def _tls(target: Target) -> Tls:
    params = target.params
    verification = params.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if verification not in _VERIFICATIONS:
        raise _wrong(target, "ssl_cert_reqs is not one of its words", f"the words are {', '.join(_VERIFICATIONS)}")
    if params.get("ssl_keyfile") and not params.get("ssl_certfile"):
        raise _wrong(target, "ssl_keyfile needs ssl_certfile beside it", "name the certificate that the key is for")
    return Tls(
        verify=verification != "none",  # `optional` is for servers: a client that asks for a certificate gets one
        verify_name=_switch(target, "ssl_check_hostname", params),
        authorities=params.get("ssl_ca_certs") or None,
        certificate=params.get("ssl_certfile") or None,
        key=params.get("ssl_keyfile") or None,
        key_password=params.get("ssl_keyfile_password") or None,
    )


def _switch(target: Target, name: str, params: Mapping[str, str]) -> bool:
    word = params.get(name, "true").lower()
    if word not in _WORDS:
        raise _wrong(target, f"{name} is neither true nor false", f"write {name}=true or {name}=false")
    return _WORDS[word]


def _wrong(target: Target, what: str, hint: str) -> TopologyError:
    return TopologyError(f'connection "{target.name}": {what}', hint=hint)
