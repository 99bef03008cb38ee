"""Makes connections: to the first server of a URL that lets us in, in the time there is."""

import asyncio
from collections.abc import Sequence

from omnidb_cli.drivers.base import HANGS, unresponsive
from omnidb_cli.drivers.mysql.connection import Wire
from omnidb_cli.drivers.mysql.errors import while_connecting
from omnidb_cli.drivers.mysql.options import Login, Place
from omnidb_cli.errors import AuthenticationError, ConnectError
from omnidb_cli.log import Log

_log = Log("drivers.mysql")


async def open_wire(login: Login, *, deadline: float, limit_s: float, scripts: bool = False) -> Wire:
    """A connection to the first of the login's places that can be reached and lets us in.

    `deadline` (the event loop's clock) is shared out among those not yet tried; messages name `limit_s`. A refused
    login ends the search: the next server would refuse it too. Raises ConnectError or AuthenticationError.
    """
    errors: list[ConnectError] = []
    for number, place in enumerate(login.places):
        until = _share(deadline, len(login.places) - number)
        try:
            return await _open_one(login, place, until, limit_s, scripts=scripts)
        except AuthenticationError:
            raise
        except ConnectError as error:
            errors.append(error)
    raise _worst(errors)


def _share(deadline: float, parts: int) -> float:
    now = asyncio.get_running_loop().time()
    return now + max(deadline - now, 0.0) / parts


def _worst(errors: Sequence[ConnectError]) -> ConnectError:
    last = errors[-1]
    if len(errors) > 1:
        last.args = ("none of its servers can be used: " + "; ".join(map(str, errors)),)
    return last


async def _open_one(login: Login, place: Place, until: float, limit_s: float, *, scripts: bool) -> Wire:
    _log.debug("connecting to %s, logging in as %s", place, login.username)
    wire = Wire(login, place, scripts=scripts)
    try:
        async with asyncio.timeout_at(until):
            await wire.connect()
    except TimeoutError:
        hosts = () if wire.reached else (place.host,)
        wire.abort()
        raise unresponsive(str(place), limit_s, hosts, hint=HANGS if wire.reached else None) from None
    except ConnectError:
        wire.abort()
        raise
    except BaseException as error:
        wire.abort()
        if not isinstance(error, Exception):
            raise
        raise while_connecting(str(place), login.database, error) from error
    _log.debug("logged in to %s: %s", place, wire.version)
    return wire
