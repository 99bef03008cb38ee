"""Plain mappings: where the state is (`state show`), and the resolved topology (`config show`)."""

from collections.abc import Mapping

from omnidb_cli.output.report import Cell, Column, Report, Shape, Style, TableView
from omnidb_cli.output.values import text_of

PARTS = (Shape.BODY, Shape.TABLE)

_COLUMNS = (Column(), Column(min_width=20))


def state_document(state: Mapping[str, object]) -> Report:
    """Where the state is and what it holds, a line for each key. The caller's mapping carries its own `schema`."""
    return Report(
        body=state,
        table=lambda: TableView(
            columns=_COLUMNS,
            rows=[
                (Cell(key.replace("_", " "), Style.STRONG), Cell(_said(value)))
                for key, value in state.items()
                if key != "schema"
            ],
        ),
    )


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(text_of, value)) or "none"
    return "none" if value is None else text_of(value)


def config_document(config: Mapping[str, object]) -> Report:
    """The resolved topology; people get it as the YAML that they would write."""
    return Report(body=config, table=lambda: TableView(lines=_yaml_lines(config)))


def _yaml_lines(config: Mapping[str, object]) -> list[tuple[Cell]]:
    from omnidb_cli.output.formats.yaml import yaml_texts

    cells: dict[str, tuple[Cell]] = {}  # most lines of a long topology are there many times
    lines = (line for text in yaml_texts(config) for line in text.splitlines())
    return [cells.setdefault(line, (Cell(line),)) for line in lines]
