"""Statements on MongoDB, as stand-ins answer them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from omnidb_cli.drivers.base import Driver
from omnidb_cli.errors import DriverError, ErrorKind, StatementError, StatementTimeout, WriteRefusedError
from tests.drivers.contract import PATIENCE_S, opened, outcome, session_of, until
from tests.drivers.mongodb_targets import target_of
from tests.servers.mongodb import DATABASE, MongoPair, MongoStandIn


@pytest.fixture
def server(fragile_mongodb: MongoPair) -> MongoStandIn:
    return fragile_mongodb.primary


@pytest.fixture
async def driver(server: MongoStandIn) -> AsyncIterator[Driver]:
    async with opened(target_of(server)) as driver:
        yield driver


async def notices_of(driver: Driver, statement: str) -> tuple[int | None, list[str]]:
    async with session_of(driver) as session:
        reply = await session.run(statement, ())
        _ = [batch async for batch in reply.batches]
        return reply.row_count(), list(reply.notices())


async def test_values_come_out_as_what_they_are(driver: Driver) -> None:
    await outcome(
        driver,
        (
            """{"insert": "values", "documents": [{
                "_id": {"$oid": "507f1f77bcf86cd799439011"}, "exact": {"$numberDecimal": "1.10"},
                "long": {"$numberLong": "9007199254740993"}, "at": {"$date": "2026-11-23T07:30:00.123+02:00"},
                "raw": {"$binary": {"base64": "AQL/", "subType": "00"}},
                "id": {"$uuid": "12345678-1234-5678-1234-567812345678"},
                "inner": {"list": [{"$numberDecimal": "0.1"}, null, {"deep": {"$oid": "507f1f77bcf86cd799439011"}}]},
                "half": 0.1, "big": 1e300, "nan": NaN, "far": {"$date": {"$numberLong": "999999999999999"}},
                "like": {"$regularExpression": {"pattern": "a\\\\.b", "options": "i"}},
                "stamp": {"$timestamp": {"t": 7, "i": 8}}, "least": {"$minKey": 1}
            }]}""",
            (),
        ),
    )
    found = await outcome(driver, ('{"find": "values", "limit": 1}', ()))
    row = dict(zip(found.columns, found.rows[0], strict=True))
    assert str(row.pop("nan")) == "nan"
    assert row == {
        "_id": "507f1f77bcf86cd799439011",
        "exact": Decimal("1.10"),
        "long": 9007199254740993,
        "at": datetime(2026, 11, 23, 5, 30, 0, 123000, UTC),
        "raw": b"\x01\x02\xff",
        "id": UUID("12345678-1234-5678-1234-567812345678"),
        "inner": {"list": [Decimal("0.1"), None, {"deep": "507f1f77bcf86cd799439011"}]},
        "half": 0.1,
        "big": 1e300,
        "far": {"$date": {"$numberLong": "999999999999999"}},
        "like": {"$regularExpression": {"pattern": "a\\.b", "options": "i"}},
        "stamp": {"$timestamp": {"t": 7, "i": 8}},
        "least": {"$minKey": 1},
    }
    assert str(row["exact"]) == "1.10"
    assert isinstance(row["at"], datetime)
    assert row["at"].tzinfo is not None
    assert [type(row[name]) for name in ("_id", "long", "raw")] == [str, int, bytes]


async def test_columns_are_the_fields_in_their_order_and_what_is_missing_is_null(
    server: MongoStandIn, driver: Driver
) -> None:
    server.tell(documents={f"{DATABASE}.mixed": [{"_id": 1, "b": 2}, {"_id": 2, "a": 1, "b": 3}]})
    found = await outcome(driver, ('{"find": "mixed", "sort": {"_id": 1}}', ()))
    assert found.columns == ("_id", "b", "a")
    assert found.rows == [(1, 2, None), (2, 3, 1)]


async def test_a_projection_names_the_columns(server: MongoStandIn, driver: Driver) -> None:
    found = await outcome(driver, ('{"find": "item", "projection": {"name": 1, "nothing": 1}}', ()))
    assert found.columns == ("_id", "name", "nothing")
    assert found.rows[0] == (1, "item 1", None)
    empty = await outcome(driver, ('{"find": "item", "filter": {"name": "none"}, "projection": {"name": 1}}', ()))
    assert empty.columns == ("_id", "name")


async def test_fields_that_come_too_late_are_told_of(server: MongoStandIn, driver: Driver) -> None:
    documents = [{"_id": number} for number in range(1500)]
    documents[1200] |= {"late": 1}
    server.tell(documents={f"{DATABASE}.late": documents})
    count, notices = await notices_of(driver, '{"find": "late"}')
    assert count == 1500
    assert len(notices) == 1
    assert "late (1)" in notices[0]


@pytest.mark.parametrize(
    ("statement", "columns", "rows"),
    [
        ('{"count": "item", "query": {"_id": {"$gt": 1}}}', ("n",), [(2,)]),
        ('{"distinct": "item", "key": "name", "query": {"_id": {"$lt": 3}}}', ("name",), [("item 1",), ("item 2",)]),
        ('{"aggregate": "item", "pipeline": [{"$match": {"_id": 2}}]}', ("_id", "name"), [(2, "item 2")]),
        ('{"find": "item", "sort": {"_id": -1}, "limit": 1}', ("_id", "name"), [(3, "item 3")]),
        ('{"find": "item", "filter": {"_id": 2}, "projection": {"_id": 0}}', ("name",), [("item 2",)]),
        ('{"ping": 1}', ("ok",), [(1.0,)]),
        ('{"ping": 1, "$db": "admin"}', ("ok",), [(1.0,)]),
        ('{"find": "item", "filter": {"_id": 1}, "limit": 5}', ("_id", "name"), [(1, "item 1")]),
        ('{"count": "item"}', ("n",), [(3,)]),
        ('{"find": "item", "filter": {"name": {"$regex": "2$"}}}', ("_id", "name"), [(2, "item 2")]),
    ],
)  # fmt: skip
async def test_reads(driver: Driver, statement: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    for read_only in (False, True):
        found = await outcome(driver, (statement, ()), read_only=read_only)
        assert (found.columns, found.rows, found.row_count) == (columns, rows, len(rows))


@pytest.mark.parametrize(
    ("statement", "count", "notices"),
    [
        ('{"insert": "item", "documents": [{"_id": 8}, {"_id": 9}]}', 2, []),
        (
            '{"update": "item", "updates": [{"q": {}, "u": {"$set": {"name": "item 1"}}, "multi": true}]}',
            2,
            ["matched 3, modified 2"],
        ),
        (
            '{"update": "item", "updates": [{"q": {"_id": 7}, "u": {"$set": {"a": 1}}, "upsert": true}]}',
            1,
            ["matched 0, modified 0", "inserted with _id"],
        ),
        ('{"update": "item", "updates": [{"q": {"_id": 1}, "u": {"name": "x"}}]}', 1, ["matched 1, modified 1"]),
        ('{"delete": "item", "deletes": [{"q": {}, "limit": 1}]}', 1, []),
        ('{"delete": "item", "deletes": [{"q": {"_id": {"$gte": 2}}, "limit": 0}]}', 2, []),
        ('{"delete": "item", "deletes": [{"q": {}, "limit": 0}]}', 3, []),
    ],
)
async def test_writes_count_what_they_changed(
    server: MongoStandIn, driver: Driver, statement: str, count: int, notices: list[str]
) -> None:
    server.forget()
    found, said = await notices_of(driver, statement)
    assert found == count
    assert len(said) == len(notices)
    assert all(one.startswith(expected) for one, expected in zip(said, notices, strict=True))
    assert len([name for name in server.commands() if name in {"insert", "update", "delete"}]) == 1


@pytest.mark.parametrize(
    "statement",
    [
        '{"insert": "item", "documents": [{}]}',
        '{"delete": "item", "deletes": [{"q": {}, "limit": 0}]}',
        '{"update": "item", "updates": [{"q": {}, "u": {"$set": {"a": 1}}, "multi": true}]}',
        '{"aggregate": "item", "pipeline": [{"$match": {}}, {"$out": "copy"}]}',
        '{"aggregate": "item", "pipeline": [{"$facet": {"a": [{"$merge": {"into": "copy"}}]}}]}',
        '{"explain": {"delete": "item", "deletes": []}}',
        '{"drop": "item"}',
        '{"findAndModify": "item", "remove": true}',
        '{"mapReduce": "item", "out": "copy"}',
        '{"setParameter": 1, "logLevel": 5, "$db": "admin"}',
        '{"somethingNew": 1}',
    ],
)  # fmt: skip
async def test_on_a_backup_only_what_is_known_to_read_is_sent(fragile_mongodb: MongoPair, statement: str) -> None:
    replica = fragile_mongodb.replica
    replica.tell(state="PRIMARY")  # promoted, and so writable
    async with opened(target_of(replica)) as driver, session_of(driver, read_only=True) as session:
        replica.forget()
        with pytest.raises(WriteRefusedError) as raised:
            await session.run(statement, ())
        assert replica.commands() == []
    assert "nothing was changed" in str(raised.value)
    assert replica.tell(count=f"{DATABASE}.item")["count"] == 3


async def test_a_write_to_a_secondary_is_its_role(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.replica)) as driver:
        with pytest.raises(DriverError) as raised:
            await outcome(driver, ('{"insert": "item", "documents": [{}]}', ()))
    assert raised.value.kind is ErrorKind.ROLE


async def test_what_a_login_may_not_do_says_nothing_against_the_server(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.primary, username="plain")) as driver:
        with pytest.raises(StatementError) as raised:
            await outcome(driver, ('{"insert": "item", "documents": [{}]}', ()))
    assert "Unauthorized" in str(raised.value)
    assert not raised.value.counts_as_failure


async def test_a_write_that_half_succeeded_is_an_error_that_says_so(server: MongoStandIn, driver: Driver) -> None:
    with pytest.raises(StatementError) as raised:
        await outcome(driver, ('{"insert": "item", "documents": [{"_id": 8}, {"_id": 1}, {"_id": 9}]}', ()))
    assert "E11000" in str(raised.value)
    assert "1 document was changed" in str(raised.value)
    assert server.tell(count=f"{DATABASE}.item")["count"] == 4


async def test_a_write_that_was_not_confirmed_is_no_success(server: MongoStandIn, driver: Driver) -> None:
    reply = {"n": 1, "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}
    server.fail("insert", reply=reply)
    with pytest.raises(DriverError) as raised:
        await outcome(driver, ('{"insert": "item", "documents": [{}]}', ()))
    assert not isinstance(raised.value, StatementError)
    assert "was carried out, but not confirmed" in str(raised.value)


async def test_a_bulk_write_with_errors_is_no_success(server: MongoStandIn, driver: Driver) -> None:
    reply = {"nErrors": 1, "cursor": {"id": 0, "firstBatch": [{"ok": 0.0, "errmsg": "E11000"}], "ns": "admin.$cmd"}}
    server.fail("bulkWrite", reply=reply)
    with pytest.raises(StatementError, match="1 of the operations failed: E11000"):
        await outcome(driver, ('{"bulkWrite": 1, "ops": [], "nsInfo": [], "$db": "admin"}', ()))


async def test_the_server_ends_a_statement_at_the_time_limit_by_itself(server: MongoStandIn, driver: Driver) -> None:
    async with session_of(driver, timeout_s=0.3) as session, asyncio.timeout(PATIENCE_S):
        with pytest.raises(StatementTimeout) as raised:
            await session.run('{"find": "item", "filter": {"$where": "sleep(1)"}}', ())
    assert raised.value.kind is ErrorKind.TIMEOUT
    await until(lambda: server.tell()["running"] == 0)


async def test_a_cancelled_statement_is_stopped_by_its_session(server: MongoStandIn, driver: Driver) -> None:
    async with session_of(driver) as session:
        server.forget()
        running = asyncio.create_task(session.run('{"find": "item", "filter": {"$where": "sleep(1)"}}', ()))
        await until(lambda: server.tell()["running"] > 0)
        running.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([running])
    assert "killSessions" in server.commands()
    assert running.cancelled()


async def test_a_cursor_that_is_not_read_to_its_end_is_given_back(server: MongoStandIn, driver: Driver) -> None:
    server.tell(documents={f"{DATABASE}.many": [{"_id": number} for number in range(3000)]})
    async with session_of(driver) as session:
        reply = await session.run('{"find": "many"}', ())
        async for _ in reply.batches:
            break
        assert server.tell()["cursors"] == 1
    assert server.tell()["cursors"] == 0


async def test_rows_are_fetched_as_they_are_asked_for(server: MongoStandIn, driver: Driver) -> None:
    server.tell(documents={f"{DATABASE}.many": [{"_id": number} for number in range(3000)]})
    async with session_of(driver) as session:
        server.forget()
        reply = await session.run('{"find": "many"}', ())
        assert server.commands().count("getMore") == 0
        rows = [row async for batch in reply.batches for row in batch]
    assert rows == [(number,) for number in range(3000)]
    assert server.commands().count("find") == 1


async def test_the_url_s_write_concern_goes_with_a_write(server: MongoStandIn) -> None:
    params = {"authSource": "admin", "w": "majority", "readConcernLevel": "majority"}
    async with opened(target_of(server, params=params)) as driver:
        await outcome(driver, ('{"insert": "item", "documents": [{}]}', ()))
        assert server.tell()["last"]["insert"]["writeConcern"] == {"w": "majority"}
        await outcome(driver, ('{"find": "item"}', ()))
        assert server.tell()["last"]["find"]["readConcern"] == {"level": "majority"}


async def test_every_statement_has_the_time_limit_of_its_session(server: MongoStandIn, driver: Driver) -> None:
    await outcome(driver, ('{"find": "item"}', ()))
    assert 0 < server.tell()["last"]["find"]["maxTimeMS"] <= PATIENCE_S * 1000
    await outcome(driver, ('{"find": "item", "maxTimeMS": 7}', ()))
    assert server.tell()["last"]["find"]["maxTimeMS"] == 7
