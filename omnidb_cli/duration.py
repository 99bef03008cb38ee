"""Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`, `3d`, `2w`; a bare number is seconds."""

import math
import re

LONGEST_S = 24 * 3600.0
LONGEST_DELAY_S = 60.0
LONGEST_HOLD_S = 90 * 24 * 3600.0
FORMS = "500ms, 30s, 5m, 1h30m, 3d, 2w or a number of seconds"

_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
_BARE = re.compile(_NUMBER)
_PART = re.compile(rf"({_NUMBER})\s*(ms|[wdhms])\s*", re.ASCII)
_LONGEST_TEXT = 60
_SENSELESS_S = 6e10  # 1,900 years: so far back there is still a date


def parse_duration(value: object, *, zero: bool = False, longest_s: float | None = LONGEST_S) -> float:
    """Seconds of a duration; > 0 (with `zero`, ≥ 0) and at most `longest_s` (None: as long as you like).

    Several units go from the largest to the smallest, each once: `1h30m`, `2d 4h`. Raises ValueError for anything
    else: NaN, infinities, bools, negatives, unknown units.
    """
    seconds = _seconds(value)
    if seconds is None or not math.isfinite(seconds):
        raise ValueError(f"{value!r} is not a duration: write {FORMS}")
    if seconds < 0 or (seconds == 0 and not zero):
        raise ValueError(f"{value!r} is not a duration above zero")
    if longest_s is not None and seconds > longest_s:
        raise ValueError(f"{value!r} is longer than {write_duration(longest_s)}")
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < _SENSELESS_S else math.inf
    seconds = _of_text(value.strip()) if isinstance(value, str) else None
    return seconds if seconds is None or seconds < _SENSELESS_S else math.inf


def _of_text(text: str) -> float | None:
    if len(text) > _LONGEST_TEXT:
        return None
    if _BARE.fullmatch(text):
        return float(text)
    parts: list[tuple[str, str]] = []
    at = 0
    while found := _PART.match(text, at):
        parts.append((found[1], found[2]))
        at = found.end()
    sizes = [_UNITS[unit] for _, unit in parts]
    if at < len(text) or not parts or sizes != sorted(set(sizes), reverse=True):
        return None
    if any("." in number for number, _ in parts[:-1]):
        return None
    return sum(float(number) * size for (number, _), size in zip(parts, sizes, strict=True))


def format_duration(seconds: float) -> str:
    """A duration for people, at most two units: `250ms`, `3.2s`, `41s`, `2m 5s`, `3h 10m`, `2d 4h`."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    whole = round(seconds)
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size}{unit} {rest}{smaller}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"


def write_duration(seconds: float) -> str:
    """A duration as a topology file has it, exactly and in one unit: `500ms`, `90s`, `5m`, `24h`, `90d`."""
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 3600), ("m", 60, 60), ("s", 1, 1)):
        if seconds >= least and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    if seconds == 0:
        return "0s"
    in_ms = f"{seconds * 1000:.6f}".rstrip("0").rstrip(".")
    return f"{in_ms}ms"
