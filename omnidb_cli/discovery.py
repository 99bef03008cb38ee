"""Finds what a folder offers: a command, a driver, a format or a store is the file of its name."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


@cache
def names_in(package: str) -> tuple[str, ...]:
    """The public module names directly in `package`, sorted; nothing of them is imported."""
    found = iter_modules(import_module(package).__path__)
    return tuple(sorted(module.name for module in found if not module.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """The module `name` of `package`. Raises KeyError when there is none of that name."""
    if name not in names_in(package):
        raise KeyError(name)
    return import_module(f"{package}.{name}")


def load_all(package: str) -> Iterator[ModuleType]:
    """Every public module of `package`, in the order of their names."""
    for name in names_in(package):
        yield load(package, name)
