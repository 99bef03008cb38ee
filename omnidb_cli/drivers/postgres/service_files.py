"""libpq's own files: the service file, which says where a server is, and the password file.

https://www.postgresql.org/docs/current/libpq-pgservice.html and …/libpq-pgpass.html
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from omnidb_cli.drivers.postgres.parameters import PARAMETERS
from omnidb_cli.errors import ConnectError, ErrorKind

_SYSTEM_FOLDERS = ("/etc/postgresql-common", "/etc", "/usr/local/etc/postgresql", "/opt/homebrew/etc/postgresql")
"""Where builds of libpq look when `PGSYSCONFDIR` does not say it."""

_NAMES = frozenset({"host", "dbname", "user", "password", *(one.name for one in PARAMETERS.known)}) - {
    "ssl", "service", "servicefile",
}  # fmt: skip


class Entry(Struct, frozen=True):
    """What a service file says of one service, and which file that is."""

    file: str
    params: Mapping[str, str]


def service_entry(name: str, file: str | None) -> Entry:
    """The entry of a service: in `file`, `PGSERVICEFILE` or `~/.pg_service.conf`, else in the system's own file.

    Raises ConnectError, with the file and the line, for a service that is in none and for a file that cannot be used.
    """
    own = file or os.environ.get("PGSERVICEFILE")
    looked_in = []
    for path in _service_files(own):
        looked_in.append(str(path))
        params = _entry(path, name)
        if params is not None:
            return Entry(str(path), params)
    raise _unusable(
        f'there is no service "{name}" in {" or ".join(looked_in) or "~/.pg_service.conf, which does not exist"}',
        hint=f"write a section [{name}] there, or name another file by PGSERVICEFILE",
    )


def _service_files(own: str | None) -> Iterator[Path]:
    if own:
        yield Path(own)  # it was named, so that it must exist
    elif (home := _home()) is not None and (home / ".pg_service.conf").exists():
        yield home / ".pg_service.conf"
    folders = (folder,) if (folder := os.environ.get("PGSYSCONFDIR")) else _SYSTEM_FOLDERS
    yield from (path for path in (Path(one) / "pg_service.conf" for one in folders) if path.exists())


def _entry(path: Path, name: str) -> Mapping[str, str] | None:
    """The first section of that name; None where there is none."""
    try:
        lines = _lines(path)
    except OSError as error:
        raise _unusable(f"the service file {path} cannot be read: {error.strerror}") from error
    found: dict[str, str] | None = None
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("["):
            if found is not None:
                break
            found = {} if text == f"[{name}]" else None
        elif found is not None and text and not text.startswith("#"):
            key, equals, value = (part.strip() for part in text.partition("="))
            if not equals or key not in _NAMES:
                raise _unusable(f"{path}:{number}: {_what_is_wrong(key, equals)}")
            found.setdefault(key, value)
    return found


def _what_is_wrong(key: str, equals: str) -> str:
    if not equals:
        return "a line of a service is written name=value"
    if key == "service":
        return "a service cannot name another service"
    from difflib import get_close_matches

    near = get_close_matches(key, _NAMES, n=1)
    return f"libpq knows no parameter {key!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


def password_in(file: str | None, *, hosts: Sequence[str], port: int, database: str, user: str) -> str | None:
    """The password of the first line that fits: `host:port:database:user:password`, each of the first four may be `*`.

    The file is `file`, `PGPASSFILE` or `~/.pgpass`. One that is not there, cannot be read, or that others may read is
    passed over, as psql does.
    """
    wanted = (hosts, (str(port),), (database,), (user,))
    for line in _password_lines(file or os.environ.get("PGPASSFILE")):
        found = None if line.startswith("#") else _PASSWORD_LINE.fullmatch(line)
        if found is not None and all(map(_fits, found.groups()[:4], wanted)):
            return _unescaped(found[5])
    return None


_PASSWORD_LINE = re.compile(r"((?:\\.|[^:\\])*):" * 4 + "(.*)")


def _fits(field: str, wanted: Sequence[str]) -> bool:
    return field == "*" or _unescaped(field) in wanted


def _unescaped(field: str) -> str:
    return re.sub(r"\\(.)", r"\1", field)


def _password_lines(file: str | None) -> list[str]:
    home = _home()
    path = Path(file) if file else home / ".pgpass" if home else None
    try:
        if path is None or not path.is_file() or path.stat().st_mode & 0o077:
            return []
        return _lines(path)
    except OSError:
        return []


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")


def _home() -> Path | None:
    try:
        return Path.home()
    except (RuntimeError, KeyError):  # an account without a home
        return None


def _unusable(sentence: str, *, hint: str | None = None) -> ConnectError:
    return ConnectError(sentence, kind=ErrorKind.NOT_FOUND, hint=hint)
