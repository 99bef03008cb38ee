"""The statements that docs/engines/mongodb.md shows, as typed."""

import re
import shlex
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.drivers.contract import opened, outcome
from tests.drivers.mongodb_targets import target_of
from tests.servers.mongodb import DATABASE, MongoPair

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "mongodb.md"
TYPED = re.findall(r"^\$ omnidb exec primary (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)

INSERTED = """{"insert": "orders", "documents": [
    {"_id": {"$oid": "507f1f77bcf86cd799439011"}, "customer": "ann", "total": 250, "at": {"$date": "2026-11-20T08:00:00Z"}},
    {"_id": {"$oid": "507f1f77bcf86cd799439012"}, "customer": "bob", "total": 50, "at": {"$date": "2026-10-20T08:00:00Z"}},
    {"_id": {"$oid": "507f1f77bcf86cd799439013"}, "customer": "ann", "total": 300, "at": {"$date": "2026-10-21T08:00:00Z"}}
]}"""  # noqa: E501
FIRST, SECOND, THIRD = (
    (f"507f1f77bcf86cd79943901{number}", customer, total, datetime(2026, month, day, 8, tzinfo=UTC))
    for number, customer, total, month, day in (
        (1, "ann", 250, 11, 20),
        (2, "bob", 50, 10, 20),
        (3, "ann", 300, 10, 21),
    )
)

GIVES: list[list[tuple[object, ...]] | int] = [
    [THIRD, FIRST],
    [("ann", 250), ("bob", 50), ("ann", 300)],
    [FIRST],
    [FIRST],
    [(2,)],
    [("ann",), ("bob",)],
    [(2,)],
    1,
    2,
    1,
]
"""What each gives in turn: its rows, or the number of documents that it changes. The last one asks `admin`."""


def _parts(typed: str) -> tuple[str, list[str]]:
    statement, *options = shlex.split(typed)
    assert options[::2] == ["--param"] * (len(options) // 2)
    return statement, options[1::2]


def test_there_are_ten_and_one() -> None:
    assert len(TYPED) == len(GIVES) + 1


@pytest.mark.parametrize(("typed", "gives"), list(zip(TYPED, GIVES, strict=False)))
async def test_each_does_what_it_says(fragile_mongodb: MongoPair, typed: str, gives: object) -> None:
    server = fragile_mongodb.primary
    server.tell(documents={f"{DATABASE}.orders": []})
    async with opened(target_of(server)) as driver:
        await outcome(driver, (INSERTED, ()))
        found = await outcome(driver, _parts(typed))
        assert gives == (found.row_count if isinstance(gives, int) else found.rows)


async def test_what_is_inserted_has_its_types(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    server.tell(documents={f"{DATABASE}.orders": []})
    insert = next(typed for typed in TYPED if "insert" in typed)
    async with opened(target_of(server)) as driver:
        await outcome(driver, _parts(insert))
        found = await outcome(driver, ('{"find": "orders", "projection": {"_id": 0}}', ()))
    assert found.rows == [("O'Neil", Decimal("19.90"))]


async def test_the_last_asks_another_database(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.primary, username="omnidb")) as driver:
        found = await outcome(driver, _parts(TYPED[-1]))
    assert "members" in found.columns
    assert mongodb.primary.tell()["last"]["replSetGetStatus"]["$db"] == "admin"
