"""Where the state is kept when nobody says where."""

from pathlib import Path

import pytest

from omnidb_cli.state.default_url import default_url


def test_the_state_home_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_url("shop") == f"sqlite:///{tmp_path}/omnidb/shop.db"


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_without_a_usable_one_it_is_under_home(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", value)
    monkeypatch.setenv("HOME", "/home/ann")
    assert default_url("shop") == "sqlite:////home/ann/.local/state/omnidb/shop.db"


def test_two_files_of_one_name_keep_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert default_url("omnidb", "/a/omnidb.yaml") != default_url("omnidb", "/b/omnidb.yaml")
    assert default_url("omnidb", "/a/../a/omnidb.yaml") == default_url("omnidb", "/a/omnidb.yaml")


@pytest.mark.parametrize("name", ["a/../../etc/passwd", "x?mode=memory", "gr\udcfcn", "\0", "n" * 300])
def test_a_name_never_leads_elsewhere(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    url = default_url(name)
    assert url.rpartition("/")[0] == "sqlite:////s/omnidb"
    assert len(url) < 120
    assert not {"?", "\0", "\udcfc"} & set(url)
