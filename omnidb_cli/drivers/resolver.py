"""Host names looked up so that a silent name server delays nobody but those who wait for that one name.

asyncio looks names up in a few threads that all its work shares: a handful of dead names hold them all. Here each
name has a thread of its own, and what needs no name service takes none.
"""

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from msgspec import Struct

from omnidb_cli.log import Log

_log = Log("drivers.resolver")

MOST_AT_ONCE = 512
"""Names looked up at the same time; beyond that a look-up fails at once."""

_KEPT_S = 60.0
"""How long an answer that came too late for everybody who waited is good for the next one who asks."""

_HOSTS_FILE = "/etc/hosts"
_LONGEST_HOSTS_FILE = 1_000_000
_LOOPBACK = ("::1", "127.0.0.1")

Addresses = Sequence[tuple[Any, ...]]


class _Asked(Struct, frozen=True):
    """What `getaddrinfo` is asked, its port aside: every port of a host shares one look-up."""

    host: str
    family: int
    type: int
    proto: int
    flags: int


class _Lookup:
    """One running or finished look-up. `waiting` counts those who wait for it now."""

    def __init__(self, answer: "asyncio.Future[Addresses]") -> None:
        self.answer = answer
        self.waiting = 0
        self.ended_s = 0.0


class ResolvingLoop(asyncio.SelectorEventLoop):
    """An event loop whose look-ups never wait for one another.

    A look-up that outlives its caller goes on, and serves the next one who asks; the end of the process waits for none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lookups: dict[_Asked, _Lookup] = {}

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name is asyncio's
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, ...]]:
        """What `socket.getaddrinfo` answers. Raises what it raises; at once when too many names are looked up."""
        name = (os.fsdecode(host) if isinstance(host, bytes) else host or "").lower()
        known = _without_a_name_service(name, family, type, proto, flags)
        if known is None:
            known = await self._looked_up(_Asked(name, family, type, proto, flags))
        return _with_port(known, _number_of(port, type))

    def is_looking_up(self, host: str) -> bool:
        """Whether the name service still owes the answer for this host."""
        return any(asked.host == host.lower() and not lookup.answer.done() for asked, lookup in self._lookups.items())

    async def _looked_up(self, asked: _Asked) -> Addresses:
        _log.debug("resolving %s", asked.host)
        lookup = self._current(asked) or self._begun(asked)
        lookup.waiting += 1
        try:
            await asyncio.wait([lookup.answer])  # a caller that is cancelled leaves the look-up as it is
        finally:
            lookup.waiting -= 1
        if not lookup.waiting and self._lookups.get(asked) is lookup:
            del self._lookups[asked]
        if (error := lookup.answer.exception()) is not None:
            _log.debug("resolving %s failed: %s", asked.host, error)
            raise error
        addresses = lookup.answer.result()
        _log.debug("%s has %d addresses", asked.host, len(addresses))
        return addresses

    def _current(self, asked: _Asked) -> _Lookup | None:
        """The look-up that runs, or whose answer nobody has had yet."""
        lookup = self._lookups.get(asked)
        if lookup is not None and lookup.answer.done() and self.time() - lookup.ended_s > _KEPT_S:
            del self._lookups[asked]
            return None
        return lookup

    def _begun(self, asked: _Asked) -> _Lookup:
        running = sum(not lookup.answer.done() for lookup in self._lookups.values())
        if running >= MOST_AT_ONCE:
            raise socket.gaierror(socket.EAI_AGAIN, f"{running} other names wait for the name service already")
        lookup = _Lookup(self.create_future())
        Thread(target=self._look_up, args=(asked, lookup), name="omnidb-name", daemon=True).start()
        self._lookups[asked] = lookup
        return lookup

    def _look_up(self, asked: _Asked, lookup: _Lookup) -> None:
        """Runs in a thread of its own."""
        answer: Addresses | Exception
        try:
            answer = socket.getaddrinfo(
                asked.host, None, family=asked.family, type=asked.type, proto=asked.proto, flags=asked.flags
            )
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer = error
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            self.call_soon_threadsafe(self._ended, asked, lookup, answer)

    def _ended(self, asked: _Asked, lookup: _Lookup, answer: "Addresses | Exception") -> None:
        lookup.ended_s = self.time()
        if not isinstance(answer, Exception):
            lookup.answer.set_result(answer)
            return
        lookup.answer.set_exception(answer)
        lookup.answer.exception()  # those who wait raise it; where nobody does, asyncio need not tell of it
        if self._lookups.get(asked) is lookup:
            del self._lookups[asked]


def is_owed_by_name_service(hosts: Iterable[str]) -> bool:
    """Whether each of these hosts (there is one at least) still waits to be looked up."""
    loop = asyncio.get_running_loop()
    names = tuple(hosts)
    return bool(names) and isinstance(loop, ResolvingLoop) and all(map(loop.is_looking_up, names))


def _without_a_name_service(host: str, family: int, type: int, proto: int, flags: int) -> Addresses | None:  # noqa: A002
    """The addresses of what is one itself, of no host, and of `localhost`; None where a name has to be looked up."""

    def addresses(*literals: str) -> Addresses:
        found: list[tuple[Any, ...]] = []
        for one in literals:
            with suppress(socket.gaierror):  # not an address, or one of another family
                numeric = flags | socket.AI_NUMERICHOST
                found += socket.getaddrinfo(one or None, None if one else 0, family, type, proto, numeric)
        return found

    if host == "localhost":
        return addresses(*_of_localhost()) or addresses(*_LOOPBACK)
    return addresses(host) or None


def _of_localhost() -> Sequence[str]:
    """The addresses that /etc/hosts has for `localhost`, IPv6 first as the system has it; none where there is none."""
    try:
        with open(_HOSTS_FILE, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - bounded
            lines = file.read(_LONGEST_HOSTS_FILE).splitlines()
    except OSError:
        return ()
    entries = [line.partition("#")[0].split() for line in lines if "localhost" in line.lower()]
    found = [words[0] for words in entries if "localhost" in map(str.lower, words[1:])]
    return sorted(dict.fromkeys(found), key=lambda address: ":" not in address)


def _with_port(addresses: Addresses, port: int) -> list[tuple[Any, ...]]:
    return [(*one[:4], (one[4][0], port, *one[4][2:])) for one in addresses]


def _number_of(port: str | bytes | int | None, type: int) -> int:  # noqa: A002 - as above
    """The port's number; one by name is in /etc/services."""
    if isinstance(port, str | bytes):
        return int(socket.getaddrinfo(None, port, type=type)[0][4][1])
    return port or 0
