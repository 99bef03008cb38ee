from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.drivers.contract import DriverContract, Subject
from tests.drivers.mysql_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.mariadb import DATABASE, MariaDB, MariadbPair


class TestMariadb(DriverContract):
    server: MariaDB

    @pytest.fixture
    def subject(self, mariadb: MariadbPair) -> Subject:
        self.server = server = mariadb.primary
        server.sql("CREATE TABLE IF NOT EXISTS written(a INT)", DATABASE)
        running = "SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(600)'"
        target = target_of(server)
        return Subject(
            target=target,
            nobody_there=replace(target, hosts=((HOST, free_port()),)),
            wrong_password=replace(target, password="hunter2"),
            read=("SELECT 1 AS number, 'x' AS text, NULL AS nothing, 1.5 AS exact", ()),
            read_gives=(("number", "text", "nothing", "exact"), [(1, "x", None, Decimal("1.5"))]),
            echo=lambda text: ("SELECT ? AS said", (text,)),
            write=("INSERT INTO written VALUES (1)", ()),
            written=lambda: int(server.sql("SELECT count(*) FROM written", DATABASE)),
            rejected=("SELECT * FROM nowhere", ()),
            many=("SELECT seq FROM seq_1_to_2500", ()),
            many_rows=2500,
            endless=("SELECT SLEEP(600)", ()),
            is_running=lambda: server.sql(running) != "0",
            hang=server.hang,
            resume=server.resume,
        )

    async def test_cancelling_and_closing_do_not_wait_for_a_server_that_hangs(self, subject: Subject) -> None:
        """Nobody can have it stopped while it hangs: afterwards it is the server's own limit that ends it."""
        server = self.server
        server.sql("SET GLOBAL max_statement_time = 3")
        try:
            await super().test_cancelling_and_closing_do_not_wait_for_a_server_that_hangs(subject)
        finally:
            server.sql("SET GLOBAL max_statement_time = 0")
