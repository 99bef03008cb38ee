"""The exit codes, written once (design, section 5)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended. `meaning` is the sentence of the documentation."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    @classmethod
    def of(cls, code: int) -> "ExitCode":
        """The exit code of that number."""
        return next(one for one in cls if one == code)

    DONE = 0, "done"
    UNEXPECTED = 1, "unexpected error: a defect in omnidb"
    USAGE = 2, "usage"
    TOPOLOGY = 3, "topology invalid, unreadable or a secret unresolved"
    UNKNOWN_CONNECTION = 4, "no such connection"
    DEGRADED = 10, "finding: not all is well, but every connection that no person holds is served"
    DOWN = 11, "finding: at least one connection that no person holds is not served"
    NO_EVIDENCE = 12, "finding: evidence is missing or too old, this host has trouble of its own, or may be isolated"
    SPLIT_BRAIN = 13, "finding: split brain: a replica and its primary both take writes"
    UNAVAILABLE = 20, "no eligible endpoint"
    CONNECTION_FAILED = 21, "connect failed, connection lost, or the time limit ran out"
    AUTHENTICATION = 22, "authentication refused"
    STATEMENT = 23, "the server rejected the statement"
    WRITE_REFUSED = 24, "refused by policy: a write on a backup"
    STATE_STORE = 31, "state store unusable"
    PRECONDITION = 32, "precondition not met"
    TIMED_OUT = 124, "`watch --until` ran out of its `--timeout`"
    HUNG_UP = 129, "the terminal is gone"
    INTERRUPTED = 130, "interrupted"
    TERMINATED = 143, "terminated"
