import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from omnidb_cli import drivers
from omnidb_cli.drivers.base import Target
from omnidb_cli.topology.urls.url import parse_url
from tests.drivers.contract import DriverContract, Subject
from tests.drivers.mongodb_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.mongodb import DATABASE, URL, MongoPair

READ = """{"find": "omnidb_read", "filter": {"_id": 1},
    "projection": {"_id": 0, "number": 1, "text": 1, "nothing": 1, "answer": 1, "list": 1, "inner": 1}}"""
GIVES = (
    ("number", "text", "nothing", "answer", "list", "inner"),
    [(1, "x", None, True, [1, "a"], {"deep": {"er": 2}})],
)
DOCUMENT = {
    "_id": 1, "number": 1, "text": "x", "nothing": None, "answer": True, "list": [1, "a"], "inner": {"deep": {"er": 2}},
}  # fmt: skip
MANY = [{"_id": number} for number in range(2500)]
ENDLESS = '{"find": "omnidb_read", "filter": {"$where": "sleep(600000) || true"}}'


class TestMongodbStandIn(DriverContract):
    @pytest.fixture
    def subject(self, mongodb: MongoPair) -> Subject:
        server = mongodb.primary
        server.tell(documents={f"{DATABASE}.omnidb_read": [DOCUMENT], f"{DATABASE}.omnidb_many": MANY})
        server.tell(documents={f"{DATABASE}.omnidb_written": []})
        target = target_of(server)
        return replace(
            _subject(target),
            wrong_password=replace(target, password="hunter2"),
            written=lambda: server.tell(count=f"{DATABASE}.omnidb_written")["count"],
            is_running=lambda: server.tell()["running"] > 0,
            hang=server.hang,
            resume=server.resume,
        )


def _subject(target: Target) -> Subject:
    return Subject(
        target=target,
        nobody_there=replace(target, scheme="mongodb", hosts=((HOST, free_port()),)),
        wrong_password=None,
        read=(READ, ()),
        read_gives=GIVES,
        echo=lambda text: (
            '{"aggregate": 1, "pipeline": [{"$documents": [{"said": {"$param": 1}}]}], "cursor": {}}',
            (text,),
        ),
        write=('{"insert": "omnidb_written", "documents": [{"at": 1}]}', ()),
        written=lambda: 0,
        rejected=('{"find": "omnidb_read", "filter": {"$nonsense": 1}}', ()),
        many=('{"find": "omnidb_many"}', ()),
        many_rows=len(MANY),
        endless=(ENDLESS, ()),
        is_running=None,
    )


if URL:  # else there is nothing to be skipped

    class TestYourMongodb(DriverContract):
        @pytest.fixture
        def subject(self) -> Iterator[Subject]:
            from pymongo import MongoClient

            url = parse_url(os.environ["OMNIDB_TEST_MONGODB_URL"], base_dir="/", engines=drivers)
            password = url.password.reveal() if url.password else None
            target = Target(
                "mongo", "mongodb", url.scheme, url.hosts, url.username, password, url.database or "test", url.params
            )
            with MongoClient(os.environ["OMNIDB_TEST_MONGODB_URL"]) as client:
                database = client[target.database or "test"]
                for name, documents in (("omnidb_read", [DOCUMENT]), ("omnidb_many", MANY)):
                    database[name].drop()
                    database[name].insert_many([dict(document) for document in documents])
                database["omnidb_written"].drop()
                running = {"currentOp": 1, "$ownOps": True, "command.find": "omnidb_read"}
                yield replace(
                    _subject(target),
                    wrong_password=replace(target, password="hunter2") if password else None,
                    written=lambda: database["omnidb_written"].count_documents({}),
                    is_running=lambda: bool(client.admin.command(running)["inprog"]),
                    role=None if client.admin.command("hello").get("msg") else "primary",
                )
                for name in ("omnidb_read", "omnidb_many", "omnidb_written"):
                    database[name].drop()
