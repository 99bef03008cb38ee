"""Every exit code of every command, from real processes (design, section 5)."""

import json
import resource

import pytest

from tests.scenarios.shop import Shop

COMMANDS = (
    ("status",),
    ("watch", "--count", "1"),
    ("exec", "primary", "SELECT 1"),
    ("circuit", "open", "archive"),
    ("circuit", "close", "archive"),
    ("circuit", "list"),
    ("failback", "primary"),
    ("route", "primary"),
    ("events",),
    ("state", "show"),
    ("state", "reset"),
    ("config", "validate"),
    ("config", "show"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_done_is_zero_and_says_nothing_wrong(shop: Shop, command: tuple[str, ...]) -> None:
    ended = shop.run(*command)
    assert (ended.returncode, "error" in ended.stderr, "warning" in ended.stderr) == (0, False, False)


@pytest.mark.parametrize("act", ["open", "close"])
def test_one_unknown_name_among_several_changes_none_of_them(shop: Shop, act: str) -> None:
    shop.run("circuit", "open", "archive")
    before = shop.object("circuit", "list")
    assert shop.code("circuit", act, "primary", "archive", "replicant") == 4
    assert shop.object("circuit", "list") == before


def test_findings_of_status(shop: Shop) -> None:
    """0 → 10 (served by a backup) → 11 (nobody serves), and what --fail-on makes of them."""
    assert shop.code("status") == 0
    shop.take_away("primary")
    assert shop.code("status") == 10
    assert shop.code("status", "primary") == 10
    assert shop.code("status", "replica") == 0
    assert shop.code("status", "--fail-on", "down") == 0
    assert shop.code("watch", "--count", "1") == 10
    shop.take_away("replica", "archive")
    assert shop.code("status") == 11
    assert shop.code("status", "--fail-on", "down") == 11
    assert shop.code("status", "--fail-on", "never") == 0
    assert shop.code("watch", "--count", "1") == 11
    assert shop.code("route", "primary") == 11


def test_what_a_person_holds_is_no_outage(shop: Shop) -> None:
    shop.write(failover="{}")
    shop.run("circuit", "open", "archive")
    assert shop.code("status") == 10
    assert shop.object("status")["summary"]["unserved"] == 0


def test_last_touches_no_database_and_says_when_evidence_lacks(shop: Shop) -> None:
    never = shop.run("status", "--last", "-o", "json")
    assert never.returncode == 12
    assert {one["health"] for one in json.loads(never.stdout)["connections"]} == {"unknown"}
    shop.run("status")
    shop.take_away()
    last = shop.run("status", "--last", "-o", "json")
    assert last.returncode == 0
    assert {one["health"] for one in json.loads(last.stdout)["connections"]} == {"healthy"}
    assert shop.code("status", "--last", "--max-age", "1ms") == 12
    assert shop.code("status", "--last", "--max-age", "1ms", "--fail-on", "never") == 0


def test_named_connections_have_their_backups_checked_and_not_shown(shop: Shop) -> None:
    shown = shop.object("status", "primary")
    assert [one["name"] for one in shown["connections"]] == ["primary"]
    assert shown["summary"]["total"] == 1
    assert [one["reason"] for one in shown["connections"][0]["route"]["candidates"]] == ["healthy"] * 3


def test_exec_codes(shop: Shop) -> None:
    assert shop.code("exec", "primary", "SELEC 1") == 23
    shop.run("circuit", "open", "primary")
    assert shop.code("exec", "primary", "SELECT 1", "--no-failover") == 20
    assert shop.code("exec", "primary", "INSERT INTO who VALUES ('x')") == 24
    shop.run("circuit", "close", "primary")
    shop.take_away()
    ended = shop.run("exec", "primary", "SELECT 1", "-o", "json")
    error = json.loads(ended.stderr.splitlines()[-1])["error"]
    assert (ended.returncode, error["code"], error["kind"], error["connection"]) == (21, 21, "not-found", "archive")
    assert all(name in error["message"] for name in ("primary", "replica", "archive"))
    assert shop.code("exec", "primary", "SELECT 1") == 20


def test_a_refused_login_counts_only_when_no_candidate_is_left(shop: Shop) -> None:
    """22 has no engine here that refuses a login; a file that may not be read comes nearest, and is tried on."""
    shop.database("primary").write_text("this is no database, and far too short to be one")
    assert shop.code("exec", "primary", "SELECT 1") == 0


def test_a_store_that_keeps_nothing_cannot_keep_a_hold(shop: Shop) -> None:
    for act in (("circuit", "open", "primary"), ("circuit", "close", "primary"), ("failback", "primary")):
        assert shop.code("--state", "memory:", *act) == 32
    assert shop.code("--state", "memory:", "status") == 0
    assert shop.code("--state", "memory:", "exec", "primary", "SELECT 1") == 0


def test_no_topology_anywhere(shop: Shop) -> None:
    shop.config.unlink()
    named = shop.run("status")
    assert named.returncode == 3
    assert named.stderr == f"error: the topology {shop.config} does not exist\n"
    searched = shop.run("status", env={"OMNIDB_CONFIG": ""})
    assert searched.returncode == 3
    assert "omnidb.yaml" in searched.stderr
    assert "--config" in searched.stderr


def test_an_error_is_one_object_where_a_program_reads(shop: Shop) -> None:
    shop.write(failover="{primary: nobody, replica: nowhere}")
    for form in ("json", "jsonl"):
        ended = shop.run("status", "-o", form)
        (line,) = ended.stderr.splitlines()
        error = json.loads(line)["error"]
        assert list(error) == ["code", "kind", "message", "connection", "hint"]
        assert error["code"] == 3
        assert error["message"].count(f"\n{shop.config}:6:") == 2


def test_the_format_of_the_environment_yields_where_a_command_lacks_it(shop: Shop) -> None:
    assert shop.run("circuit", "list", env={"OMNIDB_OUTPUT": "csv"}).stdout.startswith("name,state,")
    assert shop.run("state", "show", env={"OMNIDB_OUTPUT": "csv"}).returncode == 0
    assert json.loads(shop.run("state", "show", env={"OMNIDB_OUTPUT": "jsonl"}).stdout)["schema"] == "omnidb.state/v1"
    wrong = shop.run("status", env={"OMNIDB_OUTPUT": "xml"})
    assert (wrong.returncode, "$OMNIDB_OUTPUT" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("limit", [7, 8, 9])
def test_without_descriptors_it_is_this_host_that_is_blamed(shop: Shop, limit: int) -> None:
    """Neither omnidb, which would be 1, nor the rights of a file."""
    shop.run("status")
    for words in (("status",), ("exec", "primary", "SELECT 1"), ("circuit", "open", "replica")):
        ended = shop.run(*words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        assert ended.returncode in {0, 12, 21, 31}, (words, ended)
        assert "Traceback" not in ended.stderr
        assert "check the rights" not in ended.stderr
        if ended.returncode:
            assert "too many files open (ulimit -n)" in ended.stdout + ended.stderr, words
