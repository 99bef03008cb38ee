"""What a MongoDB server sends is bounded, whatever it says of itself."""

import asyncio
import struct
import subprocess
import sys
import tracemalloc

import pytest

from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import DriverError, ErrorKind
from tests.drivers.contract import PATIENCE_S, fault_of, opened, outcome
from tests.drivers.hostile import MONGODB_HELLO, Conversation, serving
from tests.servers._mongodb_wire import receive, reply

MONGODB_BYTES = 64_000_000


def announcing(size: int, command: str) -> Conversation:
    """A server that answers this command with a message that is so long, if it ever comes."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            number, kind, asked, _ = await receive(reader)
            if command in asked:
                writer.write(struct.pack("<iiii", size, 0, number, 2013))
                await reader.read()
            writer.write(reply(number, kind, {**MONGODB_HELLO, "version": "7.0.0"}))

    return conversation


def target(place: tuple[str, int]) -> Target:
    return Target("shop", "mongodb", "mongodb", (place,), database="app", timeout_s=PATIENCE_S)


@pytest.mark.parametrize("size", [2**31 - 1, 1_000_001, 16, 0, -1])
async def test_a_message_that_is_too_long_ends_a_check(size: int) -> None:
    async with serving(announcing(size, "buildInfo")) as place, opened(target(place)) as driver:
        tracemalloc.start()
        try:
            fault = await fault_of(driver)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert fault.kind is ErrorKind.INTERNAL
        assert most < 20_000_000


@pytest.mark.parametrize("size", [2**31 - 1, MONGODB_BYTES + 1])
async def test_a_message_that_is_too_long_ends_a_statement(size: int) -> None:
    async with serving(announcing(size, "count")) as place, opened(target(place)) as driver:
        with pytest.raises(DriverError) as raised:
            await outcome(driver, ('{"count": "x"}', ()))
        assert raised.value.kind is ErrorKind.INTERNAL


LOGGING = """
import asyncio, logging
from omnidb_cli.drivers.mongodb.connection import Link
from omnidb_cli.drivers.base import Target

async def main():
    await Link(Target("shop", "mongodb", "mongodb", (("127.0.0.1", 1),)), 1.0).aclose()

asyncio.run(main())
try:
    raise ValueError("what a server did")
except ValueError:
    logging.getLogger("pymongo.client").exception("not told")
"""


def test_what_the_library_logs_of_a_server_does_not_come_to_stderr() -> None:
    """Python writes it there, tracebacks too, in a process in which nobody has set up logging."""
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")
