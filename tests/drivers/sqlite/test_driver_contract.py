from pathlib import Path

import pytest
from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from tests.drivers.contract import DriverContract, Subject
from tests.drivers.sqlite_files import make_database, query


class TestSqlite(DriverContract):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = make_database(tmp_path / "shop.db", rows=0)
        target = Target(name="file", engine="sqlite", scheme="sqlite", path=str(path))
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500) SELECT i FROM n"
        return Subject(
            target=target,
            nobody_there=replace(target, path=str(tmp_path / "gone.db")),
            wrong_password=None,
            read=("SELECT 1 AS number, 'x' AS text, NULL AS nil, 0.5 AS part", ()),
            read_gives=(("number", "text", "nil", "part"), [(1, "x", None, 0.5)]),
            echo=lambda text: ("SELECT ? AS said", (text,)),
            write=("INSERT INTO item(name) VALUES ('x')", ()),
            written=lambda: len(query(path, "SELECT id FROM item")),
            rejected=("SELEKT 1", ()),
            many=(many, ()),
            many_rows=2500,
            endless=None,
            is_running=None,
            role=None,
        )
