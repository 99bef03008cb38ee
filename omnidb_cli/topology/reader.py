"""Reads mappings against the table of keys: each key is known, each value fits, each reference is resolved."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from omnidb_cli.topology.converters import READERS, Unfit, hinted, of_reference, shown, text_of
from omnidb_cli.topology.document import Path, Value, short_key
from omnidb_cli.topology.keys import TABLES, Key, Kind, allowed
from omnidb_cli.topology.problems import Faults
from omnidb_cli.topology.scalars import BROKEN
from omnidb_cli.topology.secrets.references import References
from omnidb_cli.topology.urls.engines import Engines
from omnidb_cli.topology.urls.state import Stores, parse_state_url
from omnidb_cli.topology.urls.url import parse_url

Backups = tuple[tuple[str, Path], ...]

_NEVER_SHOWN = {Kind.SECRET, Kind.URL, Kind.STATE_URL}
_WORDS = {Kind.NAME, Kind.TEXT, Kind.CHOICE}
_FAULTY = object()


class Sections:
    """Reads one document; what does not fit goes to `faults`.

    Relative files are relative to `base_dir`, connections are to `engines`, and the state is in one of `stores`.
    """

    def __init__(
        self, faults: Faults, references: References, base_dir: str, *, engines: Engines, stores: Stores
    ) -> None:
        self._faults = faults
        self._references = references
        self._parsers: Mapping[Kind, Callable[[Any], object]] = {
            Kind.URL: partial(parse_url, base_dir=base_dir, engines=engines),
            Kind.STATE_URL: partial(parse_state_url, base_dir=base_dir, engines=engines, stores=stores),
        }

    def read(self, path: Path, data: Value, section: str) -> dict[str, Any]:
        """The values of the mapping at `path`, by key; those that are faulty or null (as if left out) are not in it."""
        table = TABLES[section]
        found: dict[str, Any] = {}
        if not isinstance(data, dict):
            if data is not BROKEN:
                self._faults.add(path, f"must be a mapping with {', '.join(table)}, not {shown(data)}")
            return found
        for name, value in data.items():
            key = table.get(name)
            if key is None:
                self._unknown((*path, name), name, table)
            elif value is not None and value is not BROKEN:
                read = self._value(path, key, value)
                if read is not _FAULTY:
                    found[name] = read
        for key in table.values():
            if key.required and data.get(key.name) is None:
                self._faults.add(path, f"has no {key.name}: {key.about}", at_key=True)
        return found

    def _unknown(self, path: Path, name: str, table: Mapping[str, Key]) -> None:
        if ":" in name:
            hint = ": a colon needs a space after it"
        else:
            hint = self._faults.nearest(name, table) or f", the keys are {', '.join(table)}"
        self._faults.add(path, f'there is no key "{short_key(name)}"{hint}', at_key=True)

    def backups(self, path: Path, value: Value) -> Backups:
        """The names that one failover leads to, each with its place."""
        if isinstance(value, list):
            if not value:
                self._faults.add(path, "the list is empty: name a backup")
            return tuple(pair for index, item in enumerate(value) for pair in self._backup((*path, index), item))
        return self._backup(path, value)

    def _backup(self, path: Path, value: Value) -> Backups:
        try:
            return ((self._word(value), path),)
        except Unfit:
            self._faults.add(path, f"must be the name of a connection, not {shown(value, as_word=True)}")
        except ValueError as error:
            self._faults.add(path, str(error))
        return ()

    def _word(self, value: Value) -> str:
        return self._references.expand(text_of(value)) if type(value) is str and "${" in value else text_of(value)

    def _value(self, path: Path, key: Key, value: Value) -> object:
        match key.kind:
            case Kind.SECTION | Kind.SWITCHABLE | Kind.NAMED:
                return self._mapping(path, key, value)
            case Kind.WORDS:
                return self._words((*path, key.name), key, value)
            case Kind.BACKUPS:
                return self.backups((*path, key.name), value)
            case _:
                return self._scalar(path, key, value)

    def _scalar(self, path: Path, key: Key, value: Value) -> object:
        try:
            parse = self._parsers.get(key.kind)
            plain = value
            if type(plain) is str and "${" in plain:
                expand = self._references.expand if parse is None else self._references.expand_url
                plain = of_reference(key, expand(plain))
            read = READERS[key.kind](key, plain)
            return read if parse is None else parse(read)
        except Unfit:
            was = hinted(value) if key.kind in _NEVER_SHOWN else shown(value, as_word=key.kind in _WORDS)
            given = f", which {was} does not give" if plain is not value else f", not {was}"
            self._faults.add((*path, key.name), f"must be {allowed(key)}{given}")
        except ValueError as error:
            self._faults.add((*path, key.name), str(error))
        return _FAULTY

    def _mapping(self, path: Path, key: Key, value: Value) -> object:
        """What stands below the key; the names that a person chooses are left to the caller."""
        if isinstance(value, dict):
            return value if key.kind is Kind.NAMED else self.read((*path, key.name), value, key.section or "")
        if isinstance(value, bool) and key.kind is Kind.SWITCHABLE:
            return value
        self._faults.add((*path, key.name), f"must be {allowed(key)}, not {shown(value)}")
        return _FAULTY

    def _words(self, path: Path, key: Key, value: Value) -> object:
        if not isinstance(value, list):
            self._faults.add(path, f"must be {allowed(key)}, not {shown(value)}")
            return _FAULTY
        words = []
        for index, item in enumerate(value):
            try:
                words.append(self._word(item))
            except Unfit:
                self._faults.add((*path, index), f"must be a word, not {shown(item, as_word=True)}")
            except ValueError as error:
                self._faults.add((*path, index), str(error))
        return tuple(words)
