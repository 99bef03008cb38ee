"""The status object and its table hold to the contract."""

import csv
import io
import json

import pytest
from msgspec.structs import replace

from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.report import Cell, Style
from omnidb_cli.output.views.finding import Finding
from omnidb_cli.output.views.status import HEADER, status_document
from tests.output.scenes import (
    all_well,
    connection,
    dead_standby,
    fleet,
    isolated,
    parted,
    shop,
    snapshot,
    streams,
)


def shown(of: Snapshot, form: str, **settings: object) -> str:
    to = streams(form, **settings)
    to.show(status_document(of))
    return to.out.getvalue()


def test_the_object_has_every_key_of_the_contract_and_no_other() -> None:
    found = json.loads(shown(shop(), "json"))
    assert list(found) == ["schema", "topology", "taken_at", "summary", "connections"]
    assert found["schema"] == "omnidb.status/v1"
    assert found["taken_at"] == "2026-11-23T07:30:00.123456Z"
    assert found["summary"] == {
        "total": 7,
        "healthy": 4,
        "degraded": 1,
        "unhealthy": 1,
        "unknown": 1,
        "open_circuits": 3,
        "held": 1,
        "failovers": 1,
        "unserved": 1,
        "standbys_down": 0,
        "split_brains": 0,
    }
    for one in found["connections"]:
        assert list(one) == [
            "name", "engine", "address", "tags", "health", "health_since", "latency_ms", "checked_at", "error", "role",
            "lag_seconds", "circuit", "route",
        ]  # fmt: skip
        assert list(one["circuit"]) == [
            "state", "manual", "reason", "actor", "failures", "successes", "opened_at", "retry_at", "held_until",
        ]  # fmt: skip
        assert list(one["route"]) == ["serving", "failover", "reason", "candidates"]
    assert found["connections"][0]["error"] == {"kind": "refused", "message": "connection refused"}


def test_a_line_of_watch_is_the_same_object() -> None:
    to = streams("table")
    to.show_line(status_document(shop()))
    assert to.out.getvalue().count("\n") == 1
    assert json.loads(to.out.getvalue()) == json.loads(shown(shop(), "json"))


def test_csv_has_exactly_the_columns_of_the_contract() -> None:
    columns = (
        "name,engine,address,health,circuit,manual,serving,failover,role,lag_seconds,latency_ms,checked_at,"
        "error_kind,error"
    )
    rows = list(csv.DictReader(io.StringIO(shown(shop(), "csv"))))
    assert ",".join(HEADER) == columns
    assert ",".join(rows[0]) == columns
    assert rows[0]["error_kind"] == "refused"
    assert rows[0]["manual"] == "false"
    assert rows[4]["manual"] == "true"


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_the_header_can_be_left_out(form: str) -> None:
    assert shown(shop(), form).splitlines()[1:] == shown(shop(), form, headers=False).splitlines()


@pytest.mark.parametrize("size", [20, 63])
def test_the_four_columns_survive_sixty_columns_with_long_names(size: int) -> None:
    long = connection("x" * size, address="y" * 200)
    text = shown(snapshot(long), "table", terminal=True, width=60, no_color=True)
    assert text.splitlines()[2].split()[:4] == ["NAME", "HEALTH", "CIRCUIT", "ROUTE"]
    assert text.count("x") >= size
    assert max(map(len, text.splitlines())) <= 60


def test_a_pipe_cuts_nothing() -> None:
    long = connection("x" * 63, address="y" * 300)
    text = shown(snapshot(long), "table", width=60)
    assert "x" * 63 in text
    assert "y" * 300 in text


def test_a_column_in_which_nobody_has_anything_is_left_out() -> None:
    assert "LAG" in shown(all_well(), "table")
    without = tuple(replace(one, lag_seconds=None) for one in all_well().connections)
    assert "LAG" not in shown(replace(all_well(), connections=without), "table")


def test_no_connection_at_all_still_draws() -> None:
    empty = snapshot(topology=None)
    assert shown(empty, "table").startswith("0 connections · 2026-11-23 07:30:00 UTC\n")
    assert "0 connections" in shown(empty, "table", terminal=True, width=60)


@pytest.mark.parametrize(("width", "told"), [(60, False), (100, True)])
def test_a_command_is_never_broken_and_is_explained_where_there_is_room(width: int, told: bool) -> None:
    program = "omnidb -c /etc/omnidb/shop.yaml"
    to = streams(terminal=True, width=width, no_color=True)
    to.show(status_document(shop(), program=program))
    lines = [line for line in to.out.getvalue().splitlines() if line.startswith("next: ")]
    assert [line.removeprefix(f"next: {program} ").split(" ")[0] for line in lines] == ["route", "events", "circuit"]
    assert all(("#" in line) is told for line in lines)


def test_nothing_of_the_core_leaks_into_the_object() -> None:
    found = json.loads(shown(parted(), "json"))
    assert list(found) == ["schema", "topology", "taken_at", "summary", "connections"]
    assert found["summary"]["split_brains"] == 1
    assert found["summary"]["standbys_down"] == 0
    assert {tuple(one["route"]) for one in found["connections"]} == {("serving", "failover", "reason", "candidates")}


def test_a_standby_that_is_down_is_no_outage() -> None:
    table = status_document(dead_standby()).table()
    assert Cell("1 standby down", Style.WARN) in table.title
    assert not any("unserved" in cell.text for cell in table.title)
    routes = [row[3] for row in table.rows]
    assert routes == [Cell("direct", Style.QUIET), Cell("– none", Style.WARN)]


def test_what_is_unserved_is_one() -> None:
    assert Cell("✗ none", Style.BAD) in status_document(isolated()).table().rows[0]


def test_since_when_is_shown_where_there_is_room() -> None:
    assert "SINCE (UTC)" in shown(shop(), "table", terminal=True, width=160)
    assert "07:29 (41s)" in shown(shop(), "table")
    assert "SINCE" not in shown(shop(), "table", terminal=True, width=60)
    assert json.loads(shown(shop(), "json"))["connections"][0]["health_since"] == "2026-11-23T07:29:19.123456Z"


def test_old_evidence_is_not_called_healthy_without_saying_when() -> None:
    title = status_document(all_well(), finding=Finding(12, "old", is_stale=True)).table().title
    assert Cell("2 connections, all healthy when last checked", Style.WARN) in title


def test_the_reason_of_the_exit_code_stands_under_the_table() -> None:
    to = streams(terminal=True, width=80, no_color=True)
    to.show(status_document(shop(), finding=Finding(12, "never checked", "isolated"), exit_code=12))
    text = to.out.getvalue()
    assert text.startswith("✗ isolated\n\nshop · ")
    assert text.index("archive has never") < text.index("\nexit code 12: never checked\n") < text.index("next: ")


def test_the_names_that_share_a_sentence_are_all_there_in_a_pipe_and_bounded_on_a_terminal() -> None:
    many = fleet(400, broken=100)
    piped = shown(many, "table")
    assert all(piped.count(one.name) >= 2 for one in many.connections if one.error)
    drawn = shown(many, "table", terminal=True, width=80, no_color=True)
    sentence = drawn[drawn.index("100 connections are") :].partition("\n\n")[0]
    assert sentence.endswith(" more")
    assert 2 <= len(sentence.splitlines()) <= 4
