"""A MySQL server that is made up."""

import asyncio
import struct

from tests.drivers.hostile import MYSQL_OK, mysql_command, mysql_greeting, mysql_packet
from tests.fuzz.dice import Dice, Mouth

STATEMENT = "SELECT a, b FROM t"
_END = b"\xfe\0\0\2\0"
_TYPES = (0, 1, 3, 4, 5, 7, 8, 10, 11, 12, 13, 16, 245, 246, 252, 253, 255)
_REPLICA = (b"Seconds_Behind_Master", b"Slave_SQL_Running", b"Slave_IO_Running", b"Last_SQL_Error", b"Master_Host")


async def conversation(dice: Dice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    mouth = Mouth(dice, writer)
    await mouth.say(mysql_greeting())
    await mysql_command(reader)
    if dice.random() < 0.3:
        plugin = dice.choice((b"caching_sha2_password", b"mysql_clear_password", b"client_ed25519", b"x", b""))
        await mouth.say(mysql_packet(2, b"\xfe" + plugin + b"\0" + dice.text() + b"\0"))
        await mysql_command(reader)
        await mouth.say(mysql_packet(4, dice.choice((MYSQL_OK, b"\1\3", b"\1\4", _error(dice)))))
    else:
        await mouth.say(mysql_packet(2, dice.choice((MYSQL_OK, MYSQL_OK, MYSQL_OK, _error(dice)))))
    while True:
        command = await mysql_command(reader)
        packets = [packet for part in command.split(b"; ") for packet in _answer(dice, part)]
        await mouth.say(*(mysql_packet(number, body) for number, body in enumerate(packets, 1)))


def _error(dice: Dice) -> bytes:
    return b"\xff" + struct.pack("<H", dice.choice((1045, 1064, 1193, 1290, 2013, 0, 65_535))) + b"#HY000" + dice.text()


def _answer(dice: Dice, statement: bytes) -> list[bytes]:
    """What a server says to this statement."""
    chance = dice.random()
    if chance < 0.05:
        return [_error(dice)]
    if b"@@global" in statement:
        return _result(dice, [(b"a", b"0"), (b"b", b"0"), (b"c", b"0-1-1")], more=b"SLAVE" in statement)
    if b"SLAVE" in statement or b"REPLICA" in statement:
        return _result(dice, [(name, dice.choice((b"Yes", b"", b"0", dice.text()))) for name in _REPLICA])
    if b"SELECT" in statement or b"SHOW" in statement:
        return _result(
            dice, [(b"c%d" % number, dice.choice((None, dice.text()))) for number in range(dice.randint(1, 9))]
        )
    return [MYSQL_OK]


def _result(dice: Dice, columns: list[tuple[bytes, bytes | None]], *, more: bool = False) -> list[bytes]:
    end = _END[:3] + (b"\x0a\0" if more else b"\2\0")
    fields = [_column(dice, name) for name, _ in columns]
    row = b"".join(b"\xfb" if cell is None else _text(cell) for _, cell in columns)
    return [bytes([len(columns)]), *fields, _END, *[row] * dice.choice((0, 1, 1, 3, 100)), end]


def _column(dice: Dice, name: bytes) -> bytes:
    names = b"".join(map(_text, (b"def", b"", b"", b"", name, name)))
    kind = 253 if dice.random() < 0.7 else dice.choice(_TYPES)
    return names + b"\x0c" + struct.pack("<HIBHB2x", dice.choice((45, 63, 255, 8)), 255, kind, 0, 0)


def _text(value: bytes) -> bytes:
    return (bytes([len(value)]) if len(value) < 251 else b"\xfc" + struct.pack("<H", len(value))) + value
