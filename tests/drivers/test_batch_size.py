"""How many rows are asked for next."""

from omnidb_cli.drivers._batch_size import ENOUGH, MOST_ROWS, BatchSize, length_of


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
