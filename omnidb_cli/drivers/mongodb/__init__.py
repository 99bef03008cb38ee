"""MongoDB. This door is light: the rest of the package is imported when the engine is first used."""

from typing import TYPE_CHECKING

from omnidb_cli.topology.urls.engines import Engine

if TYPE_CHECKING:
    from omnidb_cli.drivers.base import Driver, Target
    from omnidb_cli.topology.urls.parameters import Parameters


def url_parameters() -> "Parameters":
    """What its URLs may say. Imports no client library."""
    from omnidb_cli.drivers.mongodb.parameters import PARAMETERS

    return PARAMETERS


ENGINE = Engine(
    "mongodb", ("mongodb", "mongodb+srv"), url_parameters, port=27017, several_hosts=True,
    srv_schemes=("mongodb+srv",), semicolons=True, repeated=("readpreferencetags",),
)  # fmt: skip


def open_driver(target: "Target") -> "Driver":
    """The driver for `target`. Raises TopologyError for a target that it cannot use."""
    from omnidb_cli.drivers.mongodb import driver

    return driver.open_driver(target)
