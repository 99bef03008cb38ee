"""Drivers: how each engine is checked, and how a statement is run on it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnidb_cli.topology.parameters import Parameters

_FILE_OF_ENGINE = {"postgresql": "postgres"}  # the others bear the same name


def url_parameters(engine: str) -> "Parameters":
    """What the URLs of an engine may say. Imports no client library."""
    found = import_module(f"omnidb_cli.drivers._{_FILE_OF_ENGINE.get(engine, engine)}_parameters")
    parameters: Parameters = found.PARAMETERS
    return parameters
