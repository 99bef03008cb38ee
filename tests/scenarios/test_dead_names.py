"""Behind a name server that never answers, a hundred dead names delay nobody else."""

import subprocess
from pathlib import Path

import pytest

from tests.scenarios import silent_name_server
from tests.scenarios.shop import Shop

_APART = ("unshare", "-Urnm")
_ENGINES = ("redis", "postgresql", "mysql", "mongodb")
_DEAD = {f"dead-{number}": _ENGINES[number % 4] for number in range(100)}


@pytest.fixture
def apart(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """omnidb in a network of its own, with a hundred dead names before a healthy server and a healthy file."""
    if subprocess.run([*_APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody have a network of his own")
    plain, script = shop.command, str(Path(silent_name_server.__file__))
    python = plain()[0]
    monkeypatch.setattr(shop, "command", lambda *arguments: [*_APART, python, script, *plain(*arguments)])
    dead = "".join(f'  {name}: {{url: "{engine}://{name}.example"}}\n' for name, engine in _DEAD.items())
    shop.write(
        text=f"name: shop\nconnections:\n{dead}"
        f'  server: {{url: "redis://localhost:{silent_name_server.PORT}"}}\n  file: {{url: "sqlite:///primary.db"}}\n'
        "health_check: {timeout: 5s}\nfailover: {server: file}\n"
    )
    return shop


def test_a_hundred_dead_names_delay_nobody_else(apart: Shop) -> None:
    found = {one["name"]: one for one in apart.object("status")["connections"]}
    healthy = [name for name, one in found.items() if one["health"] == "healthy"]
    assert healthy == ["server", "file"]
    assert found["server"]["circuit"]["state"] == "closed"
    said = {(error["kind"], error["message"].split(": ")[-1]) for error in (found[name]["error"] for name in _DEAD)}
    assert ("dns", "no answer from the name service within 5s") in said
    # On a busy machine the monitor's own limit may come first.
    assert said <= {("dns", "no answer from the name service within 5s"), ("timeout", "no answer within 5s")}
    assert "failover server" not in apart.events()


def test_a_statement_for_a_dead_name_is_not_sent(apart: Shop) -> None:
    ended = apart.run("exec", "dead-1", "SELECT 1")
    assert ended.returncode == 21
    assert "no answer from the name service within 5s" in ended.stderr


def test_a_limit_shorter_than_the_check_says_nothing_against_the_name(apart: Shop) -> None:
    ended = apart.run("exec", "dead-1", "SELECT 1", "--timeout", "500ms")
    assert ended.returncode == 21
    assert "the time limit of 500ms ran out" in ended.stderr
    assert apart.circuit("dead-1")["state"] == "closed"
