"""Values that must not be shown by accident."""

from collections.abc import Iterable, Iterator


class Secret:
    """A text whose `repr` and `str` are `***`; only `reveal()` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for whoever connects with it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


class Secrets:
    """Everything that must not be shown: what a topology says, and what becomes known when its logins are made."""

    __slots__ = ("_known",)

    def __init__(self, known: Iterable[Secret] = ()) -> None:
        self._known = dict.fromkeys(known)

    def learn(self, text: str) -> None:
        """Adds a password that was read elsewhere: from the environment, or a file of the engine's own."""
        if text:
            self._known.setdefault(Secret(text))

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, secret: object) -> bool:
        return secret in self._known

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secrets) and self._known == other._known

    __hash__ = None  # type: ignore[assignment]  # it grows
