"""A topology that cannot be read is exit 3 whatever is in its place, with its path and the reason in our words."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.shop import Shop

UNREADABLE: dict[str, Callable[[Path], object]] = {
    "does not exist": lambda path: path,
    "is a directory, not a file": lambda path: path.mkdir(),
    "is not a regular file": os.mkfifo,
    "is not UTF-8 text": lambda path: path.write_bytes(b"a: \xff\n"),
    "is empty": lambda path: path.write_bytes(b""),
    "is larger than 10 MB": lambda path: path.write_bytes(b"#" * (10 * 1024 * 1024 + 1)),
}


@pytest.mark.parametrize("reason", UNREADABLE)
def test_it_is_exit_3_with_its_path_and_the_reason(shop: Shop, reason: str) -> None:
    path = shop.folder / "other.yaml"
    UNREADABLE[reason](path)
    for ended in (
        shop.run("-c", str(path), "status"),
        shop.run("status", env={"OMNIDB_CONFIG": str(path)}),
        shop.run("-c", str(path), "config", "validate", "-o", "json"),
    ):
        assert ended.returncode == 3, ended.stderr
        assert reason in ended.stderr
        assert str(path) in ended.stderr
        assert ended.stdout == ""
