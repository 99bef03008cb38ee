"""How to connect to PostgreSQL: the parts of a URL, as libpq reads them, in the words of asyncpg."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import TopologyError

PORT = 5432
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

_CHOICES: Mapping[str, tuple[str, ...]] = {"sslmode": SSL_MODES, "target_session_attrs": SESSION_ATTRS}

_NOT_SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "channel_binding": ("prefer", "disable"),
    "gssencmode": ("prefer", "disable"),
    "load_balance_hosts": ("disable",),
    "requirepeer": (),
    "require_auth": (),
    "replication": ("false", "off", "no", "0"),
}
"""What promises something that is not kept here, and the values that promise nothing."""

_WITHOUT_EFFECT = frozenset(
    {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslcompression",
     "sslsni", "sslcertmode", "client_encoding", "fallback_application_name", "connect_timeout", "port",
     "target_session_attrs", *_NOT_SUPPORTED}
)  # fmt: skip
"""Not passed on: omnidb has its own time limits, speaks UTF-8, or has read it here."""


class Login(NamedTuple):
    """Where and as whom. `params` go on as they are; those that asyncpg does not know are the server's settings."""

    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None
    database: str | None
    params: Mapping[str, str]
    session_attrs: str
    connect_timeout_s: float | None

    def place(self, host: str, port: int) -> str:
        """One of the hosts and the database, for people."""
        shown = f"unix:{host}" if host.startswith("/") else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"{shown}/{self.database}" if self.database else shown

    @property
    def places(self) -> str:
        """All of the hosts, for people."""
        return ", ".join(self.place(*host) for host in self.hosts)


def login_of(target: Target) -> Login:
    """How `target` is connected to. Raises TopologyError for a parameter that it cannot have."""
    params = dict(target.params)
    for name, value in params.items():
        allowed = _CHOICES.get(name)
        if allowed is not None and value not in allowed:
            raise _fault(target, f"{name} is one of {', '.join(allowed)}")
        if name in _NOT_SUPPORTED and value not in _NOT_SUPPORTED[name]:
            raise _fault(target, f"{name}={value} is not supported", hint=f"leave {name} out")
    default_port = _number(target, "port", params.get("port")) or PORT
    return Login(
        hosts=tuple((host, port or int(default_port)) for host, port in target.hosts),
        username=target.username,
        password=target.password,
        database=target.database or params.pop("dbname", None),
        params=_passed_on(params),
        session_attrs=params.get("target_session_attrs") or os.environ.get("PGTARGETSESSIONATTRS") or "any",
        connect_timeout_s=_number(target, "connect_timeout", params.get("connect_timeout")) or None,
    )


def _passed_on(params: Mapping[str, str]) -> Mapping[str, str]:
    name = params.get("application_name") or os.environ.get("PGAPPNAME") or params.get("fallback_application_name")
    passed = {key: value for key, value in params.items() if key not in _WITHOUT_EFFECT and value}
    return passed | {"application_name": name or "omnidb"}


def _number(target: Target, name: str, text: str | None) -> float | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise _fault(target, f"{name} is a number, not {text!r}")
    return float(text)


def _fault(target: Target, what: str, *, hint: str | None = None) -> TopologyError:
    return TopologyError(f'connection "{target.name}": in its URL, {what}', hint=hint)
