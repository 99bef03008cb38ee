"""What the parameters of a URL may be: the words in which a driver declares them, and the check against them.

A driver's table and a URL's parameters meet here alone: at load, and again where the driver reads its options.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from omnidb_cli.topology.document import short


class Form(StrEnum):
    """What the value of a parameter is."""

    TEXT = "text"
    WORD = "word"
    WORDS = "words"
    SWITCH = "switch"
    WHOLE = "whole"
    NUMBER = "number"
    FILE = "file"
    NEVER = "never"


class Parameter(Struct, frozen=True):
    """One parameter that the engine's own client knows.

    `words` are all that a WORD may be, or each part of WORDS; for a FILE, words that are no file. `unkept` are further
    words that the client knows; `why` says why they, or a parameter that is NEVER taken, are not. Numbers lie between
    `least` and `most`; a TEXT has at most `most` bytes. `effect` is False for what is accepted and changes nothing.
    """

    name: str
    form: Form = Form.TEXT
    words: tuple[str, ...] = ()
    unkept: tuple[str, ...] = ()
    why: str = ""
    least: float | None = None
    most: float | None = None
    may_be_blank: bool = False
    effect: bool = True


class Wording(Struct, frozen=True):
    """How faults are put: ` (did you mean "x"?)` for a word among the known ones, and what a parameter was found to be.

    `found` takes the name as the URL has it, and the value.
    """

    nearest: Callable[[str, Sequence[str]], str]
    found: Callable[[str, str], str]


class Asked(Struct, frozen=True):
    """A URL as rules between its parameters see it: `values` by the name of the table."""

    scheme: str
    hosts: int
    values: Mapping[str, str]


class Parameters:
    """All parameters of an engine's URLs. `fold_name` and `fold_word` make alike what the engine takes for the same.

    `switches` are the words of a SWITCH. `places` are parameters that say where to go and who logs in: whoever takes
    the URL apart has taken them out. `elsewhere` says where to put what is no parameter, and `rules` gives the faults
    that parameters have only together.
    """

    def __init__(
        self,
        engine: str,
        known: Iterable[Parameter],
        *,
        switches: Mapping[str, bool],
        fold_name: Callable[[str], str] = str,
        fold_word: Callable[[str], str] = str,
        places: tuple[str, ...] = (),
        elsewhere: str = "",
        rules: Callable[[Asked], Iterator[str]] = lambda _asked: iter(()),
    ) -> None:
        self.engine = engine
        self.known = tuple(known)
        self.switches = switches
        self._fold_name = fold_name
        self._fold_word = fold_word
        self._places = places
        self._elsewhere = elsewhere
        self._rules = rules
        self._by_name = {fold_name(one.name): one for one in self.known}

    def find(self, name: str) -> Parameter | None:
        """The parameter of that name, however it is written."""
        return self._by_name.get(self._fold_name(name))

    def words(self, name: str) -> tuple[str, ...]:
        """The words that the parameter may be."""
        return self._by_name[self._fold_name(name)].words

    def read(self, params: Mapping[str, str]) -> dict[str, str]:
        """The values by the name that the table has, without what nobody knows and what changes nothing."""
        found = ((self.find(name), value) for name, value in params.items())
        return {one.name: value for one, value in found if one is not None and one.effect}

    def is_on(self, value: str) -> bool | None:
        """What the word of a SWITCH says; None for a word that is none."""
        return self.switches.get(self._fold_word(value))

    def faults(self, params: Mapping[str, str], *, scheme: str, hosts: int, wording: Wording) -> Iterator[str]:
        """What is wrong with the parameters of a URL, a sentence for each. Touches no file."""
        values: dict[str, str] = {}
        sound = True
        for name, value in params.items():
            known = self.find(name)
            if known is None:
                fault: str | None = self._unknown(name, wording)
            elif known.name in values:
                fault = f"the parameter {known.name} is given twice"
            else:
                values[known.name] = value
                fault = self._fault(known, value, _Found(name, value, wording))
            if fault is not None:
                sound = False
                yield fault
        if sound:
            yield from self._rules(Asked(scheme, hosts, values))

    def files(self, params: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The names and values of the parameters that name a file."""
        for name, value in params.items():
            known = self.find(name)
            if known is not None and known.form is Form.FILE and value and value not in known.words:
                yield name, value

    def _unknown(self, name: str, wording: Wording) -> str:
        if not _NAME.fullmatch(name):
            return f"{self.engine} URLs have no parameter with such a name: a parameter is written name=value"
        said = f'{self.engine} URLs have no parameter "{short(name)}"'
        near = wording.nearest(name, [*self._places, *(one.name for one in self.known if one.form is not Form.NEVER)])
        if near:
            return said + near
        named = ", ".join((*self._places, *(one.name for one in self.known if one.effect)))
        return f"{said}: the parameters are {named}{self._elsewhere}"

    def _fault(self, known: Parameter, value: str, found: "_Found") -> str | None:
        """What is wrong with one value, as far as that can be told without the others."""
        if not value and known.may_be_blank:
            return None
        match known.form:
            case Form.NEVER:
                return f"{known.name} is not supported, {known.why}: leave it out"
            case Form.WORD:
                return self._fault_of_word(known, value, found)
            case Form.WORDS:
                faults = (self._fault_of_word(known, word, found) for word in value.split(","))
                return next(filter(None, faults), None)
            case Form.SWITCH if self.is_on(value) is None:
                return f"{known.name} must be true or false, {found}"
            case Form.WHOLE | Form.NUMBER:
                return _fault_of_number(known, value, found)
            case Form.TEXT if known.most is not None and len(value.encode()) > known.most:
                return f"{known.name} must be at most {known.most:.0f} bytes long"
        return None

    def _fault_of_word(self, known: Parameter, value: str, found: "_Found") -> str | None:
        word = self._fold_word(value)
        if word in map(self._fold_word, known.words):
            return None
        if word in map(self._fold_word, known.unkept):
            return f"{known.name}={short(value)} is not supported, {known.why}: write {_either(known.words)}"
        return f"{known.name} must be {_either(known.words)}, {found}{found.nearest(known.words)}"


class _Found(Struct, frozen=True):
    """What a parameter was found to be, as it goes into a sentence."""

    name: str
    value: str
    wording: Wording

    def __str__(self) -> str:
        return self.wording.found(self.name, self.value)

    def nearest(self, words: Sequence[str]) -> str:
        """The nearest of the words, for the end of the sentence."""
        return self.wording.nearest(self.value, words)


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})")


def _fault_of_number(known: Parameter, value: str, found: _Found) -> str | None:
    is_whole = known.form is Form.WHOLE
    if (_WHOLE if is_whole else _NUMBER).fullmatch(value):
        least, most = known.least, known.most
        if (least is None or float(value) >= least) and (most is None or float(value) <= most):
            return None
    return f"{known.name} must be {'a whole number' if is_whole else 'a number'}{range_of(known)}, {found}"


def range_of(known: Parameter) -> str:
    """The limits of a number: ` of at least 0`, ` from 1 to 65535`, or nothing."""
    match known.least, known.most:
        case None, None:
            return ""
        case least, None:
            return f" of at least {least:.0f}"
        case None, most:
            return f" of at most {most:.0f}"
        case least, most:
            return f" from {least:.0f} to {most:.0f}"


def _either(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def found_plainly(_name: str, value: str) -> str:
    """What a parameter was found to be, where nothing in its value is secret."""
    return f'not "{short(value)}"' if value else "and is empty"


def text(*names: str, effect: bool = True) -> tuple[Parameter, ...]:
    """Parameters of any text."""
    return tuple(Parameter(name, may_be_blank=True, effect=effect) for name in names)


def word(name: str, *words: str, unkept: tuple[str, ...] = (), why: str = "", effect: bool = True) -> Parameter:
    """A parameter that is one of some words."""
    return Parameter(name, Form.WORD, words, unkept, why, effect=effect)


def switch(*names: str, effect: bool = True, may_be_blank: bool = False) -> tuple[Parameter, ...]:
    """Parameters that are on or off."""
    return tuple(Parameter(name, Form.SWITCH, may_be_blank=may_be_blank, effect=effect) for name in names)


def whole(*names: str, least: int | None = 0, most: int | None = None, effect: bool = True) -> tuple[Parameter, ...]:
    """Parameters that are a whole number."""
    return tuple(Parameter(name, Form.WHOLE, least=least, most=most, effect=effect) for name in names)


def number(*names: str, least: float = 0, most: float = 1e9, effect: bool = True) -> tuple[Parameter, ...]:
    """Parameters that are a number."""
    return tuple(Parameter(name, Form.NUMBER, least=least, most=most, effect=effect) for name in names)


def file(*names: str, words: tuple[str, ...] = ()) -> tuple[Parameter, ...]:
    """Parameters that name a file, which must be there; or are one of the words."""
    return tuple(Parameter(name, Form.FILE, words, may_be_blank=True) for name in names)


def never(why: str, *names: str) -> tuple[Parameter, ...]:
    """Parameters that the client knows and that cannot be had here."""
    return tuple(Parameter(name, Form.NEVER, why=why, effect=False) for name in names)
