"""Durations as people write them: `500ms`, `30s`, `5m`, `1h`; a bare number is seconds."""

import math
import re

LONGEST_S = 24 * 3600.0
FORMS = "500ms, 30s, 5m, 1h or a number of seconds"

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h|)\s*\Z", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def parse_duration(value: object, *, zero: bool = False) -> float:
    """Seconds of a duration; > 0 (with `zero`, ≥ 0) and at most 24 h.

    Raises ValueError for anything else: NaN, infinities, bools, negatives, unknown units.
    """
    seconds = _seconds(value)
    if seconds is None or not math.isfinite(seconds):
        raise ValueError(f"{value!r} is not a duration: write {FORMS}")
    if seconds < 0 or (seconds == 0 and not zero):
        raise ValueError(f"{value!r} is not a duration above zero")
    if seconds > LONGEST_S:
        raise ValueError(f"{value!r} is longer than 24h")
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e12 else math.inf
    if isinstance(value, str) and (match := _FORM.match(value)):
        return float(match[1]) * _UNITS[match[2]]
    return None


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
