"""One check of a Redis or Valkey server: what is asked, and what the answers mean."""

import re
from collections.abc import Callable, Mapping
from itertools import compress
from time import perf_counter
from typing import Any

from msgspec import Struct

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import position
from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.errors import ReplyError, rejected, rule_of
from omnidb_cli.drivers.redis.protocol import Command, packed
from omnidb_cli.errors import DriverError, ErrorKind, StatementError, WriteRefusedError

HEARTBEAT_S = 11
"""A primary speaks to its replicas every 10 s (repl-ping-replica-period), and checks its clock every second: so
long a silence is an idle primary's, and no lag."""

_PING = (b"PING",)
_REPLICATION = (b"INFO", b"replication")
_WHO = {3: (b"HELLO", b"3"), 2: (b"INFO", b"server")}  # HELLO needs no right at all
_ROLES = {"master": "primary", "primary": "primary", "slave": "replica", "replica": "replica"}

Facts = Mapping[str, str]


class Replication(Struct, frozen=True):
    """What a server says of its place in the replication; None where it does not say."""

    role: str | None = None
    writable: bool | None = None
    lag_s: float | None = None
    stalled: str | None = None
    position: str | None = None


_IS_PRIMARY = b"\nrole:master\r"
_POSITION = re.compile(rb"\nmaster_replid:(\w+)\r.*?\nmaster_repl_offset:(\d+)\r", re.DOTALL)
_SHORT_ID = 8


class Checker:
    """Checks, any number of times, on one connection; `statement` is the topology's own check statement, or None."""

    def __init__(self, link: Link, statement: str | None) -> None:
        self.link = link
        self._statement = statement
        self._version: str | None = None
        self._role: str | None = None
        self._commands: list[Command] = []
        self._packed = b""

    @property
    def is_usable(self) -> bool:
        """Whether its connection can be asked once more."""
        return self.link.is_open

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called when the connection ends by itself."""
        self.link.on_end = on_end

    async def aclose(self) -> None:
        """Ends the connection at once."""
        self.link.abort()

    async def check(self, started: float) -> Observation:
        """All in one round trip, but for the first check, which asks what a check statement would do.

        `started` is when the check began (`perf_counter`). Raises DriverError.
        """
        if not self._commands:
            self._commands = await self._first_commands()
            self._packed = packed(*self._commands)
        replies = await self.link.exchange(self._packed, len(self._commands))
        self._alive(replies[0])
        asked_who = self._commands[-1] is _WHO[self.link.resp]
        if asked_who:
            self._introduced(facts_of(replies.pop()))
        if len(replies) > 2:
            self._answered(replies[2])
        seen = _seen(replies[1])
        if seen.role is None:
            seen = Replication(self._role)
        elif asked_who:
            self._commands = self._commands[:-1]
            self._packed = packed(*self._commands)
        latency_s = perf_counter() - started
        return Observation(latency_s, seen.role, seen.writable, seen.lag_s, seen.stalled, self._version, seen.position)

    async def _first_commands(self) -> list[Command]:
        """Who it is comes last: it is asked no more, once its place in the replication may be read."""
        own = [] if self._statement is None else [await self._checked_statement(self._statement)]
        return [_PING, _REPLICATION, *own, _WHO[self.link.resp]]

    def _introduced(self, who: Facts) -> None:
        if (who.get("mode") or who.get("redis_mode")) == "sentinel":
            raise DriverError(
                f"{self.link.place}: it is a Redis Sentinel, which keeps no data",
                kind=ErrorKind.ROLE,
                hint="name the servers that it watches, each as a connection of its own",
            )
        self._version = who.get("valkey_version") or who.get("version") or who.get("redis_version")
        self._role = _ROLES.get(who.get("role", ""))

    async def _checked_statement(self, statement: str) -> Command:
        from omnidb_cli.drivers.redis.read_only import refusal
        from omnidb_cli.drivers.redis.statement import command_of

        command = command_of(statement, ())
        try:
            why = await refusal(self.link, command)
        except WriteRefusedError as error:
            why = str(error)
        if why is not None:
            raise StatementError(f"the check statement may only read: {why}")
        return command

    def _alive(self, pong: Any) -> None:
        """Any answer will do but one that says: not now. A user who may not PING has an answer all the same."""
        if isinstance(pong, ReplyError):
            if rule_of(pong).kind is not ErrorKind.STATEMENT:
                raise rejected(pong, self.link.place)
        elif pong != b"PONG":
            self.link.abort()
            raise DriverError(
                f"{self.link.place}: it does not answer as Redis does", hint="is it the port of something else?"
            )

    def _answered(self, reply: Any) -> None:
        if isinstance(reply, ReplyError):
            failure = rejected(reply, self.link.place)
            failure.args = (f"the check statement fails: {failure}",)
            raise failure


def _seen(info: Any) -> Replication:
    """The quick way for a primary, of whose other lines only two matter."""
    if isinstance(info, bytes) and _IS_PRIMARY in info:
        found = _POSITION.search(info)
        where = None if found is None else _position(found[1].decode(errors="replace"), found[2].decode())
        return Replication("primary", True, position=where)
    return replication_of(facts_of(info))


def facts_of(reply: Any) -> Facts:
    """The lines of an INFO, or the map of a HELLO, by name; none where it was refused."""
    if isinstance(reply, dict):
        texts = (isinstance(key, bytes) and isinstance(value, bytes) for key, value in reply.items())
        pairs = compress(reply.items(), texts)
        return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in pairs}
    if not isinstance(reply, bytes):
        return {}
    lines = reply.decode(errors="replace").splitlines()
    parted = [line.partition(":") for line in lines]
    return {name: value for name, colon, value in parted if colon}


def replication_of(facts: Facts) -> Replication:
    """What INFO replication says. A primary is never behind; a replica knows how far only from what it has heard."""
    role = _ROLES.get(facts.get("role", ""))
    if role != "replica":
        return Replication(role, True if role == "primary" else None)
    read_only = facts.get("slave_read_only")
    writable = None if read_only is None else read_only == "0"
    stalled = _stalled(facts)
    lag_s = _lag_s(facts, stalled=stalled is not None)
    return Replication(role, writable, lag_s, stalled, _where(facts) if writable else None)


def _where(facts: Facts) -> str | None:
    """The position of a replica that takes writes; None where it does not say."""
    named, offset = facts.get("master_replid"), facts.get("master_repl_offset")
    return None if named is None or offset is None else _position(named, offset)


def _position(replication_id: str, offset: str) -> str:
    return position(f"replication id {replication_id[:_SHORT_ID]}…, offset {offset}")


def _stalled(facts: Facts) -> str | None:
    copies, is_down = facts.get("master_sync_in_progress") == "1", facts.get("master_link_status") == "down"
    if not (copies or is_down):
        return None
    primary = f"{facts.get('master_host', '?')}:{facts.get('master_port', '?')}"
    if copies:
        return f"replication stopped: it is copying all data from its primary {primary}"
    since_s = _seconds(facts, "master_link_down_since_seconds")
    if since_s is None:
        return f"replication stopped: it has had no link to its primary {primary} since it started"
    return f"replication stopped: the link to its primary {primary} has been down for {since_s:.0f}s"


def _lag_s(facts: Facts, *, stalled: bool) -> float | None:
    """How old the data may be. With the link up, all that was received is applied as it comes."""
    if stalled:
        return _seconds(facts, "master_link_down_since_seconds")
    silent_s = _seconds(facts, "master_last_io_seconds_ago")
    if silent_s is None:
        return None
    return silent_s if silent_s > HEARTBEAT_S else 0.0


def _seconds(facts: Facts, name: str) -> float | None:
    """A number of seconds; None for the -1 that stands for never."""
    text = facts.get(name, "")
    return float(text) if text.isascii() and text.isdigit() else None
