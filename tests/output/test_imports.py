"""What is imported when: Rich only for a terminal, PyYAML only for YAML."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.path.insert(0, ".")
from tests.output.scenes import shop, streams
from omnidb_cli.output.results.model import ResultSummary
from omnidb_cli.output.results.writer import open_result_writer
from omnidb_cli.output.views.status import status_document
to = streams({form!r}, terminal={terminal})
to.show(status_document(shop()))
to.warning("w")
if {form!r} != "name":
    writer = open_result_writer(to)
    writer.begin(("a",)); writer.rows([(1,)]); writer.end(ResultSummary("a", "a", False, "", 1.0, 1, "SELECT"))
print(*sorted({{"rich", "yaml", "asyncio", "json", "csv", "logging", "inspect", "decimal"}} & set(sys.modules)))
"""


def modules(form: str, *, terminal: bool) -> set[str]:
    script = SCRIPT.format(form=form, terminal=terminal)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split()) - {"inspect", "decimal"}  # msgspec brings them


@pytest.mark.parametrize(
    ("form", "needs"),
    [
        ("table", set()),
        ("csv", set()),
        ("tsv", set()),
        ("name", set()),
        ("json", {"json"}),
        ("jsonl", {"json"}),
        ("yaml", {"yaml"}),
    ],
)
def test_a_pipe_needs_no_more_than_its_format(form: str, needs: set[str]) -> None:
    assert modules(form, terminal=False) == needs


def test_a_terminal_needs_rich() -> None:
    assert "rich" in modules("table", terminal=True)
