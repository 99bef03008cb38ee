"""Documents of a great many connections: their text never stands in memory as a whole."""

import json

import pytest
import yaml

from omnidb_cli.output.report import Report, TableView
from omnidb_cli.output.values import jsonable
from omnidb_cli.output.views.circuits import circuits_document
from omnidb_cli.output.views.status import status_document
from tests.output.scenes import NOW, connection, snapshot, streams

MANY = 1000
STATUS = snapshot(*(connection(f"c{number}") for number in range(MANY)))
DOCUMENTS = {
    "status": status_document(STATUS),
    "circuits": circuits_document([(one.name, one.circuit) for one in STATUS.connections], now=NOW),
}


def pieces(form: str, document: Report, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written, as it is written."""
    written: list[str] = []
    out = streams(form)
    monkeypatch.setattr(out.out, "write", written.append)
    out.show(document)
    return written


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_object_is_written_a_piece_at_a_time(form: str, document: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    written = pieces(form, document, monkeypatch)
    text = "".join(written)
    read = json.loads(text) if form == "json" else yaml.safe_load(text)
    assert read == jsonable(document.body)
    assert max(map(len, written)) < len(text) / 4


VALUES = (
    {},
    {"a": {}, "b": [], "c": [{}], "d": [[1, [2]], {"e": {"f": [None, True, 1.5, -3, 'x"\né']}}]},
    {"a": ({"b": (1, 2)}, "c"), "nested": {"one": {"two": {"three": [4]}}}},
    [1, {"a": [2]}],
    "text",
    None,
)


@pytest.mark.parametrize("body", VALUES, ids=repr)
@pytest.mark.parametrize("unicode", [True, False])
def test_in_pieces_or_not_the_text_is_the_same(body: object, unicode: bool) -> None:
    document = Report(body=body, table=TableView)
    out = streams("json")
    out.unicode = unicode
    out.show(document)
    assert out.out.getvalue() == json.dumps(body, ensure_ascii=not unicode, indent=2) + "\n"
    out = streams("yaml")
    out.show(document)
    assert yaml.safe_load(out.out.getvalue()) == jsonable(body)
