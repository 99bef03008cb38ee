"""Drivers: how each engine is checked, and how a statement is run on it. An engine is a package of this folder.

The package's `__init__` names its `ENGINE` and has two functions, `url_parameters() -> Parameters` and
`open_driver(target: Target) -> Driver`. Neither imports a client library, and neither touches network or disk.
"""

from typing import TYPE_CHECKING, Any

from omnidb_cli.errors import TopologyError
from omnidb_cli.plugins import load, packages_in

if TYPE_CHECKING:
    from omnidb_cli.drivers.base import Driver, Target
    from omnidb_cli.topology.urls.parameters import Parameters

_HERE = "omnidb_cli.drivers"


def engines() -> tuple[str, ...]:
    """The engines that have a driver."""
    return tuple(load(_HERE, name).ENGINE for name in packages_in(_HERE))


def url_parameters(engine: str) -> "Parameters":
    """What the URLs of an engine may say. Raises KeyError for an engine without a driver."""
    parameters: Parameters = _package(engine).url_parameters()
    return parameters


def open_driver(target: "Target") -> "Driver":
    """The driver for `target`. Raises TopologyError for an engine without one."""
    try:
        package = _package(target.engine)
    except KeyError:
        raise TopologyError(
            f'connection "{target.name}": {target.engine} cannot be used yet',
            hint=f"engines that can: {', '.join(engines())}",
        ) from None
    driver: Driver = package.open_driver(target)
    return driver


def _package(engine: str) -> Any:
    """The package of an engine. Most bear its name: that one is asked first, and the others only if it is another's."""
    for name in sorted(packages_in(_HERE), key=lambda name: name != engine):
        package = load(_HERE, name)
        if engine == package.ENGINE:
            return package
    raise KeyError(engine)
