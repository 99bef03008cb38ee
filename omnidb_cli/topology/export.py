"""A topology as plain data with every key at its resolved value: what `config show` prints. Secrets are `***`."""

from typing import Any

from omnidb_cli.duration import write_duration
from omnidb_cli.topology.keys import TABLES, Key, Kind
from omnidb_cli.topology.model import Topology
from omnidb_cli.topology.secrets.redaction import MASK, Redactor


def described(topology: Topology) -> dict[str, Any]:
    """The topology in the notation of its file: it would load again, apart from its secrets."""
    return _section("topology", topology, Redactor(topology.secrets))


def _section(section: str, held: object, redact: Redactor) -> dict[str, Any]:
    """Every key of a section, from the part of the model that holds them."""
    return {
        key.name: _written(key, getattr(held, key.field) if key.field else held, redact)
        for key in TABLES[section].values()
    }


def _written(key: Key, value: Any, redact: Redactor) -> object:
    """The value as the file would have it."""
    match key.kind:
        case Kind.SWITCHABLE if value is None:
            return False
        case _ if value is None:
            return None
        case Kind.SECTION | Kind.SWITCHABLE:
            return _section(key.section or "", value, redact)
        case Kind.NAMED:
            return {name: _section(key.section or "", one, redact) for name, one in value.items()}
        case Kind.SECRET:
            return MASK
        case Kind.URL:
            return value.text
        case Kind.STATE_URL:
            return value.shown
        case Kind.DURATION:
            return write_duration(value)
        case Kind.WORDS | Kind.BACKUPS:
            return list(value)
        case Kind.TEXT:
            return redact(value)
        case Kind.NAME | Kind.CHOICE | Kind.COUNT:
            return value
