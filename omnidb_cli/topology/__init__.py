"""YAML text to a frozen, validated Topology.

`load` reads a file, `parse` a text; both raise TopologyError with every problem at once. Nothing of PyYAML is
imported before one of them is called.
"""

from omnidb_cli.topology.export import described
from omnidb_cli.topology.loader import load, parse
from omnidb_cli.topology.model import Connection, FailoverRule, Topology, fingerprint
from omnidb_cli.topology.secrets.redaction import Redactor, redact_url

__all__ = [
    "Connection",
    "FailoverRule",
    "Redactor",
    "Topology",
    "described",
    "fingerprint",
    "load",
    "parse",
    "redact_url",
]
