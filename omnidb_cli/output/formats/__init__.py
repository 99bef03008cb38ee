"""One output format a file. A format module says in `DRAWS` which parts of a document it can draw.

It has `write(document, streams)`, and where `DRAWS` has `Shape.RESULT`, `result_writer(streams)`.
"""

from collections.abc import Collection
from types import ModuleType

from omnidb_cli.output.report import Shape
from omnidb_cli.plugins import load, load_all, names_in


def allowed_formats(parts: Collection[Shape]) -> tuple[str, ...]:
    """The formats that can draw one of `parts`, sorted: for help and for errors."""
    modules = load_all("omnidb_cli.output.formats")
    return tuple(_name(module) for module in modules if not set(parts).isdisjoint(module.DRAWS))


def open_format(name: str, parts: Collection[Shape]) -> ModuleType:
    """The format module `name`. Raises ValueError, naming what is allowed, when it can draw none of `parts`."""
    if name in names_in("omnidb_cli.output.formats"):
        module = load("omnidb_cli.output.formats", name)
        if not set(parts).isdisjoint(module.DRAWS):
            return module
    raise ValueError(f"there is no format {name!r} here: use {', '.join(allowed_formats(parts))}")


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]
