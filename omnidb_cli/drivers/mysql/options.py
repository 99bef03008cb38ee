"""How to log in: what the URL says, then what `~/.my.cnf` says where the URL is silent."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mysql.parameters import PARAMETERS
from omnidb_cli.errors import AuthenticationError

if TYPE_CHECKING:
    from pathlib import Path

PORT = 3306


class TlsMode(StrEnum):
    """How much of TLS is asked for, in the words of the `mysql` client (those of `ssl-mode` in a URL)."""

    DISABLED = "DISABLED"
    PREFERRED = "PREFERRED"
    REQUIRED = "REQUIRED"
    VERIFY_CA = "VERIFY_CA"
    VERIFY_IDENTITY = "VERIFY_IDENTITY"


class Tls(Struct, frozen=True):
    """TLS as asked for; the files are paths."""

    mode: TlsMode = TlsMode.PREFERRED
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Place(Struct, frozen=True):
    """One server: a host and port, or the path of a unix socket."""

    host: str
    port: int = PORT

    @property
    def is_socket(self) -> bool:
        """Whether the host is a unix socket."""
        return self.host.startswith("/")

    def __str__(self) -> str:
        if self.is_socket:
            return f"unix:{self.host}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Login(Struct, frozen=True):
    """Everything a connection is made with.

    Without TLS and beyond this host the password is sent `in_clear`, or encrypted `by_any_key` that a server brings,
    only where these say so.
    """

    places: tuple[Place, ...]
    username: str
    password: bytes
    database: str | None
    tls: Tls
    in_clear: bool = False
    by_any_key: bool = False

    def __repr__(self) -> str:  # the password is in no text
        return f"Login({self.username!r} at {', '.join(map(str, self.places))})"


_SENDING = ("enable-cleartext-plugin", "get-server-public-key")
_TLS_PARAMS = ("ssl", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "ssl-verify-server-cert")


def login(target: Target, defaults: Mapping[str, str]) -> Login:
    """The login for `target`; `defaults` are the options of `~/.my.cnf`.

    Its password is used for its own user, or where it names none. Its host, port and socket are not: the URL names
    where to go. Raises AuthenticationError when nobody says who to log in as, and ValueError for bad TLS options.
    """
    username = target.username or defaults.get("user") or _who_runs_this()
    password = target.password
    if password is None and defaults.get("user", username) == username:
        password = defaults.get("password")
        target.learn(password or "")
    places = tuple(Place(host, port or PORT) for host, port in target.hosts)
    options = {name: value for name, value in defaults.items() if name in _TLS_PARAMS}
    given = {name: value for name, value in PARAMETERS.read(target.params).items() if name in _TLS_PARAMS}
    if {"ssl", "ssl-mode", "ssl-verify-server-cert"} & given.keys():
        options = {name: options[name] for name in ("ssl-ca", "ssl-cert", "ssl-key") if name in options}
    sending = {name: defaults[name] for name in _SENDING if name in defaults} | dict(PARAMETERS.read(target.params))
    return Login(
        *(places, username, (password or "").encode(), target.database, _tls({**options, **given})),
        in_clear=bool(_is_on(sending, "enable-cleartext-plugin")),
        by_any_key=bool(_is_on(sending, "get-server-public-key")),
    )


def _who_runs_this() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise AuthenticationError(
            "the URL names no user to log in as", hint="write mysql://USER@host/database"
        ) from None


def _tls(params: Mapping[str, str]) -> Tls:
    ca, cert, key = (params.get(name) or None for name in ("ssl-ca", "ssl-cert", "ssl-key"))
    return Tls(_mode(params, ca), ca, cert, key)


def _mode(params: Mapping[str, str], ca: str | None) -> TlsMode:
    """The strictest of what is asked for; an authority that is named is asked."""
    word = params.get("ssl-mode")
    if word is not None:
        try:
            return TlsMode(word.upper().replace("-", "_"))
        except ValueError:
            raise ValueError(f"ssl-mode is one of {', '.join(TlsMode)}") from None
    if _is_on(params, "ssl-verify-server-cert"):
        return TlsMode.VERIFY_IDENTITY
    if _is_on(params, "ssl") is False:
        return TlsMode.DISABLED
    if ca is not None:
        return TlsMode.VERIFY_CA
    return TlsMode.REQUIRED if _is_on(params, "ssl") else TlsMode.PREFERRED


def _is_on(params: Mapping[str, str], name: str) -> bool | None:
    """Whether a switch is on; None when it is not there. An option without a value is on, as in an option file."""
    if name not in params:
        return None
    answer = PARAMETERS.is_on(params[name] or "true")
    if answer is None:
        raise ValueError(f"{name} is true or false")
    return answer


_SECTION = re.compile(r"\[([^\]]*)\]")
_SECTIONS = ("client", "client-server", "client-mariadb")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'"}
_ESCAPED = re.compile(r"\\([btnrs\\\"'])")


def read_option_file(path: "Path") -> dict[str, str]:
    """The options for clients in an option file such as `~/.my.cnf`; none when it cannot be read.

    The format is the `mysql` client's: `name = value`, quotes and backslashes, `-` and `_` alike.
    """
    try:
        text = path.read_text(errors="surrogateescape")
    except OSError:
        return {}
    options: dict[str, str] = {}
    section = ""
    for line in map(str.strip, text.splitlines()):
        if found := _SECTION.match(line):
            section = found[1].strip()
        elif section in _SECTIONS and line and line[0] not in "#;!":
            name, _, value = line.partition("=")
            options[name.strip().lower().replace("_", "-")] = _value(value.strip())
    return options


def _value(text: str) -> str:
    if text[:1] in {"'", '"'}:
        end = text.rfind(text[0])
        text = text[1:end] if end > 0 else text[1:]
    else:
        text = text.partition(" #")[0].rstrip()
    return _ESCAPED.sub(lambda found: _ESCAPES[found[1]], text)
