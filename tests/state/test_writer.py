"""Who is at work."""

import os

import pytest

from omnidb_cli.state.writer import this_writer


def test_it_is_the_account_and_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert this_writer() == f"root@{os.uname().nodename}"


def test_under_sudo_it_is_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "ann")
    assert this_writer().startswith("ann@")


def test_nobody_else_can_borrow_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setenv("SUDO_USER", "ann")
    assert this_writer().startswith("54321@")
