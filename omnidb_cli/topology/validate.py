"""Plain data to a Topology, or to every reason why not."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from omnidb_cli.topology.converters import defaults, is_name, shown
from omnidb_cli.topology.document import Path, Value, short
from omnidb_cli.topology.failover import cycles
from omnidb_cli.topology.keys import NAME_RULE
from omnidb_cli.topology.model import CircuitBreakerSettings, Connection, FailoverRule, HealthCheckSettings, Topology
from omnidb_cli.topology.problems import Faults
from omnidb_cli.topology.reader import Backups, Sections
from omnidb_cli.topology.scalars import BROKEN
from omnidb_cli.topology.secrets.secret import Secret, Secrets
from omnidb_cli.topology.urls.check import UrlCheck
from omnidb_cli.topology.urls.state import StateUrl
from omnidb_cli.topology.urls.url import Url

_LONGEST_CHAIN = 20


def validate(
    data: Value, sections: Sections, urls: UrlCheck, faults: Faults, *, name: str, path: str | None
) -> Topology:
    """The topology that `data` describes, called `name` unless it says otherwise. Void when there are any faults."""
    found = sections.read((), data, "topology")
    connections = found.get("connections", {})
    if not connections and isinstance(data, dict) and "connections" in found:
        faults.add(("connections",), "is empty: at least one connection is needed")
    state: StateUrl | None = found.get("state")
    common = _health_check(found.get("health_check", {}), _HEALTH_CHECK)
    made = _Connections(sections, urls, faults, common)
    read = {one.name: one for name, value in connections.items() if (one := made.connection(name, value))}
    return Topology(
        name=found.get("name", name),
        path=path,
        connections=MappingProxyType(read),
        failover=_failover(found.get("failover", {}), connections, sections, faults),
        health_check=common,
        circuit_breaker=_circuit_breaker(found.get("circuit_breaker", {}), faults),
        state=state,
        secrets=Secrets([*made.secrets, *(state.secrets if state else ())]),
        named="name" in found,
    )


class _Connections:
    """Reads connections one after the other and keeps the secrets that it meets."""

    def __init__(self, sections: Sections, urls: UrlCheck, faults: Faults, common: HealthCheckSettings) -> None:
        self._sections = sections
        self._urls = urls
        self._faults = faults
        self._common = common
        self.secrets: set[Secret] = set()

    def connection(self, name: str, value: Value) -> Connection | None:
        """The connection, or None when its URL is not usable."""
        path = ("connections", name)
        if not is_name(name):
            self._faults.add(path, f"a connection's name is made of {NAME_RULE}", at_key=True)
        found = self._sections.read(path, value, "connection")
        url: Url | None = found.get("url")
        if url is None or not isinstance(value, dict):
            return None
        url = self._urls.checked((*path, "url"), url, value["url"])
        if password := found.get("password"):
            if url.password is not None:
                self._faults.add((*path, "password"), "there is a password in the url too: leave one of them out")
            url = replace(url, password=Secret(password))
        self.secrets.update(url.secrets)
        return Connection(
            name=name,
            engine=url.engine,
            url=url,
            role=found.get("role"),
            tags=found.get("tags", ()),
            max_lag_s=found.get("max_lag"),
            slow_s=found.get("slow"),
            health_check=_health_check(found.get("health_check", {}), self._common),
        )


def _health_check(found: Mapping[str, Any], base: HealthCheckSettings) -> HealthCheckSettings:
    if not found:
        return base
    retry = found.get("retry", {})
    return HealthCheckSettings(
        interval_s=found.get("interval", base.interval_s),
        timeout_s=found.get("timeout", base.timeout_s),
        retries=retry.get("retries", base.retries),
        retry_delay_s=retry.get("delay", base.retry_delay_s),
        rise=found.get("rise", base.rise),
        fall=found.get("fall", base.fall),
        statement=found.get("statement", base.statement),
    )


def _default_health_check() -> HealthCheckSettings:
    check: dict[str, Any] = defaults("health_check")
    retry: dict[str, Any] = defaults("retry")
    return HealthCheckSettings(
        check["interval"], check["timeout"], retry["retries"], retry["delay"], check["rise"], check["fall"], None
    )


_HEALTH_CHECK = _default_health_check()


def _circuit_breaker(found: Mapping[str, Any] | bool, faults: Faults) -> CircuitBreakerSettings | None:
    """`true` is the same as leaving it out."""
    if found is False:
        return None
    written = {} if found is True else found
    values: dict[str, Any] = {**defaults("circuit_breaker"), **written}
    longest_s = values["max_reset_timeout"]
    if longest_s < values["reset_timeout"]:
        if "max_reset_timeout" in written:
            faults.add(("circuit_breaker", "max_reset_timeout"), "must not be shorter than reset_timeout")
        longest_s = values["reset_timeout"]
    return CircuitBreakerSettings(
        values["threshold"], values["reset_timeout"], values["half_open_successes"], longest_s
    )


def _failover(
    rules: Mapping[str, Value], known: Collection[str], sections: Sections, faults: Faults
) -> Mapping[str, FailoverRule]:
    made = {}
    for name, value in rules.items():
        if name not in known:
            near = faults.nearest(name, known)
            faults.add(("failover", name), f"no connection has this name{near}", at_key=True)
        if value is not None and value is not BROKEN:
            made[name] = _rule(name, value, known, sections, faults)
    for chain in cycles({name: rule.to for name, rule in made.items()}):
        faults.add(("failover", chain[-2]), f"failover cycle: {_drawn(chain)}")
    return MappingProxyType(made)


def _rule(name: str, value: Value, known: Collection[str], sections: Sections, faults: Faults) -> FailoverRule:
    path = ("failover", name)
    found: dict[str, Any] = defaults("failover")
    if isinstance(value, dict):
        found |= sections.read(path, value, "failover")
    elif isinstance(value, str | list):
        found["to"] = sections.backups(path, value)
    else:
        faults.add(path, f"must be a name, a list of names, or a mapping with to, not {shown(value)}")
    to = _ends(name, found.get("to", ()), known, faults)
    return FailoverRule(to, found["writes"], found["failback"], found["failback_after"])


def _ends(name: str, backups: Backups, known: Collection[str], faults: Faults) -> tuple[str, ...]:
    ends: dict[str, Path] = {}
    for backup, path in backups:
        if backup == name:
            faults.add(path, "a connection cannot stand in for itself")
        elif backup not in known:
            faults.add(path, f'there is no connection "{short(backup)}"{faults.nearest(backup, known)}')
        elif backup in ends:
            faults.add(path, f'"{short(backup)}" is in the list already')
        else:
            ends[backup] = path
    return tuple(ends)


def _drawn(chain: tuple[str, ...]) -> str:
    if len(chain) > _LONGEST_CHAIN:
        left_out = len(chain) - _LONGEST_CHAIN
        chain = (*chain[:10], f"({left_out} more)", *chain[-10:])
    return " → ".join(chain)
