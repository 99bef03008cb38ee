"""What a MySQL server sends is measured before it is kept."""

import asyncio
from collections.abc import Callable

import pytest

from omnidb_cli.drivers._too_much import CHECK_BYTES, TooMuchError
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mysql.measured import field
from omnidb_cli.errors import DriverError, ErrorKind
from tests.drivers.contract import PATIENCE_S, fault_of, opened, outcome
from tests.drivers.hostile import (
    MYSQL_OK,
    Conversation,
    mysql_column,
    mysql_command,
    mysql_greeting,
    mysql_login,
    mysql_packet,
    serving,
)

COUNT, END = mysql_packet(1, b"\1"), b"\xfe\0\0\2\0"
HEAD = COUNT + mysql_column(2, b"a") + mysql_packet(3, END)


def endless(piece: Callable[[int], bytes], begin: bytes = b"", *, login: bool = False) -> Conversation:
    """A server that sends pieces without end, at once or when it has been asked for something."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if login:
            writer.write(mysql_greeting())
        else:
            await mysql_login(reader, writer)
            while not (await mysql_command(reader)).startswith((b"\3SELECT 1", b"\3SET SESSION lock_wait_timeout=1")):
                writer.write(mysql_packet(1, MYSQL_OK))
        writer.write(begin)
        number = 1 + (begin != b"") * 3
        while True:
            writer.write(b"".join(map(piece, range(number, number + 100))))
            number += 100
            await writer.drain()

    return conversation


def target(place: tuple[str, int]) -> Target:
    login = ("app", "secret", "app")
    return Target("shop", "mysql", "mysql", (place,), *login, statement="SELECT 1", timeout_s=PATIENCE_S)


ENDLESS = {
    "at login": endless(lambda number: mysql_packet(number + 1, b"\1" + bytes(9999)), login=True),
    "columns": endless(lambda number: mysql_column(number, b"a" * 99), mysql_packet(1, b"\xfe" + b"\xff" * 8)),
    "rows": endless(lambda number: mysql_packet(number, b"\x02ab" * 99), HEAD),
    "one row": endless(lambda number: mysql_packet(number, b"\xfe" + bytes(0xFFFFFE)), HEAD),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_server_that_does_not_end_ends_a_check_with_what_it_did(name: str) -> None:
    async with serving(ENDLESS[name]) as place, opened(target(place)) as driver:
        fault = await fault_of(driver)
        assert fault.kind is ErrorKind.INTERNAL
        assert "row" not in name or f"more than {CHECK_BYTES // 1_000_000} MB" in str(fault)


def test_a_column_is_read_only_where_all_of_it_is_there() -> None:
    """asyncmy does not check where a column ends: it would show other memory, or crash."""
    column = mysql_column(1, b"name")[4:]
    assert field(column, "utf8").name == "name"
    for end in range(len(column) - 2):
        with pytest.raises(TooMuchError):
            field(column[:end], "utf8")
    for length in (b"\xfb", b"\xff", b"\xfc\xff\xff", b"\xfd\xff\xff\xff", b"\xfe" + b"\xff" * 8):
        with pytest.raises(TooMuchError):
            field(length + column[1:], "utf8")


async def test_a_row_that_does_not_end_ends_a_statement() -> None:
    async with serving(ENDLESS["one row"]) as place, opened(target(place)) as driver:
        with pytest.raises(DriverError, match="more than 64 MB") as raised:
            await outcome(driver, ("SELECT 1", ()))
        assert not raised.value.counts_as_failure
