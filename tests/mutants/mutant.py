"""One fault in one place of the code, and how they are found and drawn."""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.mutants.operators import changes, children, place

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "omnidb_cli"
JUDGED = Path(__file__).with_name("equivalent.toml")

ROOMS = ("core", "state", "cli", "topology")
"""Whose code is tried where no room is named; `output` and `drivers` are tried when asked for."""

_CLI_SHARE = 0.4


class Mutant(NamedTuple):
    """`before` stands at `start` … `end` (in the bytes of `file`, a path below the package) and becomes `after`.

    `lines` are the first and last of the function in whose body it is; None where it runs at import.
    """

    file: str
    line: int
    lines: tuple[int, int] | None
    inside: str
    start: int
    end: int
    before: str
    after: str

    @property
    def room(self) -> str:
        return self.file.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.inside}: `{_short(self.before)}` → `{_short(self.after)}`"

    def applied(self, source: bytes) -> bytes:
        """The file with the fault in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 100 else f"{one_line[:97]}…"


def sampled(rooms: Sequence[str], size: int, seed: int) -> list[Mutant]:
    """So many mutants of these rooms, always the same for one seed; `cli` has its share, the others by their size."""
    found = {room: [one for one in every(room) if not is_equivalent(one)] for room in rooms}
    drawn: list[Mutant] = []
    for room, number in _shares({room: len(mutants) for room, mutants in found.items()}, size).items():
        drawn += Random(f"{seed} {room}").sample(found[room], min(number, len(found[room])))
    return drawn


def _shares(sizes: dict[str, int], size: int) -> dict[str, int]:
    shares = {"cli": round(size * _CLI_SHARE)} if "cli" in sizes and len(sizes) > 1 else {}
    rest = [room for room in sizes if room not in shares]
    for index, room in enumerate(rest):
        left = size - sum(shares.values())
        shares[room] = round(left * sizes[room] / sum(sizes[one] for one in rest[index:]))
    return shares


def every(room: str) -> list[Mutant]:
    """All mutants of a room, in the order of its files."""
    return [one for path in sorted((PACKAGE / room).rglob("*.py")) for one in in_file(path)]


def in_file(path: Path) -> list[Mutant]:
    """All mutants of a file."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, parent, inside, span in _walk(ast.parse(source), None, "the module", None):
        for changed in changes(node, parent):
            old = place(node)
            start, end = starts[old.lineno - 1] + old.col_offset, starts[old.end_lineno - 1] + old.end_col_offset
            after = ast.unparse(ast.fix_missing_locations(changed))
            after = f"({after})" if isinstance(changed, ast.expr) else after
            name = path.relative_to(PACKAGE).as_posix()
            before = source[start:end].decode()
            found.append(Mutant(name, old.lineno, span, inside, start, end, before, after))
    return found


def _walk(
    node: ast.AST, parent: ast.AST | None, inside: str, span: tuple[int, int] | None
) -> Iterator[tuple[ast.AST, ast.AST | None, str, tuple[int, int] | None]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inside = node.name if inside == "the module" else f"{inside}.{node.name}"
    yield node, parent, inside, span
    for child, its_parent in children(node):
        runs_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and child is not node.args
        body = (node.lineno, node.end_lineno or node.lineno) if runs_later else span
        yield from _walk(child, its_parent, inside, body)


def is_equivalent(mutant: Mutant) -> bool:
    """Whether a person has judged that no test could tell it from the code."""
    return (mutant.file, mutant.inside, mutant.before, mutant.after) in _places()


@cache
def _places() -> set[tuple[str, str, str, str]]:
    return {(one["file"], one["inside"], one["before"], one["after"]) for one in judged()}


def judged() -> list[dict[str, str]]:
    """The mutants that were judged equivalent, each with the reason why."""
    read: list[dict[str, str]] = tomllib.loads(JUDGED.read_text(encoding="utf-8"))["equivalent"]
    return read
