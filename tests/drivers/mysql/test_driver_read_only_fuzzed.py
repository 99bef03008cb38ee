"""Ten thousand statements made to walk past the guard of a backup: what passes changes nothing and writes no file.

The account may do everything, and the server takes writes: only the guard and the session stand in the way.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from omnidb_cli.drivers.mysql.statement import why_not_a_read
from omnidb_cli.errors import DriverError, StatementError
from tests.drivers.contract import opened, session_of
from tests.drivers.mysql.test_driver_read_only import contents, promoted
from tests.drivers.mysql_targets import target_of
from tests.servers.mariadb import MariaDB

STATEMENTS = 10_000
SEED = 20261128

__all__ = ["promoted"]

SPACES = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\u00a0", "\u2003", "\u3000", "\x1c", "", "/**/", "/* x */"]
COMMENTS = [
    *("-- x\n", "--\u00a0x\n", "--x\n", "--\t\n", "# x\n", "--\x01\n", "/*x*/", "/*!", "/*M!", "*/", "--", "#"),
    *("/*+ qb_name(`*/`) */", "/*+ x */", "-- \0", "# \0"),
]
NUMBERS = ["1", "1.5", ".5", "1e5", "1.e5", "0x1F", "0b1", "1_000", "1.5e-3", "x'41'", "b'1'", "N'a'", "1a", "1.5a"]
QUOTES = ["'a'", "'a''b'", "'a\\'b'", '"a"', '"a\\"', "`a`", "'", '"', "`", "'\\", "''", "_utf8'a'"]
WRITES = [
    "into outfile 'FILE'",
    "INTO DUMPFILE 'FILE'",
    "iNtO\toutfile'FILE'",
    "into/**/outfile/**/'FILE'",
    "; delete from kept",
    ";insert into kept values (2)",
    "; select 1 into outfile 'FILE'",
    "*/ delete from kept",
    "into @a",
]
READS = [
    "select",
    "SELECT",
    "with x as (select 1) select",
    "table",
    "show tables",
    "explain",
    "analyze format=json select",
]
REST = [
    "from kept",
    "a from kept",
    "* from kept",
    "union select 2",
    "procedure analyse()",
    "for update",
    "limit 1",
    "@a:=1",
]


def statement(dice: random.Random, file: str) -> str:
    parts = [dice.choice(READS)]
    for _ in range(dice.randint(1, 6)):
        kind = dice.choices([NUMBERS, QUOTES, COMMENTS, REST, WRITES, SPACES], [4, 2, 3, 3, 4, 1])[0]
        parts += [dice.choice(SPACES), dice.choice(kind)]
    return "".join(parts).replace("FILE", file)


def made(folder: Path) -> Iterator[str]:
    dice = random.Random(SEED)
    for number in range(STATEMENTS):
        yield statement(dice, f"{folder}/{number}")


def is_sent(one: str) -> bool:
    """Whether the guard lets it through, and there is something in it that could write."""
    return why_not_a_read(one) is None and any(word in one.lower() for word in ("into", "delete", "insert"))


@pytest.fixture
def outfiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the server's account may make files, if it is let."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="omnidb-out-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_the_grammar_is_worth_it() -> None:
    """It makes statements that write where nothing stands in the way, and enough that the guard lets through."""
    statements = list(made(Path("/tmp/x")))
    passed = [one for one in statements if why_not_a_read(one) is None]
    assert len(passed) > STATEMENTS // 50
    assert sum("outfile" in one.lower() for one in statements) > STATEMENTS // 10
    for walked_past in (
        "select 1.5into outfile 'f'",
        "select 1 --\u00a0\n; delete from kept",
        "select .5into dumpfile 'f'",
    ):
        assert why_not_a_read(walked_past) is not None


async def test_nothing_that_the_guard_lets_through_writes(promoted: MariaDB, outfiles: Path) -> None:
    before = contents(promoted)
    sent = 0
    async with opened(target_of(promoted, username="mighty")) as driver:
        for one in made(outfiles):
            if not is_sent(one):
                continue
            sent += 1
            async with session_of(driver, read_only=True) as session:
                with suppress(StatementError, DriverError):
                    reply = await session.run(one, ())
                    async for _ in reply.batches:
                        pass
    assert sent > STATEMENTS // 100
    assert list(outfiles.iterdir()) == []
    assert contents(promoted) == before


async def test_the_same_as_check_statements(promoted: MariaDB, outfiles: Path) -> None:
    """Every tenth: a check has a connection of its own, and none of its statements reaches anything behind it."""
    before = contents(promoted)
    for number, one in enumerate(filter(is_sent, made(outfiles))):
        if number % 10 == 0:
            async with opened(target_of(promoted, username="mighty", statement=one)) as driver:
                with suppress(StatementError, DriverError):
                    await driver.check()
    assert list(outfiles.iterdir()) == []
    assert contents(promoted) == before
