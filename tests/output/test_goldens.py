"""Every document in every format that it has, piped and on terminals of four widths."""

from collections.abc import Callable

import pytest

from omnidb_cli.cli.verdict import verdict
from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.formats import allowed_formats
from omnidb_cli.output.report import Report
from omnidb_cli.output.views.circuits import circuits_document
from omnidb_cli.output.views.config import validity_document
from omnidb_cli.output.views.events import event_document, events_document
from omnidb_cli.output.views.plain import config_document, state_document
from omnidb_cli.output.views.route import route_document
from omnidb_cli.output.views.status import status_document
from tests.output.scenes import (
    NOW,
    all_well,
    dead_standby,
    events,
    fleet,
    isolated,
    parted,
    route,
    shop,
    streams,
)


def found(snapshot: Snapshot, program: str = "omnidb") -> Report:
    """The status as the command shows it, with its finding."""
    finding = verdict(snapshot, program=program)
    return status_document(snapshot, program=program, finding=finding, exit_code=finding.code)


DOCUMENTS: dict[str, Report] = {
    "status": found(shop(), "omnidb -c shop.yaml"),
    "status-well": found(all_well()),
    "status-standby": found(dead_standby()),
    "status-split-brain": found(parted(), "omnidb -c shop.yaml"),
    "status-isolated": found(isolated()),
    "status-grouped": found(fleet(60, broken=20)),
    "circuits": circuits_document([(one.name, one.circuit) for one in shop().connections], now=NOW),
    "route": route_document(route()),
    "events": events_document(events()),
    "event": event_document(events()[3]),
    "validity": validity_document("/etc/omnidb/omnidb.yaml", "shop", 3),
    "state": state_document(
        {"schema": "omnidb.state/v1", "url": "sqlite:////x.db", "size_bytes": 4096, "writers": ["a@b", "c@d"]}
    ),
    "config": config_document({"name": "shop", "connections": {"primary": {"url": "sqlite:///a.db", "tags": ["eu"]}}}),
}
WIDTHS = (60, 80, 120, 200)


@pytest.mark.parametrize(
    ("name", "form"), [(name, form) for name, one in DOCUMENTS.items() for form in allowed_formats(one.parts)]
)
def test_piped(name: str, form: str, golden: Callable[[str, str], None]) -> None:
    piped = streams(form)
    piped.show(DOCUMENTS[name])
    golden(f"{name}.piped.{form}", piped.out.getvalue())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_on_a_terminal(name: str, width: int, golden: Callable[[str, str], None]) -> None:
    terminal = streams(terminal=True, width=width, no_color=True)
    terminal.show(DOCUMENTS[name])
    drawn = terminal.out.getvalue()
    assert max(map(len, drawn.splitlines())) <= width
    golden(f"{name}.terminal-{width}.txt", drawn)


def test_in_colour(golden: Callable[[str, str], None]) -> None:
    terminal = streams(terminal=True, width=100)
    terminal.show(DOCUMENTS["status"])
    golden("status.colour.txt", terminal.out.getvalue())


def test_every_output_is_covered() -> None:
    drawn = {form for one in DOCUMENTS.values() for form in allowed_formats(one.parts)}
    assert drawn == {"table", "json", "jsonl", "yaml", "csv", "tsv", "name"}
