"""Every key of a topology file: its type, default, limits and meaning, as data. Written once.

Validation, nearest names, `described`, the docs' reference and the JSON Schema are all made from this table.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from omnidb_cli.duration import FORMS, LONGEST_DELAY_S, LONGEST_HOLD_S, LONGEST_S, write_duration


class Kind(StrEnum):
    """What may stand behind a key."""

    NAME = "name"
    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - the word for a kind of value
    URL = "url"
    STATE_URL = "state-url"
    CHOICE = "choice"
    WORDS = "words"
    DURATION = "duration"
    COUNT = "count"
    BACKUPS = "backups"
    SECTION = "section"
    SWITCHABLE = "switchable"
    NAMED = "named"


class Key(Struct, frozen=True):
    """One key. `default` is as the file would have it; None: nothing unless written.

    `least` and `most` bound counts, `longest_s` bounds durations, and 0 as `least` admits one of zero. `section` names
    the table of what stands below it: of the key itself (SECTION, SWITCHABLE: also `false`) or of each of the names
    that a person chooses (NAMED). `held_as` is its field in the model where that is not its own name.
    """

    name: str
    kind: Kind
    default: str | int | None
    about: str
    choices: tuple[str, ...] = ()
    least: int = 1
    section: str | None = None
    required: bool = False
    most: int | None = None
    longest_s: float = LONGEST_S
    held_as: str | None = None

    @property
    def field(self) -> str:
        """The field of the model that holds it, empty where its keys lie in the same part as itself."""
        if self.held_as is not None:
            return self.held_as
        return f"{self.name}_s" if self.kind is Kind.DURATION else self.name


MOST_RETRIES = 10
NAME_RULE = "letters, digits and _ . -, the first none of . and -, at most 63 characters"
PLACEHOLDER = "NAME"

_LAG = "a replication lag above this is degraded"
_CHECK = "how connections are checked"
_SECTIONS: Mapping[str, tuple[Key, ...]] = {
    "topology": (
        Key("name", Kind.NAME, None, "keeps the saved state apart from other topologies'; default: the file's name"),
        Key("connections", Kind.NAMED, None, "the endpoints, by name", section="connection", required=True),
        Key("failover", Kind.NAMED, None, "the backups, by the name of the primary", section="failover"),
        Key("health_check", Kind.SECTION, None, _CHECK, section="health_check"),
        Key("circuit_breaker", Kind.SWITCHABLE, None, "when the circuit opens and closes", section="circuit_breaker"),
        Key("state", Kind.STATE_URL, None, "where circuits, holds and history are kept; default: on this host"),
    ),
    "connection": (
        Key("url", Kind.URL, None, "where it is: engine://user@host:port/database?parameter=value", required=True),
        Key("password", Kind.SECRET, None, "better kept out of the url: ${env:X} or ${file:/path}"),
        Key("role", Kind.CHOICE, None, "the role it must have; left out: not verified", ("primary", "replica")),
        Key("tags", Kind.WORDS, None, "words of your own, shown with it"),
        Key("max_lag", Kind.DURATION, None, _LAG, longest_s=LONGEST_HOLD_S),
        Key("slow", Kind.DURATION, None, "a check that takes longer than this is degraded"),
        Key("health_check", Kind.SECTION, None, "overrides the common settings, key by key", section="health_check"),
    ),
    "health_check": (
        Key("interval", Kind.DURATION, "30s", "time between two checks"),
        Key("timeout", Kind.DURATION, "5s", "the time limit of an attempt"),
        Key("retry", Kind.SECTION, None, "retries before a check counts as failed", section="retry", held_as=""),
        Key("rise", Kind.COUNT, 1, "passing checks in a row until it is healthy again"),
        Key("fall", Kind.COUNT, 1, "failed checks in a row until it is unhealthy"),
        Key("statement", Kind.TEXT, None, "what a check runs; default: the engine's own"),
    ),
    "retry": (
        Key("retries", Kind.COUNT, 0, "attempts after the first one", least=0, most=MOST_RETRIES),
        Key(
            "delay",
            Kind.DURATION,
            "100ms",
            "the pause between two attempts",
            longest_s=LONGEST_DELAY_S,
            held_as="retry_delay_s",
        ),
    ),
    "circuit_breaker": (
        Key("threshold", Kind.COUNT, 5, "failures in a row until it opens"),
        Key("reset_timeout", Kind.DURATION, "30s", "how long it stays open before trial calls"),
        Key("half_open_successes", Kind.COUNT, 2, "successful trials until it closes, and how many at a time"),
        Key("max_reset_timeout", Kind.DURATION, "5m", "each failed trial doubles the wait, up to this"),
    ),
    "failover": (
        Key("to", Kind.BACKUPS, None, "the backup, or several in order", required=True),
        Key("writes", Kind.CHOICE, "deny", "whether writes on a backup are allowed", ("deny", "allow")),
        Key("failback", Kind.CHOICE, "auto", "whether the primary serves again automatically", ("auto", "manual")),
        Key(
            "failback_after",
            Kind.DURATION,
            "0s",
            "how long the primary must be eligible before it serves again",
            least=0,
        ),
    ),
}
TABLES: Mapping[str, Mapping[str, Key]] = {
    section: {key.name: key for key in keys} for section, keys in _SECTIONS.items()
}


def paths(section: str = "topology", above: str = "") -> Iterator[tuple[str, Key]]:
    """Every key with its dotted path, in the order of the table: `connections.NAME.health_check.retry.delay`."""
    for key in TABLES[section].values():
        path = above + key.name
        yield path, key
        if key.section is not None:
            chosen = f"{PLACEHOLDER}." if key.kind is Kind.NAMED else ""
            yield from paths(key.section, f"{path}.{chosen}")


def bounds(key: Key) -> str:
    """The limits of a count: `of at least 1`, `from 0 to 10`."""
    return f"of at least {key.least}" if key.most is None else f"from {key.least} to {key.most}"


def allowed(key: Key) -> str:
    """What may stand behind the key, as a phrase: `a whole number of at least 1`."""
    match key.kind:
        case Kind.NAME:
            return f"a name of {NAME_RULE}"
        case Kind.CHOICE:
            return " or ".join(key.choices)
        case Kind.DURATION:
            least = "zero or more" if key.least == 0 else "above zero"
            return f"a duration ({FORMS}; {least}, at most {write_duration(key.longest_s)})"
        case Kind.COUNT:
            return f"a whole number {bounds(key)}"
        case Kind.WORDS:
            return "a list of words"
        case Kind.BACKUPS:
            return "the name of a connection or a list of names"
        case Kind.SECTION:
            return f"a mapping with {', '.join(TABLES[key.section or ''])}"
        case Kind.SWITCHABLE:
            return f"false or a mapping with {', '.join(TABLES[key.section or ''])}"
        case Kind.NAMED:
            return "a mapping of names"
        case Kind.URL | Kind.STATE_URL:
            return "a URL"
        case Kind.TEXT | Kind.SECRET:
            return "text"
