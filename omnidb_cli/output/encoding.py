"""What a stream can encode, and the ASCII stand-ins for omnidb's own symbols where it cannot."""

from typing import TextIO

_STAND_INS = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "▲": "!",
        "●": "*",
        "○": "o",
        "◐": "%",
        "■": "#",
        "→": ">",
        "…": "~",
        "–": "-",
        "·": "|",
        "─": "-",
    }
)
"""One character for one, so that columns stay aligned."""


def speaks_unicode(stream: TextIO) -> bool:
    """Whether every character can be written; a stream without an encoding (a buffer in memory) takes all."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
    return encoding.startswith("utf")


def with_stand_ins(text: str) -> str:
    """The text with omnidb's own symbols in ASCII."""
    return text.translate(_STAND_INS)


def encodable(text: str, stream: TextIO) -> str:
    """The text as the stream can take it: stand-ins for omnidb's symbols, escapes for the rest."""
    if text.isascii() or speaks_unicode(stream):
        return text
    return with_stand_ins(text).encode(stream.encoding, "backslashreplace").decode(stream.encoding)
