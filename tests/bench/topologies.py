"""Topologies to measure with: SQLite files that are really there, and texts of any length."""

import sqlite3
from pathlib import Path
from shutil import copyfile


def sqlite_fleet(folder: Path, size: int) -> Path:
    """A topology file over `size` small SQLite databases, the first with the second as its backup."""
    folder.mkdir(parents=True)
    names = [f"db-{number}" for number in range(size)]
    first = folder / f"{names[0]}.db"
    connection = sqlite3.connect(first)
    with connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
        connection.executemany("INSERT INTO orders (item) VALUES (?)", [("tea",), ("rice",)])
    connection.close()
    for name in names[1:]:
        copyfile(first, folder / f"{name}.db")
    lines = ["connections:", *(f"  {name}: {{url: 'sqlite:///{name}.db'}}" for name in names)]
    lines += ["failover:", f"  {names[0]}: {names[1]}", f"state: sqlite:///{folder}/state.db"]
    file = folder / "omnidb.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def long_text(size: int) -> str:
    """A topology of `size` connections to several engines, every second one with a backup and settings of its own."""
    lines = ["name: long", "connections:"]
    for number in range(size):
        lines += _entry(number)
    lines.append("failover:")
    lines += [f"  db-{number}: db-{number + 1}" for number in range(0, size - 1, 2)]
    return "\n".join(lines) + "\n"


def _entry(number: int) -> list[str]:
    if number % 2:
        return [f"  db-{number}:", f"    url: redis://cache-{number}.internal:6379/0", "    tags: [eu, cache]"]
    return [
        f"  db-{number}:",
        f"    url: postgresql://app@db-{number}.internal:5432/orders",
        "    role: primary",
        "    slow: 250ms",
        "    health_check: {interval: 10s, timeout: 2s}",
    ]
