"""Values by reference: `${env:X}`, `${env:X:-default}`, `${file:/path}`; `$${` stands for a plain `${`."""

import os
import re
import stat
from collections.abc import Mapping

from msgspec import Struct

from omnidb_cli.log import Log

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\Z", re.DOTALL)
_LARGEST_FILE = 64 * 1024
_KIND = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,15}):")
_KINDS = ("env", "file")
_FORMS = "write ${env:NAME}, ${env:NAME:-default} or ${file:/path}, and $${ for a plain ${"
_ENDS_USERINFO = re.compile(r"[@/?#\s]|%(?![0-9A-Fa-f]{2})")
_ENDS_PARAMETER = re.compile(r"[&#+\s]|%(?![0-9A-Fa-f]{2})")

_log = Log("topology")


class References:
    """Resolves references against an environment and the folder of the topology file."""

    def __init__(self, env: Mapping[str, str], base_dir: str) -> None:
        self._env = env
        self._base_dir = base_dir
        self._files: dict[str, str] = {}

    def expand(self, text: str) -> str:
        """The text with each reference resolved. Raises ValueError with a sentence for each that cannot be."""
        return self._expand(text, _Zones(0, 0, len(text)))

    def expand_url(self, text: str) -> str:
        """The same for a URL: in front of its `@` and in its query, what would end that part is percent-encoded.

        So a password with a slash in it stays a password and does not become a host.
        """
        return self._expand(text, _zones(text))

    def _expand(self, text: str, zones: "_Zones") -> str:
        problems: list[str] = []

        def resolved(found: re.Match[str]) -> str:
            if found[1] is None:
                return "${"
            try:
                value = self._resolve(found[1], closed=bool(found[2]))
            except ValueError as error:
                problems.append(str(error))
                return ""
            if zones.userinfo <= found.start() < zones.userinfo_end:
                return _ENDS_USERINFO.sub(_encoded, value)
            return _ENDS_PARAMETER.sub(_encoded, value) if found.start() > zones.query else value

        expanded = _REFERENCE.sub(resolved, text)
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return expanded

    def _resolve(self, reference: str, *, closed: bool) -> str:
        if closed and reference.startswith("file:") and len(reference) > 5:
            return self._file(reference.removeprefix("file:"))
        if closed and (found := _ENV.match(reference)):
            return self._variable(found[1], found[2])
        raise ValueError(f"{_what_is_wrong(reference, closed=closed)}: {_FORMS}")

    def _variable(self, name: str, default: str | None) -> str:
        value = self._env.get(name) or default
        if value is not None and not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError(f"the environment variable {name} is not UTF-8 text")
        if value is not None:
            _log.debug("resolving ${env:%s} from %s", name, "the environment" if self._env.get(name) else "its default")
            return value
        how = "is empty" if name in self._env else "is not set"
        raise ValueError(f"the environment variable {name} {how}: set it, or write ${{env:{name}:-default}}")

    def _file(self, name: str) -> str:
        path = os.path.join(self._base_dir, name)  # noqa: PTH118 - pathlib drops what the system would accept
        if path not in self._files:
            _log.debug("resolving ${file:…} from %s", path)
            self._files[path] = _read_secret(path)
        return self._files[path]


def _what_is_wrong(reference: str, *, closed: bool) -> str:
    """Why this is no reference. Only its kind is repeated: the rest could be a piece of a password."""
    if not closed:
        return "a ${ has no } behind it"
    found = _KIND.match(reference)
    if found is None:
        return "a ${…} does not say what it refers to"
    if found[1] == "env":
        return "the ${env:…} names no variable, which is made of letters, digits and _"
    if found[1] == "file":
        return "the ${file:…} names no file"
    from difflib import get_close_matches

    near = get_close_matches(found[1].lower(), _KINDS, n=1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    return f'there is no reference of the kind "{found[1]}"{hint}'


class _Zones(Struct, frozen=True):
    """Where a URL's userinfo begins and ends and its query begins, in the text as it is written."""

    userinfo: int
    userinfo_end: int
    query: int


def _zones(text: str) -> _Zones:
    blank = _REFERENCE.sub(lambda found: "x" * len(found[0]), text)
    scheme_end = blank.find("://")
    if scheme_end < 0:
        return _Zones(0, 0, len(text))
    begin = scheme_end + 3
    ends = [at for at in (blank.find(mark, begin) for mark in "/?#") if at >= 0]
    query = blank.find("?", begin)
    return _Zones(begin, blank.rfind("@", begin, min(ends, default=len(text))), query if query >= 0 else len(text))


def _encoded(found: re.Match[str]) -> str:
    from urllib.parse import quote

    return quote(found[0], safe="")


def _read_secret(path: str) -> str:
    """The text of a secret's file without the newline at its end."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - one check, as the open below
            raise ValueError(f"the file {path} is not a regular file")
        with open(path, "rb") as file:  # noqa: PTH123
            raw = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"the file {path} cannot be read: {(error.strerror or 'unknown error').lower()}") from None
    if len(raw) > _LARGEST_FILE:
        raise ValueError(f"the file {path} is larger than 64 KB: is it the right one?")
    try:
        text = raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is not UTF-8 text") from None
    if not text or "\0" in text:
        raise ValueError(f"the file {path} {'has a NUL byte in it' if text else 'is empty'}")
    return text
