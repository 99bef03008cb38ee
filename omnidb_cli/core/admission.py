"""The slow path of `execute`, without a known route: trial calls with their permits, the last resort, or nobody."""

from omnidb_cli.core.circuit.breaker import COUNTED
from omnidb_cli.core.circuit.model import CircuitState, state_at
from omnidb_cli.core.connection import Connection
from omnidb_cli.core.coordinator import Coordinator
from omnidb_cli.core.reducer import TimeElapsed
from omnidb_cli.core.routing.eligibility import Eligibility
from omnidb_cli.errors import CircuitOpenError, ConnectionUnavailableError


def admit(board: Coordinator, name: str, *, failover: bool) -> tuple[Connection, int | None]:
    """The connection that takes a call for `name` now, and its permit as `CircuitBreaker.admit` gives one.

    Raises ConnectionUnavailableError when nobody is eligible.
    """
    clock = board.now().clock
    chosen = _chosen(board, name, clock, failover=failover)
    if chosen is None:
        raise _unavailable(board, name, clock, failover=failover)
    connection = board.connections[chosen]
    breaker = connection.breaker
    if state_at(breaker.circuit, clock, connection.settings.rules) is not CircuitState.HALF_OPEN:
        return connection, COUNTED if breaker.circuit.failures else None
    if breaker.circuit.state is not CircuitState.HALF_OPEN:
        board.dispatch(chosen, TimeElapsed())
        return admit(board, name, failover=failover)  # anew: whoever heard of it may have taken it out of rotation
    return connection, breaker.take_permit(clock)


def serving(board: Coordinator, name: str) -> Connection:
    """The connection that serves `name` now; no permit is taken.

    Raises CircuitOpenError when nobody is eligible.
    """
    clock = board.now().clock
    chosen = _chosen(board, name, clock, failover=True)
    if chosen is not None:
        return board.connections[chosen]
    breaker = board.connections[name].breaker
    candidates = board.routes.route(name).candidates
    raise CircuitOpenError(name, breaker.retry_after_s(clock), breaker.last_error, candidates)


def _chosen(board: Coordinator, name: str, clock: float, *, failover: bool) -> str | None:
    if failover:
        chosen = board.routes.chosen(name, clock)
    else:
        chosen = None if board.routes.eligibility_for_a_call(name, clock) is Eligibility.INELIGIBLE else name
    if chosen is not None:
        return chosen
    connection = board.connections[name]
    state = state_at(connection.breaker.circuit, clock, connection.settings.rules)
    return name if state is CircuitState.DISABLED else None  # the last resort: no circuit forbids it


def _unavailable(board: Coordinator, name: str, clock: float, *, failover: bool) -> ConnectionUnavailableError:
    candidates = board.routes.route(name).candidates
    if not failover:
        return ConnectionUnavailableError(name, candidates[:1])
    if all(board.routes.eligibility(one, clock) is Eligibility.INELIGIBLE for one in board.router.order(name)):
        board.refused[name] = candidates  # until something changes; permits alone are no such standstill
    return ConnectionUnavailableError(name, candidates)
