"""What servers say of their replication, by their own names for it."""

from collections.abc import Mapping
from typing import NamedTuple

Row = Mapping[str, str | None]

MARIADB: Row = {
    "Connection_name": "", "Master_Host": "db1", "Master_Port": "3306", "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": "3", "Last_IO_Error": "", "Last_SQL_Error": "",
}  # fmt: skip
MYSQL: Row = {
    "Source_Host": "db1", "Source_Port": "3306", "Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes",
    "Seconds_Behind_Source": "3", "Last_IO_Error": "", "Last_SQL_Error": "",
}  # fmt: skip
OLD_MYSQL = "5.7.44-log"


class FakeWire(NamedTuple):
    """A connection that only knows its server's version."""

    version: str

    @property
    def is_mariadb(self) -> bool:
        return "MariaDB" in self.version
