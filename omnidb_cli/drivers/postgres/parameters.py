"""What a PostgreSQL URL may say: libpq's parameters, as far as they can be kept here.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

from collections.abc import Iterator

from omnidb_cli.drivers.postgres.login_requests import WAYS
from omnidb_cli.topology.urls.parameters import Asked, Form, Parameter, Parameters, file, never, text, whole, word

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def _rules(asked: Asked) -> Iterator[str]:
    ways = asked.values.get("require_auth", "").split(",")
    if len({way.startswith("!") for way in ways}) > 1:
        yield "require_auth names the ways that are allowed, or those that are not (!), and never both"


PARAMETERS = Parameters(
    "PostgreSQL",
    (
        word("sslmode", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        *file("sslrootcert", words=("system",)),
        *file("sslcert", "sslkey", "sslcrl"),
        *text("sslpassword"),
        word("ssl_min_protocol_version", *_TLS_VERSIONS),
        word("ssl_max_protocol_version", *_TLS_VERSIONS),
        word("sslnegotiation", "postgres", "direct"),
        word("ssl", "true"),
        Parameter("require_auth", Form.WORDS, (*WAYS, *(f"!{way}" for way in WAYS))),
        word("target_session_attrs", "any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
        *whole("connect_timeout", least=None),
        *text("application_name", "fallback_application_name", "options", "passfile", "service", "servicefile"),
        *whole("port", least=1, most=65535),
        *text("krbsrvname"),
        word("gsslib", "gssapi", unkept=("sspi",), why="it is Windows' own"),
        *whole("keepalives", least=0, most=1, effect=False),
        *whole("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", effect=False),
        *whole("sslcompression", "sslsni", least=0, most=1, effect=False),
        *text("client_encoding", "sslkeylogfile", effect=False),
        word("max_protocol_version", "3.0", "3.2", "latest", effect=False),
        word(
            "min_protocol_version", "3.0", unkept=("3.2", "latest"), why="version 3.0 of the protocol is spoken",
            effect=False,
        ),
        word(
            "channel_binding", "prefer", "disable", unkept=("require",), why="a login is not bound to its TLS channel",
            effect=False,
        ),
        word(
            "gssencmode", "prefer", "disable", unkept=("require",), why="GSSAPI does not encrypt here", effect=False
        ),
        word("gssdelegation", "0", unkept=("1",), why="no credentials are passed on", effect=False),
        word(
            "load_balance_hosts", "disable", unkept=("random",), why="hosts are tried in their order", effect=False
        ),
        word(
            "sslcertmode", "allow", unkept=("disable", "require"), why="the server alone asks for a certificate",
            effect=False,
        ),
        word(
            "replication", "false", "off", "no", "0", unkept=("true", "on", "yes", "1", "database"),
            why="it is for programs that replicate", effect=False,
        ),
        *never("which account runs the server is not checked", "requirepeer"),
        *never("the address goes where the host stands", "hostaddr"),
        *never("one file of revoked certificates is read, sslcrl", "sslcrldir"),
        *never("the login is by the password", "scram_client_key", "scram_server_key"),
        *never("no login by OAuth is there", "oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope"),
    ),
    switches={},
    rules=_rules,
    places=("host", "user", "password", "dbname"),
    elsewhere="; a setting of the server goes into options=-c%20NAME%3DVALUE",
)  # fmt: skip
