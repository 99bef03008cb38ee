from pathlib import Path

import pytest

from tests.cli.runner import Runner


@pytest.fixture
def shop(tmp_path: Path) -> Runner:
    return Runner(tmp_path)
