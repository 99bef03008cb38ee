"""Stops on the server the script that a command of ours runs there: it does not end with our connection."""

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.errors import ReplyError, UnreadableError, code_of, said
from omnidb_cli.drivers.redis.options import Address
from omnidb_cli.drivers.redis.protocol import Command
from omnidb_cli.drivers.redis.statement import name_of

_LONGEST_S = 0.4  # `exec` ends by then, half a second after its limit at the latest
_ENDERS: Mapping[str, Command] = {
    **dict.fromkeys(("EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"), (b"SCRIPT", b"KILL")),
    **dict.fromkeys(("FCALL", "FCALL_RO"), (b"FUNCTION", b"KILL")),
}
"""What ends the one script that a server runs, by the command that began it."""


async def stop(address: Address, command: Command) -> str | None:
    """What became of the script of the command, None where it runs none; gives up after 0.4 s.

    A server runs one script at a time and was ready when the command was sent, so that the script is ours, unless
    another began in that very moment. Until its `busy-reply-threshold` (5 s) is over it answers nobody, and it reads
    then what was sent to it before.
    """
    ender = _ENDERS.get(name_of(command))
    if ender is None:
        return None
    sent = b" ".join(ender).decode()
    link = Link(replace(address, database=0))  # a busy server refuses SELECT
    try:
        async with asyncio.timeout(_LONGEST_S):
            reply = await link.at_once(ender)
    except TimeoutError:
        return f"{sent} was sent, and the server, which is busy with the script, has not answered it yet"
    except (OSError, UnreadableError) as error:
        return f"its script may run on: {sent} could not be sent ({error})"
    finally:
        link.abort()
    return _fate(reply, sent)


def _fate(reply: Any, sent: str) -> str:
    if not isinstance(reply, ReplyError):
        return "its script was stopped"
    match code_of(reply):
        case "NOTBUSY":
            return "its script has ended by itself"
        case "UNKILLABLE":
            return "its script runs on: it has written, and the server does not stop it then (UNKILLABLE)"
        case _:
            return f"its script may run on: {sent} was refused ({said(reply)})"
