"""A Redis server that is made up."""

import asyncio

from tests.fuzz.dice import Dice, Mouth

STATEMENT = "GET a"
_SERVER = (
    b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:5\r\n"
)
_SERVER += b"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
_INFO = b"# Replication\r\nrole:%b\r\nmaster_replid:abc\r\nmaster_repl_offset:%b\r\nmaster_link_status:%b\r\n"
_INFO += b"slave_read_only:1\r\nmaster_last_io_seconds_ago:%b\r\n"


async def conversation(dice: Dice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    mouth = Mouth(dice, writer)
    while True:
        await mouth.say(_reply(dice, (await _command(reader))[0].upper()))


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    """What the client sends next."""
    number = int((await reader.readline() or b"*0")[1:] or 0)
    if not number:
        raise EOFError
    words = []
    for _ in range(number):
        size = int((await reader.readline())[1:])
        words.append((await reader.readexactly(size + 2))[:-2])
    return words


def _reply(dice: Dice, command: bytes) -> bytes:
    if dice.random() < 0.05:
        return _value(dice, 0)
    match command:
        case b"HELLO":
            return _SERVER
        case b"PING":
            return b"+PONG\r\n"
        case b"INFO":
            role = dice.choice((b"master", b"slave", dice.text()))
            facts = (
                role,
                dice.choice((b"7", dice.text())),
                dice.choice((b"up", b"down")),
                dice.choice((b"1", dice.text())),
            )
            return _text(_INFO % facts)
        case b"COMMAND":
            return b"*1\r\n*6\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
        case b"SELECT" | b"AUTH":
            return b"+OK\r\n"
    return _value(dice, 0)


def _text(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def _value(dice: Dice, depth: int) -> bytes:
    """Any value of the protocol."""
    kind = dice.choice("+-:,#_(=$$" + ("*%~>|" if depth < 5 else ""))
    size = dice.choice((0, 1, 2, 5))
    match kind:
        case "*" | "~" | ">":
            return kind.encode() + b"%d\r\n" % size + b"".join(_value(dice, depth + 1) for _ in range(size))
        case "%" | "|":
            return kind.encode() + b"%d\r\n" % size + b"".join(_value(dice, depth + 1) for _ in range(2 * size))
        case "$":
            return _text(dice.text())
        case "=":
            text = b"txt:" + dice.text()
            return b"=%d\r\n%b\r\n" % (len(text), text)
        case ":" | "(":
            return kind.encode() + b"%d\r\n" % dice.number()
        case "#":
            return b"#t\r\n"
        case "_":
            return b"_\r\n"
        case ",":
            return b"," + dice.choice((b"1.5", b"inf", b"nan", b"1e999", dice.text())) + b"\r\n"
    return kind.encode() + dice.text().replace(b"\r\n", b"") + b"\r\n"
