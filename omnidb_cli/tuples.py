"""Named tuples that cost a sixth of `typing.NamedTuple` to define, and nothing more to use.

That one writes and compiles a constructor for every class, 0.19 ms each, and a command defines seventy. Here it is
written when a class is first called, and most classes of a command never are.
"""

import sys
from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING or sys.version_info >= (3, 14):  # where a class body no longer holds its annotations
    from typing import NamedTuple
else:
    from collections import _tuplegetter
    from collections.abc import Callable, Iterable
    from typing import Any, Self

    class _Named(type):
        """Turns the annotations of a class body into fields."""

        @classmethod
        def __prepare__(cls, *_: object) -> dict[str, object]:
            return {"__slots__": ()}

        def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> "_Named":
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body |= {field: _tuplegetter(index, "") for index, field in enumerate(fields)}
            body |= {"_fields": fields, "__match_args__": fields, "_field_defaults": defaults}
            return super().__new__(mcs, name, bases, body)

    class NamedTuple(tuple, metaclass=_Named):
        """A tuple whose items have names; written as `typing.NamedTuple` is."""

        def __new__(cls, *values: object, **named: object) -> Self:
            """The first instance of a class; the next ones are made by what this writes."""
            cls.__new__ = _constructor(cls)
            return cls.__new__(cls, *values, **named)

        @classmethod
        def _make(cls, values: Iterable[object]) -> Self:
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
            return made

        def _replace(self, /, **changes: object) -> Self:
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no fields {', '.join(changes)}")
            return made

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            shown = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

    def _constructor(cls: type) -> Callable[..., Any]:
        names = ", ".join(cls._fields)
        code = f"lambda cls, {names}: new(cls, ({names},))" if names else "lambda cls: new(cls)"
        constructor = eval(code, {"new": tuple.__new__})  # noqa: S307 - of field names alone
        constructor.__defaults__ = tuple(cls._field_defaults.values())
        constructor.__name__ = "__new__"
        return staticmethod(constructor)
