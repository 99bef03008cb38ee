"""What a MySQL or MariaDB URL may say: the names of the clients' option files, `-` and `_` alike.

https://dev.mysql.com/doc/refman/8.4/en/connecting-using-uri-or-key-value-pairs.html
"""

from collections.abc import Iterator

from omnidb_cli.topology.urls.parameters import Asked, Parameters, file, never, switch, whole, word

_SWITCHES = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
_SECURITY = "this part of TLS is not set up here"


def _fold(word: str) -> str:
    return word.lower().replace("_", "-")


def _rules(asked: Asked) -> Iterator[str]:
    if asked.values.get("ssl-key") and not asked.values.get("ssl-cert"):
        yield "ssl-key needs ssl-cert beside it: name the certificate that the key is for"


PARAMETERS = Parameters(
    "MySQL",
    (
        word("ssl-mode", "DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"),
        *switch("ssl", "ssl-verify-server-cert", may_be_blank=True),
        *file("ssl-ca", "ssl-cert", "ssl-key"),
        word("charset", "utf8mb4", "utf8", effect=False),
        *whole("connect-timeout", "read-timeout", "write-timeout", effect=False),
        *switch("enable-cleartext-plugin", "get-server-public-key", may_be_blank=True),
        word("compression", "disabled", "preferred", "false", "0", unkept=("required", "true", "1"),
             why="nothing is compressed", effect=False),
        word("local-infile", "false", "off", "0", unkept=("true", "on", "1"), why="no file is sent", effect=False),
        *never(_SECURITY, "ssl-capath", "ssl-crl", "ssl-crlpath", "ssl-cipher", "tls-version", "tls-ciphersuites"),
        *never("the key is asked of the server", "server-public-key-path"),
        *never("the server says how to log in", "auth-method", "default-auth"),
    ),
    switches=_SWITCHES,
    fold_name=_fold,
    fold_word=_fold,
    places=("user", "password", "unix_socket", "socket", "port"),
    rules=_rules,
)  # fmt: skip
