"""The pytest plug-in of the run in which the coverage is taken: which test ran which lines, and for how long."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import tracer

_ANSWER = Path(tracer.NOTES) / "answer.json"

_lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
_seconds: dict[str, float] = defaultdict(float)
_bad: set[str] = set()


def name_of(nodeid: str) -> str:
    """The test, whatever its parameters."""
    return nodeid.partition("[")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Counts what runs in this test as its own."""
    name = name_of(item.nodeid)
    tracer.begin(name)
    try:
        return (yield)
    finally:
        _lines[name] |= tracer.seen


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds up the time; a test that does not pass (or is skipped) cannot tell a fault from none."""
    _seconds[name_of(report.nodeid)] += report.duration
    if report.failed:
        _bad.add(name_of(report.nodeid))


def pytest_sessionfinish() -> None:
    """Writes the answer, with what the processes noted that the tests started."""
    for path in Path(tracer.NOTES).glob(f"*-{'?' * 8}.txt"):
        test, *places = path.read_text(encoding="utf-8").splitlines()
        for place in places:
            file, _, line = place.rpartition(":")
            _lines[test].add((file, int(line)))
    answer = {
        test: {"seconds": _seconds[test], "lines": sorted(lines)} for test, lines in _lines.items() if test not in _bad
    }
    whole = _ANSWER.with_suffix(f".{os.getpid()}")
    whole.write_text(json.dumps(answer), encoding="utf-8")
    whole.replace(_ANSWER)
