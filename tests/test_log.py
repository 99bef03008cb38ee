"""The log: silent and free where nobody listens, a record of its room and its connection where somebody does."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from omnidb_cli.log import Log, about

log = Log("tests")


class Costly:
    def __str__(self) -> str:
        raise AssertionError("formatted although nobody listens")


class Listener(logging.Handler):
    """Keeps what it is told as (connection, message)."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str | None, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append((record.connection, record.getMessage()))  # type: ignore[attr-defined]


@pytest.fixture
def listener() -> Iterator[Listener]:
    logger, listener = logging.getLogger("omnidb.tests"), Listener()
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield listener
    logger.removeHandler(listener)
    logger.setLevel(logging.NOTSET)


def test_nothing_is_formatted_where_nobody_listens() -> None:
    assert not log.is_heard
    log.debug("%s", Costly())


def test_nothing_is_imported_where_nobody_listens() -> None:
    probe = "import sys; from omnidb_cli.log import Log; Log('x').debug('step'); print('logging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout == "False\n"


def test_a_step_is_one_of_the_connection_it_is_taken_for(listener: Listener) -> None:
    log.debug("begun")
    with about("primary"):
        log.debug("at %s", "db1")
        log.debug("instead", connection="replica")
    log.debug("done")
    assert listener.heard == [(None, "begun"), ("primary", "at db1"), ("replica", "instead"), (None, "done")]


async def test_tasks_do_not_mix_their_connections_up(listener: Listener) -> None:
    async def check(name: str) -> None:
        with about(name):
            await asyncio.sleep(0)
            log.debug("checked")

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(check(name))
    assert listener.heard == [(name, "checked") for name in "abc"]
