"""Stops on the server what a connection of ours left running there."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from omnidb_cli.drivers.mysql.connect import open_wire
from omnidb_cli.drivers.mysql.errors import while_running
from omnidb_cli.errors import DriverError

if TYPE_CHECKING:
    from omnidb_cli.drivers.mysql.connection import Wire
    from omnidb_cli.drivers.mysql.options import Login
    from omnidb_cli.drivers.mysql.private_api import Row

_LONGEST_S = 0.4  # `exec` ends by then, half a second after its limit at the latest
_WHO_IT_IS = "SELECT @@hostname, @@port, @@datadir, @@server_id"


async def identity(wire: "Wire") -> Sequence["Row"]:
    """What tells this server from the others that may be behind the same address."""
    answered = await wire.ask(_WHO_IT_IS)
    return await answered.all()


async def stop(wire: "Wire", login: "Login", server: Sequence["Row"]) -> None:
    """Ends the connection, and then what it ran, over a connection of its own; gives up after 0.4 s.

    A thread of that number is killed only on the server that `identity` told of. Where this fails the server's own
    time limit, which the session was given, is what ends the statement.
    """
    wire.abort()
    deadline = asyncio.get_running_loop().time() + _LONGEST_S
    with contextlib.suppress(DriverError, TimeoutError):
        async with asyncio.timeout_at(deadline):
            killer = await open_wire(replace(login, places=(wire.place,)), deadline=deadline, limit_s=_LONGEST_S)
            try:
                if await identity(killer) == server:
                    await killer.ask(f"KILL {wire.thread_id()}")
            except Exception as error:
                raise while_running(str(wire.place), error) from error
            finally:
                killer.leave()
