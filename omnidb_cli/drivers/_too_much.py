"""How much a server may send, and the error for one that sends more, or asks for more than is done."""

from omnidb_cli.errors import ErrorKind

CHECK_BYTES = 1_000_000
"""The most that a login may bring, and all answers to one check together."""

MESSAGE_BYTES = 64_000_000
"""The most that one message may have, or a batch of rows, or whatever else is in memory at one time."""


class TooMuchError(Exception):
    """A server sends what is not read, or asks for what is not done: the sentence says what.

    `kind` and `hint` are those of the error that people see.
    """

    def __init__(self, sentence: str, *, kind: ErrorKind = ErrorKind.INTERNAL, hint: str | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.hint = hint


def too_long(most_bytes: int) -> TooMuchError:
    """The error for an answer that has more bytes than this."""
    return TooMuchError(
        f"its answer has more than {most_bytes // 1_000_000} MB",
        hint="the connection was ended: ask for fewer rows, or for a part of what is so long",
    )
