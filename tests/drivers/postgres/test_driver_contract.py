import pytest
from msgspec.structs import replace

from tests.drivers.contract import DriverContract, Subject
from tests.drivers.postgres_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.postgres import PostgresPair


class TestPostgres(DriverContract):
    @pytest.fixture
    def subject(self, postgres: PostgresPair) -> Subject:
        server = postgres.primary
        server.sql("CREATE TABLE IF NOT EXISTS written(a int)", "GRANT ALL ON written TO app")
        running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600)'"
        target = target_of(server)
        return Subject(
            target=target,
            nobody_there=replace(target, hosts=((HOST, free_port()),)),
            wrong_password=replace(target, password="hunter2"),
            read=("SELECT 1 AS number, 'x' AS text, NULL AS nothing, true AS answer", ()),
            read_gives=(("number", "text", "nothing", "answer"), [(1, "x", None, True)]),
            echo=lambda text: ("SELECT $1::text AS said", (text,)),
            write=("INSERT INTO written VALUES (1)", ()),
            written=lambda: int(server.sql("SELECT count(*) FROM written")),
            rejected=("SELECT nonsense", ()),
            many=("SELECT g FROM generate_series(1, 2500) g", ()),
            many_rows=2500,
            endless=("SELECT pg_sleep(600)", ()),
            is_running=lambda: server.sql(running) != "0",
            hang=server.hang,
            resume=server.resume,
        )
