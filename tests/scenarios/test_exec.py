"""`exec`: who serves, what is remembered of the way there, and what is never done."""

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.shop import Shop, until

WHO = "SELECT name FROM who"


def served(shop: Shop, *arguments: str) -> str:
    """Who served `SELECT name FROM who` on primary: the row says it, and so does the result."""
    answer = shop.object("exec", "primary", WHO, *arguments)
    assert answer["rows"] == [[answer["served_by"]]]
    assert answer["failover"] is (answer["served_by"] != "primary")
    found: str = answer["served_by"]
    return found


def test_a_healthy_exec_creates_no_state_and_writes_to_none(shop: Shop) -> None:
    assert served(shop) == "primary"
    assert not (shop.folder / "state").exists()
    shop.run("status")
    files = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in shop.state.parent.iterdir()}
    assert served(shop) == "primary"
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in shop.state.parent.iterdir()} == files


def test_a_connect_that_fails_is_a_failed_check_and_the_next_one_goes_to_the_backup_at_once(shop: Shop) -> None:
    shop.take_away("primary")
    assert served(shop) == "replica"
    assert shop.connection("primary", "--last")["health"] == "unhealthy"
    assert shop.circuit("primary")["reason"] == "health-check-failed"
    assert shop.events() == ["health:changed primary", "circuit:open primary", "failover primary"]
    shop.bring_back("primary")
    assert served(shop) == "replica"  # nobody has checked again: the verdict stands
    assert len(shop.events()) == 3


def test_it_heals_without_a_watcher_when_the_bad_check_is_old(shop: Shop) -> None:
    shop.write(breaker="{threshold: 3, reset_timeout: 1ms, half_open_successes: 2}")
    shop.take_away("primary")
    assert served(shop) == "replica"
    shop.bring_back("primary")
    assert served(shop) == "replica"  # checked again, half-open: proved by checks, behind the ready one
    assert shop.circuit("primary")["state"] == "half-open"
    assert served(shop) == "primary"
    assert shop.events("--name", "primary")[3:] == [
        "health:changed primary",
        "circuit:half-open primary",
        "circuit:close primary",
        "recovery primary",
    ]


def test_it_heals_where_failover_is_not_wanted(shop: Shop) -> None:
    shop.write(breaker="{threshold: 3, reset_timeout: 1ms, half_open_successes: 1}")
    shop.take_away("primary")
    assert shop.code("exec", "primary", WHO, "--no-failover") == 21
    shop.bring_back("primary")
    assert served(shop, "--no-failover") == "primary"


def test_a_typo_never_opens_a_circuit(shop: Shop) -> None:
    assert {shop.code("exec", "primary", "SELEC 1") for _ in range(6)} == {23}
    assert (shop.circuit("primary")["state"], shop.circuit("primary")["failures"]) == ("closed", 0)


def test_a_write_is_refused_on_a_backup_until_somebody_allows_it(shop: Shop) -> None:
    shop.run("circuit", "open", "primary")
    write = ("exec", "primary", "INSERT INTO who VALUES ('new')")
    refused = shop.run(*write)
    assert (refused.returncode, refused.stdout) == (24, "")
    assert '"replica" serves "primary" as a backup (primary held by ' in refused.stderr
    assert "--allow-write-on-backup" in refused.stderr
    assert shop.code(*write, "--allow-write-on-backup") == 0
    shop.write(failover="{primary: {to: replica, writes: allow}}")
    assert shop.code(*write) == 0
    with closing(sqlite3.connect(shop.database("replica"))) as db:
        assert db.execute("SELECT count(*) FROM who WHERE name = 'new'").fetchone() == (2,)


def test_where_the_statement_comes_from(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT ?, ?\n")
    given = ("--param", "a", "--param", "--b", "-o", "csv", "--no-headers")
    assert shop.run("exec", "primary", "--file", "a.sql", *given).stdout == "a,--b\n"
    assert shop.run("exec", "primary", "-", *given, stdin="SELECT ?, ?").stdout == "a,--b\n"
    assert shop.run("exec", "primary", "SELECT ?, ?", *given).stdout == "a,--b\n"
    assert shop.code("exec", "primary", "-") == 2  # nothing on standard input is no statement


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "tsv", "yaml"])
def test_the_receipt_goes_to_stderr_and_the_rows_to_stdout(shop: Shop, form: str) -> None:
    ended = shop.run("exec", "primary", WHO, "-o", form)
    assert "primary" in ended.stdout
    if form in ("json", "jsonl"):
        assert json.loads(ended.stderr)["receipt"]["served_by"] == "primary"
    else:
        assert ended.stderr.startswith("served by primary in ")


def test_the_time_limit_counts_the_wait_for_a_lock(shop: Shop) -> None:
    with closing(sqlite3.connect(shop.database("primary"), isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        ended = shop.run("exec", "primary", "INSERT INTO who VALUES ('x')", "--timeout", "300ms", "-o", "json")
    error = json.loads(ended.stderr.splitlines()[-1])["error"]
    assert (ended.returncode, error["code"], error["kind"]) == (21, 21, "timeout")


def test_a_runaway_statement_is_stopped_at_the_time_limit(shop: Shop) -> None:
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    ended = shop.run("exec", "primary", forever, "--timeout", "300ms")
    assert ended.returncode == 21
    assert "300ms" in ended.stderr
    assert shop.circuit("primary")["failures"] == 1


def test_nothing_is_run_twice(shop: Shop) -> None:
    """A statement that broke off somewhere is repeated nowhere, however healthy the backups are."""
    wrong = "INSERT INTO who SELECT name || '2' FROM who UNION ALL SELECT abs(-9223372036854775808)"
    assert shop.code("exec", "primary", wrong, "--allow-write-on-backup") == 23
    for name in ("primary", "replica"):
        with closing(sqlite3.connect(shop.database(name))) as db:
            assert db.execute(WHO).fetchall() == [(name,)]


def test_holds_are_respected_where_circuits_are_turned_off(shop: Shop) -> None:
    shop.write(breaker="false")
    assert shop.circuit("primary")["state"] == "disabled"
    shop.run("circuit", "open", "primary", "replica", "archive", "--force")
    assert shop.code("exec", "primary", WHO) == 20
    shop.run("circuit", "close", "archive")
    assert served(shop) == "archive"


def test_without_circuits_the_connection_itself_is_the_last_resort(shop: Shop) -> None:
    shop.write(breaker="false", failover="{}")
    shop.take_away("primary")
    assert shop.code("exec", "primary", WHO) == 21
    shop.bring_back("primary")
    assert served(shop) == "primary"


def test_an_unreadable_state_stops_those_who_could_overlook_a_hold_and_only_them(shop: Shop) -> None:
    shop.run("circuit", "open", "primary")
    shop.state.write_bytes(b"not a database" * 100)
    for command in (("exec", "primary", WHO), ("circuit", "open", "replica"), ("failback", "primary"), ("events",)):
        ended = shop.run(*command)
        assert (ended.returncode, ended.stdout) == (31, "")
        assert "state file" in ended.stderr
    for check in (("status",), ("status", "--last"), ("route", "primary"), ("circuit", "list"), ("watch", "--count=1")):
        ended = shop.run(*check)
        assert ended.returncode in {0, 12}
        assert ended.stdout
        assert ended.stderr.startswith("warning: state not available")
    assert shop.state.read_bytes() == b"not a database" * 100
    assert shop.code("state", "reset") == 32
    assert shop.state.read_bytes() == b"not a database" * 100
    shop.state.unlink()
    assert served(shop) == "primary"


def test_others_need_not_wait_for_the_end_of_a_long_statement_to_learn_of_a_dead_primary(shop: Shop) -> None:
    shop.take_away("primary")
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    running = shop.start("exec", "primary", forever)
    until(lambda: shop.state.exists() and shop.circuit("primary")["state"] == "open", "the circuit opens")
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130


def test_what_a_statement_without_rows_did_goes_to_stderr(shop: Shop) -> None:
    ended = shop.run("exec", "primary", "INSERT INTO who VALUES ('a'), ('b')")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("INSERT 2; served by primary in ")
    ended = shop.run("exec", "primary", "CREATE TABLE more (a)")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("CREATE")


TEXT = "SELECT 'a' || char(13, 10) || char(27) || '[2Jb'"


def test_raw_prints_a_column_as_the_server_sent_it(shop: Shop) -> None:
    ended = subprocess.run(
        shop.command("exec", "primary", f"{TEXT} UNION ALL SELECT x'00ff0a'", "--raw"),
        cwd=shop.folder,
        env=shop.env,
        capture_output=True,
        check=True,
        timeout=shop.limit_s,
    )
    assert ended.stdout == b"a\r\n\x1b[2Jb\n\x00\xff\n\n"
    assert ended.stderr.startswith(b"served by primary in ")


def test_without_raw_nothing_of_a_text_does_anything(shop: Shop) -> None:
    assert shop.run("exec", "primary", TEXT).stdout == "a\n\\x1b[2Jb\n"


def test_raw_is_for_a_single_column_and_counts_no_failure(shop: Shop) -> None:
    for _ in range(4):
        ended = shop.run("exec", "primary", "SELECT 1 AS a, 2 AS b", "--raw")
        assert ended.returncode == 2
        assert ended.stdout == ""
        said = " ".join(ended.stderr.split())
        assert "prints a single column, and the result of this statement has 2: a, b" in said
    assert shop.circuit("primary")["state"] == "closed"
    assert shop.code("exec", "primary", "SELECT 1", "--raw", "-o", "json") == 2


def test_the_count_says_how_many_rows_are_shown_and_how_many_there_are(shop: Shop) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n"
    ended = shop.run("exec", "primary", sql, env={"FORCE_COLOR": "1", "NO_COLOR": "", "COLUMNS": "80"})
    assert "200" in ended.stdout
    assert "201" not in ended.stdout
    assert "200 of 10,000 rows shown" in ended.stderr
    assert ended.stderr.rstrip().removesuffix("\x1b[0m").endswith(", 10,000 rows")
    piped = shop.run("exec", "primary", sql)
    assert {len(line) for line in piped.stdout.splitlines()} == {5}  # aligned from the first row to the last


def refusal(shop: Shop, *options: str) -> tuple[int, dict[str, str]]:
    """The exit code and the error of a statement that nobody could be asked."""
    ended = shop.run("exec", "primary", WHO, *options, "-o", "json")
    return ended.returncode, json.loads(ended.stderr.splitlines()[-1])["error"]


def test_an_error_names_every_connection_that_was_tried(shop: Shop) -> None:
    for name in ("primary", "replica", "archive"):
        shop.take_away(name)
    code, error = refusal(shop)
    assert (code, error["connection"]) == (21, "archive")
    for name in ("primary", "replica", "archive"):
        assert f'"{name}": ' in error["message"]
    shop.run("circuit", "close", "primary")
    code, error = refusal(shop, "--no-failover")
    assert (code, error["connection"]) == (21, "primary")
    assert '"primary": ' in error["message"]
    assert "replica" not in error["message"]


def test_an_error_says_why_the_others_were_not_tried(shop: Shop) -> None:
    shop.run("circuit", "open", "replica", "archive", "--reason", "disk swap")
    shop.take_away("primary")
    code, error = refusal(shop)
    assert (code, error["connection"]) == (21, "primary")
    for name in ("replica", "archive"):
        assert f'"{name}" held by' in error["message"]
