"""A secret shows itself only when asked."""

import pickle

import pytest

from omnidb_cli.topology.secrets.secret import Secret


def test_only_reveal_gives_it_away() -> None:
    secret = Secret("hunter2")
    assert [repr(secret), str(secret), f"{secret}", f"{[secret]}"] == ["***", "***", "***", "[***]"]
    assert secret.reveal() == "hunter2"
    assert not hasattr(secret, "__dict__")


def test_it_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(Secret("hunter2"))


def test_equal_secrets_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
