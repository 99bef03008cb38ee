"""Where a Redis or Valkey server is, and how it is logged in to: what a URL says, in the driver's own terms."""

from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.drivers._url_options import refuse_faulty_options
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.redis.parameters import PARAMETERS, TLS_SCHEMES
from omnidb_cli.errors import ConnectError, ErrorKind

if TYPE_CHECKING:
    from ssl import SSLContext

PORT = 6379


class Tls(Struct, frozen=True):
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


class Address(Struct, frozen=True):
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
    refuse_faulty_options(target, PARAMETERS)
    host, port = target.hosts[0]
    return Address(
        host=host,
        port=port or PORT,
        path=host if host.startswith("/") else None,
        database=int(target.database or 0),
        username=target.username,
        password=target.password,
        tls=_tls(target) if target.scheme in TLS_SCHEMES else None,
    )


def _tls(target: Target) -> Tls:
    options = PARAMETERS.read(target.params)
    return Tls(
        # `optional` is for servers: a client that asks for a certificate gets one
        verify=options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_") != "none",
        verify_name=PARAMETERS.is_on(options.get("ssl_check_hostname", "true")) is True,
        authorities=options.get("ssl_ca_certs") or None,
        certificate=options.get("ssl_certfile") or None,
        key=options.get("ssl_keyfile") or None,
        key_password=options.get("ssl_keyfile_password") or options.get("ssl_password") or None,
    )
