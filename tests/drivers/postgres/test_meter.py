"""What a PostgreSQL server sends, measured before asyncpg believes it."""

import struct
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers._too_much import CHECK_BYTES, MESSAGE_BYTES, TooMuchError
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.postgres.meter import Meter
from omnidb_cli.errors import ErrorKind
from tests.drivers.contract import PATIENCE_S, fault_of, opened
from tests.drivers.hostile import POSTGRES_LET_IN, Conversation, postgres_message, postgres_startup, serving

ROW = postgres_message(b"D", b"\0\1\0\0\0\3abc")


SCRAM = postgres_message(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0")


def asking_for(rounds: int) -> bytes:
    return postgres_message(b"R", b"\0\0\0\x0br=abc,s=abc,i=%d" % rounds)


TOO_MUCH = {
    bytes(64): "as PostgreSQL does",
    ROW + postgres_message(b"\0", bytes(19)): "as PostgreSQL does",
    ROW + b"D\0\0\0\3": "as PostgreSQL does",
    b"D\xff\xff\xff\xff": "as PostgreSQL does",
    b"D\x7f\xff\xff\xff": "more than 64 MB",
    b"D" + (MESSAGE_BYTES + 1).to_bytes(4, "big"): "more than 64 MB",
    b"R" + (CHECK_BYTES + 1).to_bytes(4, "big"): "more than 1 MB",
    ROW * (CHECK_BYTES // len(ROW) + 1): "more than 1 MB",
    ROW + SCRAM + asking_for(1_000_001): "1,000,001 rounds",
    asking_for(4096): "as PostgreSQL does",
    SCRAM * 2: "as PostgreSQL does",
    SCRAM + asking_for(4096) * 2: "as PostgreSQL does",
    SCRAM + postgres_message(b"R", b"\0\0\0\x0cv=x"): "as PostgreSQL does",
}


def told(data: bytes, cuts: Sequence[int] = (), meter: Meter | None = None) -> str:
    """What the meter says of the bytes, in these pieces."""
    meter = meter or Meter()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    try:
        for start, end in pairwise(edges):
            meter.refuse(data[start:end])
    except TooMuchError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("data", TOO_MUCH, ids=range(len(TOO_MUCH)))
@given(cuts=st.lists(st.integers(0), max_size=5))
def test_what_is_too_much_is_told_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    assert TOO_MUCH[data] in told(data, cuts)


@given(cuts=st.lists(st.integers(0), max_size=8))
def test_what_stands_in_a_message_announces_nothing(cuts: list[int]) -> None:
    assert told(postgres_message(b"D", bytes(64) + asking_for(9_999_999)) * 20 + SCRAM + asking_for(4096), cuts) == ""


def test_a_statement_may_bring_more_than_a_check_and_each_begins_to_count_again() -> None:
    meter = Meter()
    rows = ROW * (CHECK_BYTES // len(ROW))
    assert told(rows, meter=meter) == ""
    for most in (CHECK_BYTES, 3 * CHECK_BYTES):
        meter.expect(most)
        assert told(rows * (most // CHECK_BYTES), meter=meter) == ""
    assert "more than 3 MB" in told(rows, meter=meter)


RECORD, INT4, TEXT, TEXTS = 2249, 23, 25, 1009


def columns_of(*oids: int) -> bytes:
    fields = b"".join(b"a\0" + struct.pack(">ihihih", 0, 0, oid, -1, -1, 0) for oid in oids)
    return postgres_message(b"T", struct.pack(">h", len(oids)) + fields)


def row_of(*cells: bytes) -> bytes:
    body = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    return postgres_message(b"D", struct.pack(">h", len(cells)) + body)


def array_of(*sizes: int, elements: bytes = b"\0\0\0\1a") -> bytes:
    head = struct.pack(">iii", len(sizes), 0, TEXT)
    return head + b"".join(struct.pack(">ii", size, 1) for size in sizes) + elements


ROWS = {
    "plain": (columns_of(INT4, TEXT) + row_of(b"\0\0\0\1", b"2147483647"), ""),
    "an array": (columns_of(INT4, TEXTS) + row_of(b"\0\0\0\1", array_of(1)) + row_of(b"", array_of()), ""),
    "a record": (columns_of(TEXT, RECORD), "as PostgreSQL does"),
    "a type of its own": (columns_of(99_999), "as PostgreSQL does"),
    "a long array": (columns_of(TEXTS) + row_of(array_of(2**31 - 1)), "as PostgreSQL does"),
    "a deep array": (columns_of(TEXT, TEXTS) + row_of(b"a", array_of(9, 9, 9, 9)), "as PostgreSQL does"),
    "an array too deep": (columns_of(TEXTS) + row_of(array_of(*[1] * 7)), "as PostgreSQL does"),
    "a negative array": (columns_of(TEXTS) + row_of(array_of(-1)), "as PostgreSQL does"),
    "no array": (columns_of(TEXTS) + row_of(b"\0\0\0\6"), "as PostgreSQL does"),
    "no columns": (postgres_message(b"T", b"\0\5ab"), "as PostgreSQL does"),
}


@pytest.mark.parametrize("name", ROWS)
@given(cuts=st.lists(st.integers(0), max_size=5))
def test_what_omnidb_asks_for_itself_is_of_plain_types(name: str, cuts: list[int]) -> None:
    data, said = ROWS[name]
    meter = Meter()
    meter.introspects = True
    found = told(data, cuts, meter)
    assert said in found
    assert bool(said) == bool(found)
    assert bool(told(data, cuts)) == (name != "plain")


def test_what_a_person_asks_for_may_be_of_any_type() -> None:
    meter = Meter()
    meter.plain_only = False
    for data, _ in list(ROWS.values())[:-1]:
        assert told(data, meter=meter) == ""


def answering(answer: bytes, *, login: bytes) -> Conversation:
    """A server that lets in, and then gives this answer to whatever comes."""

    async def conversation(reader, writer) -> None:  # type: ignore[no-untyped-def]
        await postgres_startup(reader, writer)
        writer.write(login)
        if login is POSTGRES_LET_IN:
            await reader.read(1000)
        writer.write(answer)
        await reader.read()

    return conversation


ANSWERS = {
    "no length": (bytes(64), "as PostgreSQL does"),
    "a negative length": (b"1\xff\xff\xff\xff" + bytes(60), "as PostgreSQL does"),
    "no kind": (postgres_message(b"\0", bytes(19)), "as PostgreSQL does"),
    "a long message": (b"D\x7f\xff\xff\xff", "more than 64 MB"),
    "many messages": (postgres_message(b"N", b"Mx\0\0") * 150_000, "more than 1 MB"),
}


@pytest.mark.parametrize("login", [b"", POSTGRES_LET_IN], ids=["at login", "after it"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_a_check_ends_with_what_the_server_did(name: str, login: bytes) -> None:
    answer, said = ANSWERS[name]
    async with serving(answering(answer, login=login)) as place:
        target = Target("shop", "postgresql", "postgresql", (place,), "app", "secret", "app", timeout_s=PATIENCE_S)
        async with opened(target) as driver:
            fault = await fault_of(driver)
            assert fault.kind is ErrorKind.INTERNAL
            assert not login or said in str(fault)
