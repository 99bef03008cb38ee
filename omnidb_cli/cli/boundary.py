"""Where every error ends: one sentence, a hint, and an exit code."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from omnidb_cli import errors
from omnidb_cli.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context

UsageError = typer.BadParameter.__mro__[1]
"""The base of what Typer itself says about a command line; it has no public name of its own."""

_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (errors.TopologyError, ExitCode.TOPOLOGY),
    (errors.UnknownConnectionError, ExitCode.UNKNOWN_CONNECTION),
    (errors.ConnectionUnavailableError, ExitCode.UNAVAILABLE),
    (errors.CircuitOpenError, ExitCode.UNAVAILABLE),
    (errors.AuthenticationError, ExitCode.AUTHENTICATION),
    (errors.StatementError, ExitCode.STATEMENT),
    (errors.WriteRefusedError, ExitCode.WRITE_REFUSED),
    (errors.DriverError, ExitCode.CONNECTION_FAILED),
    (errors.StateStoreError, ExitCode.STATE_STORE),
    (errors.PreconditionError, ExitCode.PRECONDITION),
)


class Terminated(BaseException):
    """SIGTERM arrived. Not an error: nothing may swallow it on its way out."""


def guarded(run: Callable[[], Any], context: "Callable[[], Context]") -> ExitCode:
    """Runs a command; its exit code, whatever happens. What went wrong is said on stderr."""
    try:
        code = run()
    except (typer.Exit, typer.Abort, UsageError):
        raise  # Typer's own business: help, version, wrong options
    except errors.OmnidbError as error:
        return _told(error, context())
    except BrokenPipeError:
        context().streams.abandon()
        return ExitCode.DONE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Terminated:
        return ExitCode.TERMINATED
    except OSError as error:
        return _unwritable(error, context())
    except Exception as error:  # noqa: BLE001 - the last resort: said as what it is, a defect
        return _defect(error, context())
    return code if isinstance(code, ExitCode) else ExitCode.DONE


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that an error of the tree stands for."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.UNEXPECTED


def _told(error: errors.OmnidbError, context: "Context") -> ExitCode:
    from omnidb_cli.output.messages import Failure

    code = exit_code_of(error)
    kind = getattr(error, "kind", None)
    name = getattr(error, "connection", None) or getattr(error, "name", None)
    context.streams.error(Failure(int(code), None if kind is None else str(kind), _sentence(error), name, error.hint))
    _trace(error, context)
    return code


def _sentence(error: errors.OmnidbError) -> str:
    match error:
        case errors.TopologyError(problems=problems) if problems:
            return "; ".join([str(error), *map(str, problems)]) if len(problems) == 1 else _listed(error)
        case errors.ConnectionUnavailableError(candidates=candidates) if candidates:
            return f"{error}: " + "; ".join(f"{one.name} {one.reason}" for one in candidates)
        case _:
            return str(error)


def _listed(error: errors.TopologyError) -> str:
    return "\n".join([str(error), *(f"  {problem}" for problem in error.problems)])


def _unwritable(error: OSError, context: "Context") -> ExitCode:
    from errno import EPIPE

    if error.errno == EPIPE:
        context.streams.abandon()
        return ExitCode.DONE
    return _defect(error, context)


def _defect(error: BaseException, context: "Context") -> ExitCode:
    from omnidb_cli.output.messages import Failure

    hint = "this is a defect in omnidb: please report it with the output of the same command under --debug"
    message = f"unexpected {type(error).__name__}: {error}"
    context.streams.error(Failure(int(ExitCode.UNEXPECTED), "internal", message, None, hint))
    _trace(error, context)
    return ExitCode.UNEXPECTED


def _trace(error: BaseException, context: "Context") -> None:
    if not context.debug:
        return
    from traceback import format_exception

    context.streams.trace("".join(format_exception(error)))
