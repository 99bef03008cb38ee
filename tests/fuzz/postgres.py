"""A PostgreSQL server that is made up."""

import asyncio
import struct

from tests.drivers.hostile import POSTGRES_LET_IN, postgres_message, postgres_startup
from tests.fuzz.dice import Dice, Mouth

STATEMENT = "SELECT a, b FROM t"
_BOOL, _FLOAT, _TEXT = 16, 701, 25
_TYPES = (_BOOL, _FLOAT, _TEXT, 23, 20, 1700, 1184, 3802, 1007, 2950, 17, 114, 1082, 1266, 869, 2249, 99_999)
_CHECK = ((_BOOL, b"\0"), (_BOOL, b"\0"), (_FLOAT, None), (_FLOAT, None), (_FLOAT, None), (_BOOL, b"\0"),
          (_BOOL, b"\0"), (_TEXT, b""), (_TEXT, b"0/1"), (_TEXT, b"00000001" * 3))  # fmt: skip
_ENCRYPT = 80877103
_Column = tuple[int, bytes | None]


async def conversation(dice: Dice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    mouth = Mouth(dice, writer)
    await postgres_startup(reader, writer)
    await _login(dice, mouth, reader)
    columns: tuple[_Column, ...] = _CHECK
    while True:
        kind, length = struct.unpack(">ci", await reader.readexactly(5))
        body = await reader.readexactly(length - 4)
        if kind == b"P":
            columns = _CHECK if b"pg_is_in_recovery" in body else _some_columns(dice)
        await mouth.say(*_answers(dice, kind, columns))


async def _login(dice: Dice, mouth: Mouth, reader: asyncio.StreamReader) -> None:
    way = dice.choice((0, 0, 0, 3, 5, 10))
    if way:
        extra = {5: b"salt", 10: b"SCRAM-SHA-256\0\0"}.get(way, b"")
        await mouth.say(postgres_message(b"R", struct.pack(">i", way) + extra))
        _, length = struct.unpack(">ci", await reader.readexactly(5))
        said = await reader.readexactly(length - 4)
        if way == 10:
            first = b"r=%sabc,s=c2FsdHNhbHQ=,i=%d" % (said.rpartition(b"r=")[2], dice.choice((1, 4096, 10**9)))
            await mouth.say(postgres_message(b"R", struct.pack(">i", 11) + first))
            _, length = struct.unpack(">ci", await reader.readexactly(5))
            await reader.readexactly(length - 4)
            await mouth.say(postgres_message(b"R", struct.pack(">i", 12) + b"v=" + dice.text()))
    await mouth.say(POSTGRES_LET_IN)


def _some_columns(dice: Dice) -> tuple[_Column, ...]:
    return tuple((dice.choice(_TYPES), dice.choice((None, dice.text()))) for _ in range(dice.choice((0, 1, 2, 30))))


def _answers(dice: Dice, kind: bytes, columns: tuple[_Column, ...]) -> list[bytes]:
    """What a server says to a message of this kind."""
    done = postgres_message(b"C", b"SELECT 1\0")
    match kind:
        case b"P":
            return [postgres_message(b"1", b"")]
        case b"D":
            fields = b"".join(
                b"c%d\0" % number + struct.pack(">ihihih", 0, 0, of, -1, -1, 0)
                for number, (of, _) in enumerate(columns)
            )
            described = postgres_message(b"T", struct.pack(">h", len(columns)) + fields)
            return [postgres_message(b"t", b"\0\0"), described if columns else postgres_message(b"n", b"")]
        case b"B":
            return [postgres_message(b"2", b"")]
        case b"E":
            return [*[_row(columns)] * dice.choice((1, 1, 3, 60)), done]
        case b"S":
            return [postgres_message(b"Z", b"I")]
        case b"Q":
            notice = postgres_message(b"N", b"SNOTICE\0VNOTICE\0C00000\0M" + dice.text() + b"\0\0")
            error = postgres_message(b"E", b"SERROR\0VERROR\0C%05d\0M" % dice.randrange(60_000) + dice.text() + b"\0\0")
            said = dice.choice(([], [], [notice], [error]))
            return [*said, postgres_message(b"C", b"BEGIN\0"), postgres_message(b"Z", dice.choice((b"I", b"T")))]
        case b"C":
            return [postgres_message(b"3", b"")]
    return []


def _row(columns: tuple[_Column, ...]) -> bytes:
    cells = b"".join(
        struct.pack(">i", -1) if cell is None else struct.pack(">i", len(cell)) + cell for _, cell in columns
    )
    return postgres_message(b"D", struct.pack(">h", len(columns)) + cells)
