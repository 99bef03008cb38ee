"""Results of any size in bounded memory, from real servers through the real command to a reader, quick or slow."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.scenarios.shop import CommandLine, until
from tests.servers import mariadb, mongodb, postgres

FEW, MANY = 20_000, 400_000
FEW_DOCUMENTS, MANY_DOCUMENTS = 5_000, 60_000
MARGIN_KB = 30 * 1024
"""Far above what two runs differ by, and far below what so many rows would take."""

ROW = "x" * 90


class Source(NamedTuple):
    """Where rows come from: as many short ones as asked for, long ones, rows without end, and who runs a statement."""

    url: str
    rows: Callable[[int], str]
    long: str = ""
    endless: str = ""
    waits: Callable[[], bool] = lambda: False
    runs: Callable[[], bool] = lambda: False
    sizes: tuple[int, int] = (FEW, MANY)


def _sqlite(folder: Path, _: pytest.FixtureRequest) -> Source:
    with sqlite3.connect(folder / "big.db") as made:
        made.execute("PRAGMA user_version = 1")
    made.close()
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT i, {} FROM n"
    return Source(
        f"sqlite:///{folder}/big.db",
        rows=lambda count: counted.format(count, f"'{ROW}'"),
        long=counted.format(1500, "hex(zeroblob(50000))"),
    )


def _postgresql(_: Path, request: pytest.FixtureRequest) -> Source:
    server = request.getfixturevalue("postgres").primary
    login = f"app:{quote(postgres.PASSWORD, safe='')}"
    activity = "SELECT {} FROM pg_stat_activity WHERE query LIKE '%repeat(%' AND pid <> pg_backend_pid()"
    return Source(
        f"postgresql://{login}@{server.host}:{server.port}/{postgres.DATABASE}",
        rows=lambda count: f"SELECT i, repeat('x', 90) FROM generate_series(1, {count}) AS n(i)",
        long="SELECT i, repeat('x', 100000) FROM generate_series(1, 1500) AS n(i)",
        endless="SELECT generate_series(1, 1000000000), repeat('x', 90)",
        waits=lambda: server.sql(activity.format("state")) == "idle in transaction",
        runs=lambda: bool(server.sql(activity.format("1"))),
    )


def _mariadb(_: Path, request: pytest.FixtureRequest) -> Source:
    server = request.getfixturevalue("mariadb").primary
    login = f"app:{quote(mariadb.PASSWORD, safe='')}"
    activity = "SELECT STATE FROM information_schema.PROCESSLIST WHERE INFO LIKE '%REPEAT(%' AND ID <> CONNECTION_ID()"
    return Source(
        f"mysql://{login}@{server.host}:{server.port}/{mariadb.DATABASE}",
        rows=lambda count: f"SELECT seq, REPEAT('x', 90) FROM seq_1_to_{count}",
        long="SELECT seq, REPEAT('x', 100000) FROM seq_1_to_1500",
        endless="SELECT seq, REPEAT('x', 90) FROM seq_1_to_1000000000",
        waits=lambda: "net" in str(server.sql(activity)).lower(),
        runs=lambda: bool(server.sql(activity)),
    )


def _mongodb(_: Path, request: pytest.FixtureRequest) -> Source:
    server = request.getfixturevalue("fragile_mongodb").primary
    documents = [{"_id": number, "text": ROW} for number in range(MANY_DOCUMENTS)]
    server.tell(documents={f"{mongodb.DATABASE}.item": documents})
    login = f"app:{quote(mongodb.PASSWORD, safe='')}"
    return Source(
        f"mongodb://{login}@{server.host}:{server.port}/{mongodb.DATABASE}",
        rows=lambda count: f'{{"find": "item", "limit": {count}}}',
        sizes=(FEW_DOCUMENTS, MANY_DOCUMENTS),
    )


SOURCES = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb, "mongodb": _mongodb}
SERVERS = ("postgresql", "mariadb")


class Big(CommandLine):
    """omnidb over one source."""

    def __init__(self, folder: Path, source: Source) -> None:
        super().__init__(folder, "big")
        self.source = source
        self.config.write_text(f'connections: {{big: {{url: "{source.url}"}}}}\n')

    def read(self, statement: str, form: str) -> tuple[bytes, int]:
        """The end of what the statement prints, and the most memory that the command had, in kB."""
        process = self.start("exec", "big", statement, "-o", form, "--timeout", "2m", stderr=subprocess.PIPE)
        end, peak = b"", 0
        while data := _next(process):
            end, peak = (end + data)[-200:], max(peak, _peak_kb(process.pid))
        assert process.wait() == 0, process.stderr and process.stderr.read()
        return end, peak


def _next(process: "subprocess.Popen[Any]") -> bytes:
    assert process.stdout is not None
    return os.read(process.stdout.fileno(), 1 << 20)


def _peak_kb(pid: int) -> int:
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0  # it has ended, and nobody has asked yet how


@pytest.fixture
def big(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Big]:
    made = Big(tmp_path, SOURCES[request.param](tmp_path, request))
    yield made
    made.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("big", SOURCES, indirect=True)
def test_memory_does_not_grow_with_the_number_of_rows(big: Big, form: str) -> None:
    few, many = big.source.sizes
    (_, before), (end, after) = (big.read(big.source.rows(count), form) for count in (few, many))
    assert str(many - ("mongodb" in big.source.url)) in end.decode().splitlines()[-1]
    assert after < before + MARGIN_KB, (before, after)


@pytest.mark.parametrize("big", ["sqlite", *SERVERS], indirect=True)
def test_nor_with_their_length(big: Big) -> None:
    (_, before), (_, after) = (big.read(statement, "csv") for statement in (big.source.rows(FEW), big.source.long))
    assert after < before + MARGIN_KB, (before, after)


@pytest.mark.parametrize("big", SERVERS, indirect=True)
def test_a_reader_that_waits_makes_the_server_wait(big: Big) -> None:
    process = big.start("exec", "big", big.source.endless, "-o", "csv", "--timeout", "2m")
    _next(process)
    until(big.source.waits, "the server waits for the reader")
    before = _peak_kb(process.pid)
    for _ in range(100):
        _next(process)
    assert _peak_kb(process.pid) < before + MARGIN_KB
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    until(lambda: not big.source.runs(), "the statement ends on the server")


@pytest.mark.parametrize("form", ["csv", "table", "json"])
@pytest.mark.parametrize("big", ["sqlite", *SERVERS], indirect=True)
def test_a_reader_that_reads_no_more_ends_with_the_time_limit(big: Big, form: str) -> None:
    """The statement holds a snapshot, and perhaps locks: it may not go on for nobody."""
    statement = big.source.endless or big.source.rows(10**9)
    process = big.start("exec", "big", statement, "-o", form, "--timeout", "2s")
    assert process.wait(timeout=30) == 21
    until(lambda: not big.source.runs(), "the statement ends on the server")
    assert process.stderr is not None
    assert "its rows were not read" in process.stderr.read()
    assert big.circuit("big")["failures"] == 0


@pytest.mark.parametrize("big", SERVERS, indirect=True)
def test_a_page_is_enough_for_a_terminal_and_ends_the_statement(big: Big) -> None:
    ended = big.run("exec", "big", big.source.endless, env={"FORCE_COLOR": "1"})
    assert ended.returncode == 0, ended.stderr
    assert "200 of at least " in ended.stderr
    assert "200" in ended.stdout
    assert "201" not in ended.stdout
    until(lambda: not big.source.runs(), "the statement ends on the server")
