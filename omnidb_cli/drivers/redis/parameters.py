"""What a Redis or Valkey URL may say: the options that redis-py takes in one.

https://redis.readthedocs.io/en/stable/connections.html#redis.Redis.from_url
"""

from collections.abc import Iterator

from omnidb_cli.topology.urls.parameters import Asked, Parameters, file, never, number, switch, text, whole, word

TLS_SCHEMES = ("rediss", "valkeys")

_ON, _OFF = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")
_REQUIREMENTS = ("required", "optional", "none")


def _rules(asked: Asked) -> Iterator[str]:
    tls = [name for name in asked.values if name.startswith("ssl_")]
    if tls and asked.scheme not in TLS_SCHEMES:
        yield f"{tls[0]} is for TLS, and {asked.scheme}:// asks for none: write rediss:// or valkeys://"
    if asked.values.get("ssl_keyfile") and not asked.values.get("ssl_certfile"):
        yield "ssl_keyfile needs ssl_certfile beside it: name the certificate that the key is for"


PARAMETERS = Parameters(
    "Redis",
    (
        word("ssl_cert_reqs", *_REQUIREMENTS, *(f"cert_{word}" for word in _REQUIREMENTS)),
        *switch("ssl_check_hostname"),
        *file("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
        *text("ssl_keyfile_password", "ssl_password"),
        *switch("decode_responses", "retry_on_timeout", "socket_keepalive", effect=False),
        *number("health_check_interval", "socket_connect_timeout", "socket_timeout", "timeout", effect=False),
        *whole("max_connections", "socket_read_size", least=1, effect=False),
        word("protocol", "2", "3", effect=False),
        *text("client_name", "lib_name", "lib_version", "encoding", "encoding_errors", "retry_on_error", effect=False),
        *never("name one file by ssl_ca_certs", "ssl_ca_path", "ssl_ca_data"),
        *never(
            "this part of TLS is not set up here", "ssl_ciphers", "ssl_min_version", "ssl_include_verify_flags",
            "ssl_exclude_verify_flags", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled", "ssl_ocsp_context",
            "ssl_ocsp_expected_cert",
        ),
        *never("they stand in front of the ?", "host", "port", "path"),
    ),
    switches={**dict.fromkeys(_ON, True), **dict.fromkeys(_OFF, False)},
    fold_word=str.lower,
    places=("username", "password", "db"),
    rules=_rules,
)  # fmt: skip
