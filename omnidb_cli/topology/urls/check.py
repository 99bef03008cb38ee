"""Checks the parameters of URLs against what their engines know, and the files that they name."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import unquote_plus

from msgspec.structs import replace

from omnidb_cli.topology.document import Path, Value, short
from omnidb_cli.topology.problems import Faults
from omnidb_cli.topology.urls.engines import Engines
from omnidb_cli.topology.urls.parameters import Parameters, Wording, found_plainly
from omnidb_cli.topology.urls.url import Url

_PAIRS = re.compile(r"(?:\$\{[^}]*\}|[^&])+")


class UrlCheck:
    """Checks the URLs of one document; what is wrong goes to `faults`. Relative files are relative to `base_dir`."""

    def __init__(self, engines: Engines, faults: Faults, base_dir: str) -> None:
        self._engines = engines
        self._faults = faults
        self._base_dir = base_dir
        self._files: dict[str, str | None] = {}

    def checked(self, path: Path, url: Url, written: Value) -> Url:
        """The URL, with the files that it names made absolute. `written` is what stands in the file."""
        table = self._table(url.scheme) if url.params else None
        if table is None:
            return url
        references = _references(written) if isinstance(written, str) else {}
        wording = Wording(self._faults.nearest, _found_or_reference(references))
        wrong = list(table.faults(url.params, scheme=url.scheme, hosts=len(url.hosts), wording=wording))
        files = {name: os.path.join(self._base_dir, file) for name, file in table.files(url.params)}  # noqa: PTH118
        wrong += [fault for name, file in files.items() if (fault := self._fault_of_file(name, file, references))]
        if wrong and "@" in url.text.partition("?")[2]:
            wrong = ["has an @ behind its ?, and a faulty parameter: write an @ in a password or a value as %40"]
        for fault in wrong:
            self._faults.add(path, fault)
        return replace(url, params=MappingProxyType({**url.params, **files})) if files else url

    def _table(self, scheme: str) -> Parameters | None:
        engine = self._engines.find_engine(scheme)
        return None if engine is None else engine.parameters()

    def _fault_of_file(self, name: str, file: str, references: Mapping[str, str]) -> str | None:
        if file not in self._files:
            self._files[file] = why_unreadable(file)
        why = self._files[file]
        if why is None:
            return None
        shown = references.get(name)
        return f"{name}: the file {file if shown is None else f'that {short(shown)} names'} {why}"


def _references(written: str) -> dict[str, str]:
    """The parameters whose values hold a reference, as they are written: what comes of it may be a secret."""
    pairs = (pair.partition("=") for pair in _PAIRS.findall(written.partition("?")[2]))
    return {unquote_plus(name): value for name, _, value in pairs if "${" in value}


def _found_or_reference(references: Mapping[str, str]) -> Callable[[str, str], str]:
    def found(name: str, value: str) -> str:
        written = references.get(name)
        return found_plainly(name, value) if written is None else f'which "{short(written)}" does not give'

    return found


def why_unreadable(file: str) -> str | None:
    """Why a file cannot be read (`does not exist`), or None."""
    try:
        mode = os.stat(file).st_mode  # noqa: PTH116 - a Path would read no better
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {(error.strerror or 'unknown error').lower()}"
    except ValueError:
        return "cannot exist: there is a NUL character in its name"
    if not stat.S_ISREG(mode):
        return "is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
    return None if os.access(file, os.R_OK) else "cannot be read: permission denied"
