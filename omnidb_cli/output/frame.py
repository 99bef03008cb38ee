"""What the live screen shows at one moment and one size: pure, from a scene to a drawing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.text import Text

from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot
from omnidb_cli.output import words
from omnidb_cli.output.document import Cell, Column, Line, Style, TableView, with_texts
from omnidb_cli.output.terminal import joined, rendered, table
from omnidb_cli.output.views.events import EventObject, event_line, event_time
from omnidb_cli.output.views.problems import problems
from omnidb_cli.output.views.status import status_table, status_title
from omnidb_cli.tuples import NamedTuple

_ROOMY = 16
"""From this many lines on, blank ones set the parts of the screen apart."""

_RULER = Console(file=StringIO(), width=80)
_HEADER = 2
_MOST_EVENTS = 10
_EVENT_COLUMNS = (Column(), Column(), Column(priority=1), Column(min_width=20), Column(priority=2))


class Scene(NamedTuple):
    """Everything on the screen. `events` are the last ones, oldest first; `stale` says why nothing is newer."""

    snapshot: Snapshot | None = None
    events: tuple[EventObject, ...] = ()
    next_look_at: datetime | None = None
    stale: str | None = None


class Plan(NamedTuple):
    """How many rows, sentences and events there is room for."""

    rows: int
    problems: int
    events: int


def frame(scene: Scene, *, now: datetime, size: tuple[int, int], clean: Callable[[str], str] = str) -> RenderableType:
    """The screen at `now`, never larger than `size` (columns, lines); `clean` goes over every text."""
    if scene.snapshot is None:
        return Group(_line((Cell("looking at every connection …", Style.QUIET),)), _foot(scene, now))
    width, height = size
    gap = 1 if height >= _ROOMY else 0
    head = _head(scene, scene.snapshot, now, clean)
    ranked = sorted(scene.snapshot.connections, key=words.urgency)
    troubled = sum(not words.is_well(one) for one in ranked)
    room = height - len(head) - 1 - _HEADER - 2 * gap
    plan = plan_lines(room, troubled=troubled, rows=len(ranked), events=len(scene.events), gap=gap)
    spare = room - sum(plan) - gap * ((plan.problems > 0) + (plan.events > 0)) - (plan.rows < len(ranked))
    said, spare = _problems(ranked[: plan.problems], now, width, spare, clean)
    parts = (
        head,
        _rows(scene.snapshot, ranked, plan, now, width, clean),
        said,
        _events(scene.events[len(scene.events) - plan.events :], now, width, spare, clean),
        [_foot(scene, now)],
    )
    return Group(*_set_apart(parts, gap))


def plan_lines(room: int, *, troubled: int, rows: int, events: int, gap: int) -> Plan:
    """How `room` lines are shared out. Where not every row fits, one line says how many are hidden.

    First come the rows of what is not well, then a few sentences about them and the last few events, then the
    healthy rows, then the rest of the sentences and of the events.
    """
    plan = _shared_out(room, troubled, rows, events, gap)
    return plan if plan.rows == rows else _shared_out(room - 1, troubled, rows, events, gap)


def _shared_out(room: int, troubled: int, rows: int, events: int, gap: int) -> Plan:
    assured = max(3, room // 6)
    shown = max(0, min(troubled, room))
    left = room - shown
    said = max(0, min(troubled, assured, left - gap))
    left -= said + gap * (said > 0)
    told = max(0, min(events, assured, left - gap))
    left -= told + gap * (told > 0)
    healthy = max(0, min(rows - troubled, left))
    left -= healthy
    more_said = min(troubled - said, left) if said else 0
    more_told = min(min(events, _MOST_EVENTS) - told, left - more_said) if told else 0
    return Plan(shown + healthy, said + max(0, more_said), told + max(0, more_told))


def _head(scene: Scene, snapshot: Snapshot, now: datetime, clean: Callable[[str], str]) -> list[RenderableType]:
    title = with_texts(TableView(title=status_title(snapshot)[:-1]), clean).title
    lines: list[RenderableType] = [_line(title, " · ")]
    if scene.stale is not None:
        age = words.age(snapshot.taken_at, now)
        lines.append(_line((Cell("✗", Style.BAD), Cell(f"as it was {age}: {clean(scene.stale)}", Style.BAD))))
    return lines


def _rows(
    snapshot: Snapshot,
    ranked: Sequence[ConnectionSnapshot],
    plan: Plan,
    now: datetime,
    width: int,
    clean: Callable[[str], str],
) -> list[RenderableType]:
    """The table of the most urgent connections, in the topology's order, and how many are left out."""
    chosen = {one.name for one in ranked[: plan.rows]}
    shown = tuple(one for one in snapshot.connections if one.name in chosen)
    view = with_texts(status_table(replace(snapshot, connections=shown), now=now), clean)
    hidden = ranked[plan.rows :]
    drawn = [table(view, width=width, fold=False)] if shown else []
    return [*drawn, _line((Cell(_left_out(hidden), Style.QUIET),))] if hidden else [*drawn]


def _left_out(hidden: Sequence[ConnectionSnapshot]) -> str:
    well = sum(map(words.is_well, hidden))
    counts = [f"{well} healthy"] if well else []
    counts += [f"{len(hidden) - well} not well: a larger window shows them"] if well < len(hidden) else []
    return f"… and {', '.join(counts)}"


def _problems(
    troubled: Sequence[ConnectionSnapshot], now: datetime, width: int, spare: int, clean: Callable[[str], str]
) -> tuple[list[RenderableType], int]:
    """A sentence each, and the lines left of `spare`: each takes as many more as it needs, while there are."""
    drawn: list[RenderableType] = []
    for note in (note for one in troubled for note in problems(one, now)):
        line = _line((note.mark, Cell(clean(note.text))))
        more = len(line.wrap(_RULER, width, no_wrap=False)) - 1
        if more <= spare:
            line.no_wrap, line.overflow = False, "fold"
            spare -= more
        drawn.append(line)
    return drawn, spare


def _events(
    events: Sequence[EventObject], now: datetime, width: int, spare: int, clean: Callable[[str], str]
) -> list[RenderableType]:
    """A line each; whole where `spare` more lines are enough for all of them."""
    if not events:
        return []
    lines = [(Cell(words.time_of_day(event_time(event), now), Style.QUIET), *event_line(event)[1:]) for event in events]
    rows = [(*line, Cell(""))[: len(_EVENT_COLUMNS)] for line in lines]
    view = with_texts(TableView(columns=_EVENT_COLUMNS, rows=rows), clean)
    whole = table(view, width=width, fold=True)
    more = len(rendered(whole, width=width, color=False).splitlines()) - len(events)
    return [whole if more <= spare else table(view, width=width, fold=False)]


def _foot(scene: Scene, now: datetime) -> Text:
    wait = (scene.next_look_at - now).total_seconds() if scene.next_look_at else 0
    coming = f"next look in {words.whole_seconds(wait)}" if wait > 0 else "looking now"
    clock = words.day_and_time(now).split(" ")[1]
    return _line(
        (Cell(f"{clock} UTC", Style.QUIET), Cell(coming, Style.QUIET), Cell("Ctrl-C ends", Style.QUIET)), " · "
    )


def _line(line: Line, separator: str = " ") -> Text:
    text = joined(line, separator)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _set_apart(parts: Sequence[Sequence[RenderableType]], gap: int) -> list[RenderableType]:
    drawn: list[RenderableType] = []
    for part in filter(None, parts):
        drawn += [Text("")] * gap if drawn else []
        drawn += part
    return drawn
