"""A value as one line of JSON."""

from collections.abc import Callable
from functools import cache

from omnidb_cli.output.redaction import Redactor
from omnidb_cli.output.values import json_safe, jsonable


def compact(value: object, redact: Redactor | None = None, *, ascii_only: bool = False) -> str:
    """One line of JSON, without its end."""
    return json_safe(encoder_of(ascii_only)(jsonable(value, redact)))


@cache
def encoder_of(ascii_only: bool) -> Callable[[object], str]:
    """Encodes what `jsonable` returns."""
    from json import JSONEncoder

    return JSONEncoder(ensure_ascii=ascii_only, allow_nan=False).encode
