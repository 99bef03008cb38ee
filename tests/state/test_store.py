"""Which store a URL names."""

import subprocess
import sys
from pathlib import Path

import pytest

from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.memory import MemoryStore
from omnidb_cli.state.sqlite.store import SqliteStore
from omnidb_cli.state.store import open_state


def test_the_scheme_chooses(tmp_path: Path) -> None:
    store = open_state(f"sqlite:///{tmp_path}/a.db", "shop")
    assert isinstance(store, SqliteStore)
    assert store.remembers
    assert isinstance(open_state("memory:", "shop"), MemoryStore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "postgresql", "postgres"])
def test_what_will_come_is_not_there_yet_and_its_password_not_told(scheme: str) -> None:
    with pytest.raises(StateStoreError, match=f"state in {scheme} is not there yet") as caught:
        open_state(f"{scheme}://ann:s3cret@db/0", "shop")
    assert "s3cret" not in str(caught.value)
    assert "memory:" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "url", ["", "shop.db", "/var/lib/shop.db", "C:/x", "oracle://a", "store:", "records:x", "_sqlite_file:"]
)
def test_what_names_no_store_is_refused_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(StateStoreError) as caught:
        open_state(url, "shop")
    assert "sqlite:////" in (caught.value.hint or "")


def test_reading_the_state_needs_no_asyncio(tmp_path: Path) -> None:
    code = (
        "import sys; from omnidb_cli.state.store import open_state; from omnidb_cli.state import recorder;"
        f"open_state('sqlite:///{tmp_path}/a.db', 'shop').load();"
        "print(sorted({'asyncio', 'logging', 'ssl', 'tempfile', 'socket', 'random'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
