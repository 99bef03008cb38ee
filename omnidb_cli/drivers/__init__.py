"""Drivers: how each engine is checked, and how a statement is run on it. An engine is a package of this folder.

The package's `__init__` has its declaration, `ENGINE`, and the function `open_driver(target: Target) -> Driver`. It
imports no client library, and touches neither network nor disk.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from omnidb_cli.errors import TopologyError
from omnidb_cli.plugins import load, packages_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from omnidb_cli.drivers.base import Driver, Target
    from omnidb_cli.topology.urls.engines import Engine
    from omnidb_cli.topology.urls.parameters import Parameters

_HERE = "omnidb_cli.drivers"


def engines() -> "tuple[Engine, ...]":
    """The engines that there are."""
    return tuple(load(_HERE, name).ENGINE for name in packages_in(_HERE))


@cache
def find_engine(scheme: str) -> "Engine | None":
    """The engine that a URL's scheme names."""
    package = _package(scheme, lambda engine: scheme in engine.schemes)
    engine: Engine | None = None if package is None else package.ENGINE
    return engine


def url_parameters(engine: str) -> "Parameters":
    """What the URLs of an engine may say. Raises KeyError for an engine that there is not."""
    package = _package(engine, lambda one: one.name == engine)
    if package is None:
        raise KeyError(engine)
    parameters: Parameters = package.ENGINE.parameters()
    return parameters


def open_driver(target: "Target") -> "Driver":
    """The driver for `target`. Raises TopologyError for an engine that there is not."""
    package = _package(target.engine, lambda engine: engine.name == target.engine)
    if package is None:
        raise TopologyError(
            f'connection "{target.name}": there is no engine {target.engine}',
            hint=f"engines that there are: {', '.join(engine.name for engine in engines())}",
        )
    driver: Driver = package.open_driver(target)
    return driver


def _package(word: str, is_meant: "Callable[[Engine], bool]") -> Any:
    """The package whose engine is meant, or None.

    Engines and schemes mostly begin with the name of their package: that one is asked first, and the others only if
    it is another's.
    """
    for name in sorted(packages_in(_HERE), key=lambda name: not word.startswith(name)):
        package = load(_HERE, name)
        if is_meant(package.ENGINE):
            return package
    return None
