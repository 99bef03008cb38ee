from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.across.ground import Ground, Host


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.close()


@pytest.fixture
def host(shop: Ground, tmp_path: Path) -> Host:
    (tmp_path / "host").mkdir()
    return Host(shop, tmp_path / "host")
