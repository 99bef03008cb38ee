"""YAML text to plain data whose every value can be found again in the text.

PyYAML reads the text once, into nodes; the plain data is made here, so that what YAML would pass over in silence
(duplicate keys, `no` for false, `012` for ten) is told. Nothing here knows what a topology is.
"""

import re
from collections.abc import Iterator
from typing import Any

from omnidb_cli.errors import Problem
from omnidb_cli.topology.scalars import BROKEN, KNOWN_TAGS, PREFIX, STR, Scalar, how_read, read_scalar
from omnidb_cli.topology.secrets.redaction import redact_url

DEEPEST = 50
MOST_VALUES = 500_000
MOST_EXPANDED = 10  # aliases may make ten times what is written

Path = tuple[str | int, ...]


Value = Scalar | list["Value"] | dict[str, "Value"]


class Unreadable(Exception):  # noqa: N818 - not an error of omnidb's own tree; it never leaves the room
    """The text as a whole cannot be used: a sentence and where, counted from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class Document:
    """The plain data of a YAML text, what was wrong with it already, and the place of each value."""

    def __init__(self, text: str) -> None:
        """Raises Unreadable for what is not YAML, too deep, too many, or expands without measure."""
        _refuse_control_characters(text)
        root, written = _compose(text)
        self._root = root
        self._limit = written * MOST_EXPANDED + 10_000
        self._size = 0
        self._made: dict[int, tuple[Value, int] | None] = {}
        self._indexes: dict[int, dict[str, tuple[Any, Any]]] = {}
        self.faults: list[tuple[int, int, str]] = []
        self.data: Value = None if root is None else self._value(root)

    def problem(self, file: str, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """The problem with the place of `path`: of the value, or of its key."""
        key, value = self._find(path)
        line, column = _place(key if at_key and key is not None else value)
        return Problem(file, line, column, dotted(path), message)

    def _find(self, path: Path) -> tuple[Any, Any]:
        key, node = None, self._root
        for step in path:
            if node.id == "mapping" and step in (index := self._index(node)):
                key, node = index[str(step)]
            elif node.id == "sequence" and isinstance(step, int):
                key, node = None, node.value[step]
            else:
                return key, node
        return key, node

    def _index(self, node: Any) -> dict[str, tuple[Any, Any]]:
        """The pairs of a mapping by key, with what it merges in; made once for each mapping asked for."""
        index = self._indexes.get(id(node))
        if index is None:
            index = self._indexes[id(node)] = {}
            merged: list[Any] = []
            for key, value in node.value:
                if key.tag == _MERGE:
                    merged.extend(value.value if value.id == "sequence" else [value])
                elif key.id == "scalar":
                    index.setdefault(key.value, (key, value))
            for source in merged:
                for word, pair in self._index(source).items() if source.id == "mapping" else ():
                    index.setdefault(word, pair)
        return index

    def _fault(self, node: Any, message: str) -> None:
        self.faults.append((*_place(node), message))

    def _value(self, node: Any) -> Value:
        self._size += 1
        if node.id == "scalar":
            return self._scalar(node)
        made = self._made.get(id(node), self)
        if made is None:
            raise Unreadable("an alias (*) inside what it stands for would never end", *_place(node))
        if isinstance(made, tuple):
            self._expanded(made[1], node)
            return made[0]
        self._made[id(node)] = None
        before = self._size
        value: Value = self._mapping(node) if node.id == "mapping" else [self._value(item) for item in node.value]
        if node.tag not in _COLLECTIONS:
            self._fault(node, _TAG)
        self._made[id(node)] = value, self._size - before
        return value

    def _expanded(self, size: int, node: Any) -> None:
        self._size += size
        if self._size > self._limit:
            raise Unreadable("its aliases (*) expand to far more than what is written", *_place(node))

    def _scalar(self, node: Any) -> Scalar:
        if node.tag in KNOWN_TAGS:
            return read_scalar(node.value, node.tag)
        self._fault(node, _TAG)
        return BROKEN

    def _mapping(self, node: Any) -> dict[str, Value]:
        found: dict[str, Value] = {}
        lines: dict[str, int] = {}
        merged: list[dict[str, Value]] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged.extend(self._merged(value))
                continue
            word = self._key(key)
            if word in found:
                self._fault(key, f'the key "{short_key(word)}" is already written on line {lines[word]}')
            elif word is not None:
                lines[word] = key.start_mark.line + 1
                found[word] = self._value(value)
        for source in merged:
            self._expanded(len(source), node)
            for word, plain in source.items():
                found.setdefault(word, plain)
        return found

    def _merged(self, node: Any) -> Iterator[dict[str, Value]]:
        for source in node.value if node.id == "sequence" else [node]:
            value = self._value(source)
            if isinstance(value, dict):
                yield value
            else:
                self._fault(source, "<< merges mappings only")

    def _key(self, node: Any) -> str | None:
        """The word of a key. One that YAML misreads is told of, and still taken by its letters."""
        if node.id != "scalar":
            self._fault(node, "a key must be a word")
            return None
        text: str = node.value
        if node.tag == STR:
            return text
        if not text:
            self._fault(node, "the key in front of the colon is missing")
            return None
        if node.tag in KNOWN_TAGS:
            read = how_read(text, node.tag)
            read = "a number" if read == text else read
            self._fault(node, f'YAML reads the key {short(text)} as {read}: put it in quotes, "{short(text)}"')
        else:
            self._fault(node, _TAG)
        return text


def short(text: str) -> str:
    """The text for a message: on one line, cut where it gets too long, and without a password of a URL in it."""
    text = on_one_line(redact_url(text))
    return text if len(text) <= 60 else text[:57] + "…"


def on_one_line(text: str) -> str:
    """The text with what no terminal should be sent spelled out: a line break becomes a backslash and n."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def short_key(text: str) -> str:
    """A key for a message: up to a colon in it, for what follows `password:` without a space is no key; `1:30` is."""
    if _TIME.fullmatch(text):
        return short(text)
    word, colon, _ = text.partition(":")
    return short(word) + (":…" if colon else "")


def dotted(path: Path) -> str:
    """The path as people write it: `failover.primary.to[1]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{short_key(step)}" for step in path)
    return text.removeprefix(".")


_MERGE = PREFIX + "merge"
_COLLECTIONS = {PREFIX + "map", PREFIX + "seq"}
_TAG = "a tag (!) has no meaning here: put the value in quotes if the ! is part of it"
_SIGNS = {
    "*": "an alias (*) has no anchor (&): put the value in quotes if the * is part of it",
    "&": "an anchor (&) is there twice: put the value in quotes if the & is part of it",
    "!": _TAG,
}
_QUOTED = re.compile(r"""(['"])[^'"]*\w[^'"]*\1""")
_TIME = re.compile(r"[-+]?[0-9]{1,2}(:[0-9]{1,2})+")
_TOO_DEEP = f"is nested more than {DEEPEST} levels deep"
_UNPRINTABLE_ASCII = "[^\t\n\r\x20-\x7e]"
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # 7 ms to compile


def _place(node: Any) -> tuple[int, int]:
    if node is None:
        return 1, 1
    return node.start_mark.line + 1, node.start_mark.column + 1


def _refuse_control_characters(text: str) -> None:
    found = re.search(_UNPRINTABLE_ASCII if text.isascii() else _UNPRINTABLE, text)
    if found is None:
        return
    at = found.start()
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    if found[0] == "\0":
        raise Unreadable("is not a text file: there is a NUL byte in it", line, column)
    raise Unreadable(f"is not a text file: there is a control character U+{ord(found[0]):04X} in it", line, column)


class _Measure:
    """Counts while PyYAML composes: it calls these two around each node, and itself knows no limit.

    Without it libyaml's bindings recurse until the process dies of its stack.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.count = 0

    def down(self, parent: Any, _index: object) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > DEEPEST:
            raise Unreadable(_TOO_DEEP, *_place(parent))
        if self.count > MOST_VALUES:
            raise Unreadable(f"has more than {MOST_VALUES:,} values", *_place(parent))

    def up(self) -> None:
        self.depth -= 1


def _compose(text: str) -> tuple[Any, int]:
    """The root node (None for a text without one) and how many nodes are written."""
    import yaml

    measure = _Measure()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    loader.descend_resolver, loader.ascend_resolver = measure.down, measure.up
    try:
        return loader.get_single_node(), measure.count
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(_syntax(error, text, line, column), line, column) from None
    except yaml.YAMLError:
        raise Unreadable("is not YAML", 1, 1) from None
    finally:
        loader.dispose()


def _open_brackets(above: list[str], here: list[str], column: int) -> int:
    """How many brackets are open in front of a place, quotes and comments not checked."""
    before = [*above, *(line[:column] for line in here)]
    return sum(line.count("[") + line.count("{") - line.count("]") - line.count("}") for line in before)


def _syntax(error: Any, text: str, line: int, column: int) -> str:
    """What is wrong with the syntax, without repeating the text: a password could be in it."""
    lines = text.split("\n", line)
    if _open_brackets(lines[: line - 1], lines[line - 1 : line], column) > DEEPEST:
        return _TOO_DEEP  # libyaml reads ahead for a key, and has a limit of its own
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if (sign := here[column - 1 : column]) in _SIGNS:
        return _SIGNS[sign]
    if column == 1 and here.startswith("---"):
        return "holds more than one document (---)"
    if here[column - 1 : column] == "\t" or here[: len(here) - len(here.lstrip())].count("\t"):
        return "not valid YAML: indent with spaces, not with a tab"
    hint = "; inside { } and [ ] a ${…} needs quotes" if "${" in here else ""
    problem = _QUOTED.sub("…", error.problem or "")
    return f"not valid YAML: {problem}{hint}"
