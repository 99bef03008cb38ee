"""Who is at work."""

import os

import pytest

from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.state.actor import current_actor
from omnidb_cli.state.sqlite.store import SqliteStore


def test_it_is_the_account_and_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert current_actor() == f"root@{os.uname().nodename}"


def test_under_sudo_it_is_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "ann")
    assert current_actor().startswith("ann@")


def test_nobody_else_can_borrow_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setenv("SUDO_USER", "ann")
    assert current_actor().startswith("54321@")


def test_a_name_in_another_encoding_is_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "j\udcfcrgen")
    assert current_actor().startswith("j\\xfcrgen@")


def test_a_writer_with_such_a_name_writes_and_is_named(monkeypatch: pytest.MonkeyPatch, store: SqliteStore) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "j\udcfcrgen")
    store.update({}, [Event(EventType.ERROR, None, utc(1_800_000_000.0), actor=current_actor())])
    assert store.info().writers == [current_actor()]
    assert store.events()[0].event.actor == current_actor()
