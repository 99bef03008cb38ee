"""What the live screen shows at one moment and one size: pure, from a scene to a drawing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from io import StringIO

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console, Group, RenderableType
from rich.text import Text

from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot
from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Column, Line, Note, Style, TableView, with_texts
from omnidb_cli.output.terminal.drawing import joined, rendered, table
from omnidb_cli.output.terminal.layout import with_names
from omnidb_cli.output.views.events import EventObject, event_line, event_time
from omnidb_cli.output.views.finding import NOTHING_FOUND, Finding
from omnidb_cli.output.views.problems import problems
from omnidb_cli.output.views.status import status_rows, status_title

_ROOMY = 16
"""From this many lines on, blank ones set the parts of the screen apart."""

_RULER = Console(file=StringIO(), width=80)
_HEADER = 2
_MOST_EVENTS = 10
_NAME_LINES = 2
"""So many further lines the names of those who share a sentence may take."""

_EVENT_COLUMNS = (Column(), Column(), Column(), Column(priority=1, min_width=12), Column(priority=2))

Clean = Callable[[str], str]


class ScreenState(Struct, frozen=True):
    """Everything on the screen. `events` are the last ones, oldest first; `stale` says why nothing is newer.

    `ended` says how it ended: then nothing follows, and the countdown gives way to it.
    """

    snapshot: Snapshot | None = None
    events: tuple[EventObject, ...] = ()
    next_check_at: datetime | None = None
    stale: str | None = None
    finding: Finding = NOTHING_FOUND
    ended: str | None = None


class LineBudget(Struct, frozen=True):
    """How many rows, sentences and events there is room for."""

    rows: int
    problems: int
    events: int

    @property
    def total(self) -> int:
        """The lines of all three."""
        return self.rows + self.problems + self.events


def frame(scene: ScreenState, *, now: datetime, size: tuple[int, int], clean: Clean = str) -> RenderableType:
    """The screen at `now`, never larger than `size` (columns, lines); `clean` goes over every text."""
    if scene.snapshot is None:
        return Group(
            *([] if scene.ended else [_line((Cell("checking every connection …", Style.QUIET),))]), _foot(scene, now)
        )
    width, height = size
    snapshot = scene.snapshot
    gap = 1 if height >= _ROOMY else 0
    head = [
        *_alarms(scene, now, size, clean),
        _line(_cleaned(status_title(snapshot, scene.finding)[:-1], clean), " · "),
    ]
    ranked = sorted(snapshot.connections, key=lambda one: words.urgency(one, snapshot))
    notes = problems(snapshot, now)
    troubled = sum(not words.is_well(one) for one in ranked)
    room = height - len(head) - 1 - _HEADER - 2 * gap
    counts = {"troubled": troubled, "rows": len(ranked), "problems": len(notes), "events": len(scene.events)}
    plan = plan_lines(room, **counts, gap=gap)
    spare = room - plan.total - gap * ((plan.problems > 0) + (plan.events > 0)) - (plan.rows < len(ranked))
    if not spare and plan.rows < troubled:  # rather one row less than a reason that breaks off
        more = min(_NAME_LINES, plan.rows // 2)
        plan, spare = replace(plan, rows=plan.rows - more), more
    said, spare = _problems(notes[: plan.problems], width, spare, clean)
    parts = (
        head,
        _rows(snapshot, ranked, plan, now, width, clean),
        said,
        _events(scene.events[len(scene.events) - plan.events :], now, width, spare, clean),
        [_foot(scene, now)],
    )
    return Group(*_set_apart(parts, gap))


def plan_lines(room: int, *, troubled: int, rows: int, problems: int, events: int, gap: int) -> LineBudget:
    """How `room` lines are shared out. Where not every row fits, one line says how many are hidden.

    First come a few sentences about what is not well, one at the least, then the rows of what is not well, then the
    last few events, then the healthy rows, then the rest of the sentences and of the events.
    """
    plan = _shared_out(room, troubled, rows, problems, events, gap)
    return plan if plan.rows == rows else _shared_out(room - 1, troubled, rows, problems, events, gap)


def _shared_out(room: int, troubled: int, rows: int, problems: int, events: int, gap: int) -> LineBudget:
    assured = max(3, room // 6)
    said = max(0, min(problems, max(1, min(assured, room // 3)), room - gap))
    left = room - said - gap * (said > 0)
    shown = max(0, min(troubled, left))
    left -= shown
    more_said = max(0, min(min(problems, assured) - said, left))
    said, left = said + more_said, left - more_said
    told = max(0, min(events, assured, left - gap))
    left -= told + gap * (told > 0)
    healthy = max(0, min(rows - troubled, left))
    left -= healthy
    more_said = min(problems - said, left) if said else 0
    more_told = min(min(events, _MOST_EVENTS) - told, left - more_said) if told else 0
    return LineBudget(shown + healthy, said + max(0, more_said), told + max(0, more_told))


def _alarms(scene: ScreenState, now: datetime, size: tuple[int, int], clean: Clean) -> list[Text]:
    """What goes before everything else: a host that may be isolated, a split brain, a store that cannot be read."""
    alarms = [scene.finding.reason] if scene.finding.headline else []
    if scene.stale is not None and scene.snapshot is not None:
        age = words.age(scene.snapshot.taken_at, now)
        alarms.append(scene.stale if age == words.JUST_NOW else f"stale, updated {age}: {scene.stale}")
    return [line for alarm in alarms for line in _unfolded(f"✗ {clean(alarm)}", size)]


def _unfolded(text: str, size: tuple[int, int]) -> list[Text]:
    """The lines of an alarm, as many as a screen of that size has room for."""
    return _first_lines(_line((Cell(text, Style.BAD),)), size[0], max(1, size[1] // 6))


def _first_lines(text: Text, width: int, most: int) -> list[Text]:
    """The text wrapped, no more than `most` lines of it."""
    lines = text.wrap(_RULER, width, no_wrap=False)
    shown = [_one_line(line) for line in lines[:most]]
    if len(lines) > most:
        shown[-1].rstrip()
        shown[-1].append(" …")
    return shown


def _lines_of(line: Text, width: int) -> int:
    """How many lines it takes where it is wrapped."""
    return len(line.wrap(_RULER, width, no_wrap=False))


def _cleaned(line: Line, clean: Clean) -> Line:
    return with_texts(TableView(title=line), clean).title


def _rows(
    snapshot: Snapshot,
    ranked: Sequence[ConnectionSnapshot],
    plan: LineBudget,
    now: datetime,
    width: int,
    clean: Clean,
) -> list[RenderableType]:
    """The table of the most urgent connections, in the topology's order, and how many are left out."""
    chosen = {one.name for one in ranked[: plan.rows]}
    shown = tuple(one for one in snapshot.connections if one.name in chosen)
    columns, rows = status_rows(replace(snapshot, connections=shown), now=now)
    view = with_texts(TableView(columns=columns, rows=rows), clean)
    hidden = ranked[plan.rows :]
    drawn = [table(view, width=width, fold=False)] if shown else []
    return [*drawn, _line((Cell(_left_out(hidden), Style.QUIET),))] if hidden else [*drawn]


def _left_out(hidden: Sequence[ConnectionSnapshot]) -> str:
    well = sum(map(words.is_well, hidden))
    counts = [f"{well} healthy"] if well else []
    counts += [f"{len(hidden) - well} not well: a larger window shows them"] if well < len(hidden) else []
    return f"… and {', '.join(counts)}"


def _problems(notes: Sequence[Note], width: int, spare: int, clean: Clean) -> tuple[list[RenderableType], int]:
    """A sentence each, and the lines left of `spare`: each takes as many more as it needs, while there are."""
    drawn: list[RenderableType] = []
    for note in notes:
        more = min(spare, _NAME_LINES) if note.names else spare
        line = _sentence(note, width, more, clean)
        needed = _lines_of(line, width) - 1
        if needed > more and not note.names:
            drawn.append(line)
            continue
        lines = _first_lines(line, width, 1 + more) if more else [line]
        spare -= len(lines) - 1
        drawn += lines
    return drawn, spare


def _sentence(note: Note, width: int, more: int, clean: Clean) -> Text:
    """The sentence of a note with as many of its names as fit on its line and `more` further ones."""
    text, names = clean(note.text), tuple(map(clean, note.names))
    room = (width - len("✗ ")) * (1 + more)
    line = _line((note.mark, Cell(with_names(text, names, room))))
    if names and _lines_of(line, width) > 1 + more:  # words that are not broken leave gaps at the ends of lines
        return _line((note.mark, Cell(with_names(text, names, room - width // 4 * more))))
    return line


def _events(events: Sequence[EventObject], now: datetime, width: int, spare: int, clean: Clean) -> list[RenderableType]:
    """A line each; whole where `spare` more lines are enough for all of them."""
    if not events:
        return []
    lines = [(Cell(words.time_of_day(event_time(event), now), Style.QUIET), *event_line(event)[1:]) for event in events]
    rows = [(*line, Cell(""))[: len(_EVENT_COLUMNS)] for line in lines]
    view = with_texts(TableView(columns=_EVENT_COLUMNS, rows=rows), clean)
    whole = table(view, width=width, fold=True)
    more = len(rendered(whole, width=width, color=False).splitlines()) - len(events)
    return [whole if more <= spare else table(view, width=width, fold=False)]


def _foot(scene: ScreenState, now: datetime) -> Text:
    clock = words.day_and_time(now).split(" ")[1]
    if scene.ended is not None:
        return _line((Cell(f"{clock} UTC", Style.QUIET), Cell(scene.ended, Style.STRONG)), " · ")
    wait = (scene.next_check_at - now).total_seconds() if scene.next_check_at else 0
    coming = f"next check in {words.whole_seconds(wait)}" if wait > 0 else "checking now"
    return _line(
        (Cell(f"{clock} UTC", Style.QUIET), Cell(coming, Style.QUIET), Cell("Ctrl-C ends", Style.QUIET)), " · "
    )


def _line(line: Line, separator: str = " ") -> Text:
    return _one_line(joined(line, separator))


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _set_apart(parts: Sequence[Sequence[RenderableType]], gap: int) -> list[RenderableType]:
    drawn: list[RenderableType] = []
    for part in filter(None, parts):
        drawn += [Text("")] * gap if drawn else []
        drawn += part
    return drawn
