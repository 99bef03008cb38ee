"""What may run on a backup: only what the server itself says that it changes nothing."""

from collections.abc import Sequence
from typing import Any

from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.errors import ReplyError, rejected, rule_of, said
from omnidb_cli.drivers.redis.protocol import Command
from omnidb_cli.drivers.redis.statement import name_of
from omnidb_cli.errors import DriverError, ErrorKind, StatementError, WriteRefusedError

_ABOUT_THE_SERVER = frozenset({
    "acl cat", "acl getuser", "acl list", "acl users", "acl whoami",
    "client getname", "client id", "client info", "client list",
    "cluster countkeysinslot", "cluster getkeysinslot", "cluster info", "cluster keyslot", "cluster links",
    "cluster myid", "cluster nodes", "cluster replicas", "cluster shards", "cluster slots",
    "command", "command count", "command docs", "command getkeys", "command getkeysandflags", "command info",
    "command list", "config get", "echo", "function list", "function stats", "info", "lastsave",
    "latency doctor", "latency graph", "latency histogram", "latency history", "latency latest",
    "memory doctor", "memory malloc-stats", "memory stats", "module list", "ping",
    "pubsub channels", "pubsub numpat", "pubsub numsub", "pubsub shardchannels", "pubsub shardnumsub",
    "role", "slowlog get", "slowlog len", "time",
})  # fmt: skip
"""Reads of the server's own state: they touch no key, so servers flag them neither `readonly` nor `write`."""

_CHANGES_KEYS = frozenset({"RW", "OW", "RM"})
"""What a server says of a command's keys. PFCOUNT is `readonly`, and may all the same write its cache into them."""


async def refusal(link: Link, command: Command) -> str | None:
    """Why the command may not run where nothing may change; None if it may.

    Asks the server for its flags. Raises StatementError for a command that the server does not know, and
    WriteRefusedError when the server does not tell.
    """
    names = [command[0], b"|".join(command[:2])]
    [reply] = await link.ask((b"COMMAND", b"INFO", *names))
    if isinstance(reply, ReplyError):
        if rule_of(reply).kind is not ErrorKind.STATEMENT:
            raise rejected(reply, link.place)
        raise WriteRefusedError(
            f"the server does not tell whether {name_of(command)} only reads ({said(reply)})",
            hint="give the user the right to ask: ACL SETUSER … +command|info",
        )
    try:
        return refused_by_flags(command, reply)
    except (TypeError, LookupError, AttributeError, ValueError) as error:  # it may be of any shape
        raise DriverError(f"{link.place}: its description of {name_of(command)} cannot be read") from error


def refused_by_flags(command: Command, described: Sequence[Any]) -> str | None:
    """The same, from the server's descriptions of the command and of its subcommand (None: it has none)."""
    whole, part = described[0], described[1] if len(described) > 1 else None
    if whole is None:
        raise StatementError(f"the server knows no command {name_of(command)}")
    name = command[0].decode(errors="replace").lower()
    second = command[1].decode(errors="replace").lower() if len(command) > 1 else ""
    has_parts = len(whole) > 9 and bool(whole[9])
    if has_parts and second and part is None:
        raise StatementError(f"the server knows no command {name_of(command)} {second.upper()}")
    found = part if has_parts and part is not None else whole
    flags = _words(found[2])
    if "write" in flags or _key_flags(found) & _CHANGES_KEYS:
        return f"the server says that {name.upper()} writes"
    if "readonly" in flags or name in _ABOUT_THE_SERVER or f"{name} {second}" in _ABOUT_THE_SERVER:
        return None
    return f"the server does not flag {f'{name} {second}'.upper() if has_parts else name.upper()} as readonly"


def _key_flags(described: Sequence[Any]) -> frozenset[str]:
    """What the command does to its keys, as Redis 7 and Valkey describe it."""
    found: set[str] = set()
    for spec in described[8] if len(described) > 8 else ():
        named = spec if isinstance(spec, dict) else dict(zip(spec[::2], spec[1::2], strict=False))
        found |= _words(named.get(b"flags", ()))
    return frozenset(found)


def _words(flags: Sequence[bytes]) -> frozenset[str]:
    return frozenset(flag.decode(errors="replace") for flag in flags)
