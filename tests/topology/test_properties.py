"""Nothing that can be in a file breaks the loader, and no secret comes out of it."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from omnidb_cli import drivers
from omnidb_cli.errors import Problem, TopologyError
from omnidb_cli.state import store
from omnidb_cli.topology import Redactor, Topology, described, fingerprint, load, parse

BASE = """\
name: shop
connections:
  primary: &p
    url: postgresql://app@db1.internal:5432/app?sslmode=require
    password: ${env:PW}
    role: primary
    tags: [eu, orders]
    health_check: {statement: "SELECT 1", timeout: 2s}
  replica: {<<: *p, role: replica, max_lag: 10s}
  "cache": {url: 'redis://:secret@h/0', slow: 250ms}
failover:
  primary: {to: [replica, cache], writes: deny, failback_after: 30s}
circuit_breaker: {threshold: 5, reset_timeout: 30s}
state: sqlite:///state.db
"""
PIECES = [
    "", " ", "\n", "\t", "\0", "- ", "? ", ": ", ":", "#", "{", "}", "[", "]", ",", "&a ", "*a", "*p", "<<: *p", "!",
    "!!str ", "!!int ", "!!binary ", "|", ">", "'", '"', "%", "@", "`", "---", "...", "~", "no", "012", "1:30", ".nan",
    "1_000", "null", "${", "${env:NONE}", "${file:/}", "$${", "://", "\ufeff", "\x85", "\u2028", "\ud800", "primary",
    "9" * 5000, "\\x",
]  # fmt: skip


def outcome(text: str, **env: str) -> Topology | tuple[Problem, ...]:
    try:
        return parse(text, file="t.yaml", env=env, engines=drivers, stores=store)
    except TopologyError as error:
        return error.problems


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_topology_or_a_topology_error(text: str) -> None:
    with suppress(TopologyError):
        parse(text, env={}, engines=drivers, stores=store)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(BASE)), st.integers(0, 20), st.sampled_from(PIECES)), max_size=4))
def test_any_damage_to_a_file_ends_in_a_topology_or_in_problems(edits: list[tuple[int, int, str]]) -> None:
    text = BASE
    for at, cut, piece in edits:
        text = text[:at] + piece + text[at + cut :]
    found = outcome(text, PW="hunter2")
    if isinstance(found, Topology):
        assert described(found)["connections"]
        return
    assert found
    assert "hunter2" not in "".join(map(str, found))
    lines = len(text.splitlines()) + 1
    assert all(problem.message and 0 <= problem.line <= lines for problem in found)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_topology_or_a_topology_error(tmp_path_factory, content: bytes) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with suppress(TopologyError):
        load(path, env={}, engines=drivers, stores=store)


# A % in a URL's password is taken as percent-encoding, so these have none.
SECRETS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="%"), min_size=1).map(
    lambda text: f"mArKed{text}"
)


@settings(deadline=None)
@given(SECRETS)
def test_a_secret_is_nowhere_but_where_it_is_revealed(secret: str) -> None:
    text = (
        "connections:\n"
        "  a: {url: 'postgresql://app:${env:PW}@h/app?sslpassword=${env:PW}'}\n"
        "  b: {url: redis://h, password: '${env:PW}'}\n"
        "state: 'redis://:${env:PW}@state/0'\n"
    )
    topology = parse(text, env={"PW": secret}, engines=drivers, stores=store)
    connections = topology.connections.values()
    assert {one.password and one.password.reveal() for one in connections} == {secret}
    shown = [topology, described(topology), *astuple(topology), *connections, *(one.url for one in connections)]
    assert "mArKed" not in "".join(f"{one!r}{one!s}" for one in shown if not isinstance(one, str))
    assert all("mArKed" not in one.address + one.url.text + fingerprint(one, topology) for one in connections)
    redactor = Redactor(topology.secrets)
    assert redactor(f"login failed for {secret}!") == "login failed for ***!"


@settings(deadline=None)
@given(SECRETS, st.sampled_from(["{pw}", "redis://u:{pw}", "redis://:{pw}@", "redis://u:{pw}@h:x", "redos://u:{pw}@h"]))
def test_a_faulty_url_or_password_is_not_repeated(secret: str, form: str) -> None:
    text = "connections: {a: {url: '${env:URL}', password: '${env:PW}', role: x}, b: {url: 5, password: [mArKed]}}"
    found = outcome(text, URL=form.format(pw=secret), PW=secret)
    assert not isinstance(found, Topology)
    assert "mArKed" not in "".join(map(str, found))
