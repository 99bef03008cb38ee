"""From a topology to a running core: the one place that knows both, and the drivers."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from omnidb_cli.cli.rules import circuit_config
from omnidb_cli.core.health.model import CheckResult, HealthPolicy, evaluate, failed
from omnidb_cli.core.orchestrator import Orchestrator
from omnidb_cli.core.settings import Failover, HealthCheck
from omnidb_cli.core.snapshot import ConnectionSnapshot, RoleView, Snapshot, assemble
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Driver, Target
from omnidb_cli.errors import DriverError, within_limit
from omnidb_cli.log import Log, about
from omnidb_cli.topology.secrets.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from omnidb_cli.core.events.mapping import Journal
    from omnidb_cli.topology import Connection, Topology
    from omnidb_cli.topology.model import HealthCheckSettings


_log = Log("cli")


def open_drivers(topology: "Topology", *, to_check: bool = False) -> dict[str, Driver]:
    """A driver for each connection. Touches no network. Raises TopologyError for an engine without one.

    For whoever is about to check all of them, everything that checks need is imported, before any clock runs: no
    import counts as a server's latency, or uses up its time limit.
    """
    drivers = {name: open_driver(target_of(one, topology.secrets.learn)) for name, one in topology.connections.items()}
    for driver in drivers.values() if to_check else ():
        with suppress(ImportError):  # the check that needs it says so
            driver.load()
    return drivers


def _untold(_name: str, _powers: str) -> None:
    """Where nobody is told of accounts with too many rights."""


def orchestrator(
    topology: "Topology",
    drivers: "Mapping[str, Driver]",
    journal: "Journal | None" = None,
    *,
    too_mighty: Callable[[str, str], None] = _untold,
) -> Orchestrator:
    """The core over the topology's drivers; it closes them when it disconnects, and checks one that broke at once.

    `too_mighty` is told of each connection whose account may do what no guard holds back, and what that is.
    """
    redact = Redactor(topology.secrets)
    checks = {name: _check(one, redact, too_mighty) for name, one in topology.connections.items()}
    db = _over(topology, drivers, journal, checks)
    for name, driver in drivers.items():
        driver.on_lost = partial(db.request_check, name)
    return db


def offline_orchestrator(topology: "Topology", journal: "Journal | None" = None) -> Orchestrator:
    """The core without any driver: for what is decided from the saved state alone."""
    return _over(topology, {name: name for name in topology.connections}, journal, _nobody_checks(topology))


def _over(
    topology: "Topology",
    clients: "Mapping[str, Any]",
    journal: "Journal | None",
    checks: "Mapping[str, Callable[[Any], Any]]",
) -> Orchestrator:
    connections = topology.connections
    default = _health_check(topology.health_check)
    return Orchestrator(
        clients,
        failover={
            name: Failover(rule.to, failback=rule.failback, failback_after=rule.failback_after_s)
            for name, rule in topology.failover.items()
        },
        health_check=replace(
            default,
            checks=checks,
            roles={name: one.role for name, one in connections.items()},
            overrides={
                name: _health_check(one.health_check)
                for name, one in connections.items()
                if one.health_check != topology.health_check
            },
        ),
        circuit_breaker=circuit_config(topology),
        journal=journal,
    )


def _nobody_checks(topology: "Topology") -> dict[str, Callable[[Any], Any]]:
    return {name: lambda _client: None for name in topology.connections}


def _check(
    connection: "Connection", redact: Callable[[str], str], too_mighty: Callable[[str, str], None]
) -> Callable[[Driver], Any]:
    expected = HealthPolicy(connection.role, connection.max_lag_s, connection.slow_s)

    async def check(driver: Driver) -> CheckResult:
        try:
            answer = await driver.check()
            if answer.powers is not None:
                too_mighty(connection.name, answer.powers)
            return without_secrets(evaluate(answer, expected), redact)
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its verdict
            return failed_check(error, redact)

    return _logged(check, connection.name) if _log.is_heard else check


def _logged(check: Callable[[Driver], Any], name: str) -> Callable[[Driver], Any]:
    """The check with its steps, those of its driver too, logged under the connection's name."""

    async def logged(driver: Driver) -> CheckResult:
        with about(name):
            _log.debug("check begins")
            result: CheckResult = await check(driver)
            _log.debug("check ends: %s", _words(result))
        return result

    return logged


def _words(result: CheckResult) -> str:
    latency = None if result.latency_s is None else f"{result.latency_s * 1000:.1f} ms"
    return ", ".join(filter(None, (result.health, result.role, latency, result.kind, result.detail)))


def failed_check(error: Exception, redact: Callable[[str], str]) -> CheckResult:
    """The verdict of a check that failed. From here its words go into events, reasons and the state: no secret may."""
    return without_secrets(failed(error), redact)


def without_secrets(result: CheckResult, redact: Callable[[str], str]) -> CheckResult:
    """The verdict with what the server said in it redacted."""
    detail, position = result.detail, result.position
    if detail is None and position is None:
        return result
    return replace(result, detail=detail and within_limit(redact(detail)), position=position and redact(position))


def redacted(error: DriverError, redact: Callable[[str], str]) -> None:
    """Takes the secrets out of what a server says in an error, before it is put into sentences of ours."""
    error.args = (redact(str(error)),)
    error.hint = error.hint and redact(error.hint)


def target_of(connection: "Connection", learn: Callable[[str], None]) -> Target:
    """Where a driver is to connect; here, and only here, the password leaves its wrapper.

    `learn` is told of passwords that the driver finds elsewhere.
    """
    url = connection.url
    password = connection.password
    return Target(
        name=connection.name,
        engine=connection.engine,
        scheme=url.scheme,
        hosts=url.hosts,
        username=url.username,
        password=password.reveal() if password else None,
        database=url.database,
        params=url.params,
        path=url.path,
        statement=connection.health_check.statement,
        timeout_s=connection.health_check.timeout_s,
        learn=learn,
    )


def _health_check(given: "HealthCheckSettings") -> HealthCheck:
    return HealthCheck(
        interval=given.interval_s,
        timeout=given.timeout_s,
        retries=given.retries,
        retry_delay=given.retry_delay_s,
        rise=given.rise,
        fall=given.fall,
    )


def with_topology(snapshot: Snapshot, topology: "Topology", names: "Iterable[str] | None" = None) -> Snapshot:
    """The snapshot with what only the topology knows; of `names` alone where some are given."""
    wanted = None if names is None else set(names)
    connections = tuple(
        _described(one, topology.connections[one.name])
        for one in snapshot.connections
        if wanted is None or one.name in wanted
    )
    return assemble(topology.name, snapshot.taken_at, connections, topology.standbys, snapshot.split_brains)


def _described(one: ConnectionSnapshot, connection: "Connection") -> ConnectionSnapshot:
    return replace(
        one,
        engine=connection.engine,
        address=connection.address,
        tags=connection.tags,
        role=RoleView(connection.role, one.role.actual),
    )
