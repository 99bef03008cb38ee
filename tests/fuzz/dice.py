"""How the bytes of a server that answers as it should become those of one that does not."""

import asyncio
import random
from collections.abc import Callable

ENDLESS_BYTES = 100_000_000
_LONGEST = 2_000_000
_NUMBERS = (0, 1, -1, 3, 127, 128, 255, 65_535, 2**31 - 1, -(2**31), 10**9, 2**24 - 1, 2**63 - 1)
_TEXTS = (
    b"\xff\xfe", b"\x1b[2J", b"\0", b"\r\n", b"%s%n", b"a" * 5000, "\u202e\u0301".encode(), b"://u:p@h" * 500,
    b"{" * 3000,
)  # fmt: skip


class Dice(random.Random):
    """Decides what a server says, and when it says something else. The same seed decides the same."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._how_often = self.choice((0.03, 0.1, 0.3, 0.8))
        self._steps = 0

    def say(self, *messages: bytes) -> list[bytes]:
        """The messages, or what becomes of them."""
        return [self._changed(message) if self.random() < self._how_often else message for message in messages]

    def number(self) -> int:
        """One that a program may stumble over."""
        return self.choice(_NUMBERS)

    def text(self) -> bytes:
        """Likewise, or just some bytes."""
        return self.choice((*_TEXTS, self.randbytes(self.randint(0, 40)), b"%d" % self.number()))

    def is_over(self) -> bool:
        """Whether the server has said enough; it does not talk for ever."""
        self._steps += 1
        return self._steps > 60

    def _changed(self, data: bytes) -> bytes:
        for _ in range(self.choice((1, 1, 1, 2, 5))):
            data = self.choice(_CHANGES)(self, data)
        return data[:_LONGEST]


def _flip(dice: Dice, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4) if data else 0):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _number(dice: Dice, data: bytes) -> bytes:
    size = dice.choice((1, 2, 3, 4, 8))
    at = dice.randint(0, min(len(data), dice.choice((6, 40, 10_000))))
    value = (dice.number() % 256**size).to_bytes(size, dice.choice(("big", "little")))
    return data[:at] + value + data[at + size :]


def _cut(dice: Dice, data: bytes) -> bytes:
    return data[: dice.randint(0, len(data))]


def _without(dice: Dice, data: bytes) -> bytes:
    start, end = sorted((dice.randint(0, len(data)), dice.randint(0, len(data))))
    return data[:start] + data[end:]


def _with(dice: Dice, data: bytes) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.text() + data[at:]


def _again(dice: Dice, data: bytes) -> bytes:
    return data * min(dice.choice((2, 3, 50, 2000)), _LONGEST // max(len(data), 1))


def _nonsense(dice: Dice, _data: bytes) -> bytes:
    return dice.randbytes(dice.choice((1, 5, 9, 64, 4000)))


def _digits(dice: Dice, data: bytes) -> bytes:
    """Another number where one is written out."""
    places = [at for at, one in enumerate(data[:2000]) if 48 <= one < 58]
    if not places:
        return data
    at = dice.choice(places)
    return data[:at] + b"%d" % dice.number() + data[at + 1 :]


_CHANGES: tuple[Callable[[Dice, bytes], bytes], ...] = (
    _flip, _flip, _number, _number, _number, _cut, _without, _with, _again, _nonsense, _digits,
)  # fmt: skip


class Mouth:
    """Says it to the client: at once or in pieces, and then perhaps nothing more, or no end of it."""

    def __init__(self, dice: Dice, writer: asyncio.StreamWriter) -> None:
        self._dice = dice
        self._writer = writer

    async def say(self, *messages: bytes) -> None:
        """Raises EOFError when the server has said all that it will say."""
        dice, writer = self._dice, self._writer
        data = b"".join(dice.say(*messages))
        if dice.random() < 0.2 and data:
            size = max(1, len(data) // dice.choice((2, 3, 10)))
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await asyncio.sleep(0)
        else:
            writer.write(data)
        await writer.drain()
        await self._end(data)

    async def _end(self, data: bytes) -> None:
        dice, chance = self._dice, self._dice.random()
        if dice.is_over() or chance < 0.02:
            raise EOFError
        if chance < 0.03:
            await asyncio.sleep(3600)
        if chance < 0.035:
            self._writer.transport.abort()
            raise EOFError
        if chance < 0.036 and data:
            block = data * (100_000 // len(data) + 1)
            for _ in range(ENDLESS_BYTES // len(block)):
                self._writer.write(block)
                await self._writer.drain()
            raise EOFError
