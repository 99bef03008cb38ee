"""Points in time as people type them: so long ago, a date, a time of today; UTC where nothing else is said."""

import re
from datetime import UTC, datetime, timedelta

import typer

from omnidb_cli.duration import parse_duration

FORMS = "a duration ago such as 48h, or a time such as 2026-11-23, 2026-11-23T07:30Z or 07:30 (UTC)"

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_OFFSET = r"(?:[Zz]|UTC|[+-]\d\d:\d\d)?"
_ABSOLUTE = re.compile(rf"{_DATE}(?:[Tt ]{_TIME} ?{_OFFSET})?", re.ASCII)
_OF_TODAY = re.compile(rf"{_TIME} ?(?:[Zz]|UTC)?", re.ASCII)


def point_in_time(text: str) -> datetime:
    """The time that an option asks for. Raises a usage error for what is no time."""
    try:
        return parse(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse(text: str, now: datetime) -> datetime:
    """The time that `text` means at `now`, in UTC. Raises ValueError."""
    word = text.strip()
    if _OF_TODAY.fullmatch(word):
        word = f"{now:%Y-%m-%d} {word}"
    if _ABSOLUTE.fullmatch(word):
        return _absolute(word, text)
    try:
        return now - timedelta(seconds=parse_duration(word, longest_s=None))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: write {FORMS}") from None


def _absolute(word: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(word.upper().replace("UTC", "Z").replace(" ", "T", 1).replace(" ", ""))
    except ValueError:
        raise ValueError(f"{text!r}: there is no such date or time") from None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r}: there is no such date or time") from None
