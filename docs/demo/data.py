"""Makes the three files of configs/demo.yaml in a folder: `python docs/demo/data.py FOLDER`."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

FILES = ("primary.db", "replica.db", "archive.db")
_ORDERS = [("tea", 12), ("salt", 3), ("paper", 40)]


def make(folder: Path) -> None:
    """Three files with the same three orders: what replication would have brought about."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        file = folder / name
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, pieces INTEGER NOT NULL)")
            db.executemany("INSERT INTO orders (item, pieces) VALUES (?, ?)", _ORDERS)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
