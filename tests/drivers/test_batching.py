"""How many rows are asked for next, and how they are given out."""

from omnidb_cli.drivers.batching import ENOUGH, MOST_ROWS, Batches, BatchSize, Rows, length_of, next_batch


def after(*batches: list[tuple[object, ...]]) -> int:
    size = BatchSize()
    for rows in batches:
        size.came(rows)
    return size.rows


def test_short_rows_are_asked_for_by_the_thousand_soon() -> None:
    short = [(1, "x", None)] * 50
    assert after() < after(short) < after(short, short) < MOST_ROWS
    assert after(short, short, short) == after(short, short, short, []) == MOST_ROWS


def test_long_rows_are_asked_for_a_few_at_a_time() -> None:
    assert after([("x" * (ENOUGH // 7),)] * 50) == 7
    assert after([(b"x" * ENOUGH * 2,)]) == 1
    assert after([({"a": ["x" * ENOUGH]},)]) < 2


def test_one_long_row_among_short_ones_is_seen_where_every_few_are_checked_at() -> None:
    assert after([("x",)] * 3 + [("x" * ENOUGH,)] + [("x",)] * 4) == 1


def test_it_grows_again_where_rows_are_short_again() -> None:
    long, short = [("x" * ENOUGH,)], [("x",)]
    assert 1 == after(long) < after(long, short) < after(long, short, short) < after(long, *[short] * 5) == MOST_ROWS


def test_a_length_is_that_of_texts_bytes_and_structures() -> None:
    assert length_of((1, None, 2.5, True)) == 0
    assert length_of(("abc", b"de")) == 5
    assert length_of(({"a": "x" * 100}, ["y" * 100])) > 200


async def test_batches_are_fetched_as_they_are_asked_for_until_there_is_none() -> None:
    left = [[(2,), (3,)], [(4,)], []]

    async def fetch() -> Rows:
        return left.pop(0)

    batches = Batches(fetch, [(1,)])
    assert await anext(batches) == [(1,)]
    assert len(left) == 3
    assert [rows async for rows in batches] == [[(2,), (3,)], [(4,)]]
    assert batches.count == 4
    assert [rows async for rows in batches] == []  # it is not fetched again


async def test_rows_that_are_all_there_are_one_batch() -> None:
    assert [rows async for rows in Batches(None, [(1,), (2,)])] == [[(1,), (2,)]]
    assert [rows async for rows in Batches(None)] == []


def test_a_batch_of_what_is_in_memory_is_bounded_by_its_length() -> None:
    assert len(next_batch((b"x",) for _ in range(5000))) == MOST_ROWS
    assert len(next_batch((b"x" * ENOUGH,) for _ in range(3))) == 1
    assert len(next_batch((b"x" * (ENOUGH // 2),) for _ in range(3))) == 2
    assert next_batch(iter(())) == []
