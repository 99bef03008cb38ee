"""Finds what a folder offers: a command, a driver, a format or a store is the file, or the package, of its name."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import ModuleInfo, iter_modules
from types import ModuleType


def names_in(package: str) -> tuple[str, ...]:
    """The public names directly in `package`, modules and packages, sorted; nothing of them is imported."""
    return tuple(module.name for module in _public(package))


def packages_in(package: str) -> tuple[str, ...]:
    """The public packages directly in `package`, sorted; nothing of them is imported."""
    return tuple(module.name for module in _public(package) if module.ispkg)


@cache
def _public(package: str) -> tuple[ModuleInfo, ...]:
    found = iter_modules(import_module(package).__path__)
    return tuple(sorted((one for one in found if not one.name.startswith("_")), key=lambda one: one.name))


def load(package: str, name: str) -> ModuleType:
    """The module `name` of `package`. Raises KeyError when there is none of that name."""
    if name not in names_in(package):
        raise KeyError(name)
    return import_module(f"{package}.{name}")


def load_all(package: str) -> Iterator[ModuleType]:
    """Every public module of `package`, in the order of their names."""
    for name in names_in(package):
        yield load(package, name)
