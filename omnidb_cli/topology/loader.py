"""From a file, or a text, to a Topology; or to one TopologyError with all that is wrong."""

import gc
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike

from msgspec import Struct

from omnidb_cli.errors import Problem, TopologyError
from omnidb_cli.log import Log
from omnidb_cli.topology.converters import is_name
from omnidb_cli.topology.document import Document, Unreadable, on_one_line
from omnidb_cli.topology.model import Topology
from omnidb_cli.topology.problems import Faults
from omnidb_cli.topology.reader import Sections
from omnidb_cli.topology.secrets.references import References
from omnidb_cli.topology.urls.check import UrlCheck
from omnidb_cli.topology.urls.engines import Engines
from omnidb_cli.topology.urls.state import Stores
from omnidb_cli.topology.validate import validate

LARGEST_BYTES = 10 * 1024 * 1024
_UNNAMED = "topology"

_log = Log("topology")


def load(
    path: str | PathLike[str], *, engines: Engines, stores: Stores, env: Mapping[str, str] = os.environ
) -> Topology:
    """The topology of a file: its connections are to `engines`, its state is in one of `stores`.

    Secrets come from `env` and from files. Raises TopologyError with every problem for anything that is not a valid
    topology.
    """
    file = os.fspath(path)
    _log.debug("reading the topology %s", file)
    text = _text(_bytes(file), file)
    absolute = os.path.abspath(file)  # noqa: PTH100 - symbolic links stay as the user wrote them
    return _parse(text, _Source(file, env, os.path.dirname(absolute), absolute, engines, stores))  # noqa: PTH120


def parse(
    text: str,
    *,
    engines: Engines,
    stores: Stores,
    file: str = "<text>",
    env: Mapping[str, str] = os.environ,
    base_dir: str = ".",
) -> Topology:
    """The topology of a text. `file` is what problems call it, relative files are relative to `base_dir`.

    Raises TopologyError with every problem.
    """
    return _parse(text, _Source(file, env, os.path.abspath(base_dir), None, engines, stores))  # noqa: PTH100


class _Source(Struct, frozen=True):
    """Where a text comes from, and what it is read against. `file` is what problems call it."""

    file: str
    env: Mapping[str, str]
    base_dir: str
    path: str | None
    engines: Engines
    stores: Stores


def _parse(text: str, source: _Source) -> Topology:
    with _collector_paused():
        return _validated(text, source)


def _validated(text: str, source: _Source) -> Topology:
    file = on_one_line(source.file)
    try:
        document = Document(text)
    except Unreadable as error:
        raise _refused(file, Problem(file, error.line, error.column, "", str(error))) from None
    if document.data is None:
        raise _refused(file, Problem(file, 1, 1, "", "is empty: at least one connection is needed"))
    faults = Faults(file)
    references = References(source.env, source.base_dir)
    sections = Sections(faults, references, source.base_dir, engines=source.engines, stores=source.stores)
    urls = UrlCheck(source.engines, faults, source.base_dir)
    topology = validate(document.data, sections, urls, faults, name=_name_of(source.path), path=source.path)
    if problems := faults.problems(document):
        raise _refused(file, *problems)
    _log.debug("the topology is %s: %d connections", topology.name, len(topology.connections))
    return topology


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing here is cyclic, and the collector's walks over millions of young nodes double the time of a load."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _refused(file: str, *problems: Problem) -> TopologyError:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return TopologyError(f"the topology {file} has {count}", problems=problems)


def _bytes(file: str) -> bytes:
    try:
        mode = os.stat(file).st_mode  # noqa: PTH116 - a Path would read no better
        if stat.S_ISDIR(mode):
            raise _unusable(file, "is a directory, not a file")
        if not stat.S_ISREG(mode):
            raise _unusable(file, "is not a regular file")
        with open(file, "rb") as opened:  # noqa: PTH123
            raw = opened.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise _unusable(file, "does not exist") from None
    except OSError as error:
        raise _unusable(file, f"cannot be read: {(error.strerror or 'unknown error').lower()}") from None
    except ValueError:
        raise _unusable(file, "is not the name of a file") from None
    if len(raw) > LARGEST_BYTES:
        raise _unusable(file, "is larger than 10 MB")
    return raw


def _unusable(file: str, reason: str) -> TopologyError:
    file = on_one_line(file)
    return TopologyError(f"the topology {file} {reason}", problems=[Problem(file, 0, 0, "", reason)])


def _text(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        reason = f"is not UTF-8 text: there is a byte 0x{raw[error.start]:02x} in it"
        file = on_one_line(file)
        raise _refused(file, Problem(file, line, column, "", reason)) from None


def _name_of(path: str | None) -> str:
    """The name of a topology that says none: its file's stem, with what no name may have as `-`."""
    if path is None:
        return _UNNAMED
    stem = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122
    name = "".join(char if is_name("_" + char) else "-" for char in stem).lstrip(".-")[:63]
    return name or _UNNAMED
