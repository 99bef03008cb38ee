"""Where every error ends: one sentence, a hint, and an exit code."""

from collections.abc import Callable, Collection
from enum import IntEnum
from errno import EDQUOT, EFBIG, EIO, EMFILE, ENFILE, ENOSPC
from signal import SIGHUP
from typing import TYPE_CHECKING, Any, Protocol

import typer

from omnidb_cli import errors
from omnidb_cli.cli.signals import Terminated

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams


class ExitCode(IntEnum):
    """How a command ended. `meaning` is the sentence of the documentation."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    @classmethod
    def of(cls, code: int) -> "ExitCode":
        """The exit code of that number."""
        return next(one for one in cls if one == code)

    DONE = 0, "done"
    UNEXPECTED = 1, "unexpected error: a defect in omnidb"
    USAGE = 2, "usage"
    TOPOLOGY = 3, "topology invalid, unreadable or a secret unresolved"
    UNKNOWN_CONNECTION = 4, "no such connection"
    DEGRADED = 10, "finding: not all is well, but every connection that no person holds is served"
    DOWN = 11, "finding: at least one connection that no person holds is not served"
    NO_EVIDENCE = 12, "finding: evidence is missing or too old, this host has trouble of its own, or may be isolated"
    SPLIT_BRAIN = 13, "finding: split brain: a replica and its primary both take writes"
    UNAVAILABLE = 20, "no eligible endpoint"
    CONNECTION_FAILED = 21, "connect failed, connection lost, or the time limit ran out"
    AUTHENTICATION = 22, "authentication refused"
    STATEMENT = 23, "the server rejected the statement"
    WRITE_REFUSED = 24, "refused by policy: a write on a backup"
    STATE_STORE = 31, "state store unusable"
    PRECONDITION = 32, "precondition not met"
    TIMED_OUT = 124, "`watch --until` ran out of its `--timeout`"
    HUNG_UP = 129, "the terminal is gone"
    INTERRUPTED = 130, "interrupted"
    TERMINATED = 143, "terminated"


UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""The base of what Typer itself says about a command line; it has no public name of its own."""

_NO_ROOM = (ENOSPC, EDQUOT, EIO, EFBIG)
_REPORT = "this is a defect in omnidb: please report it with the output of the same command under --debug"

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


class Reporter(Protocol):
    """What an error is said through."""

    @property
    def streams(self) -> "Streams": ...

    @property
    def debug(self) -> bool: ...


def guarded(run: Callable[[], Any], context: "Callable[[], Reporter]") -> ExitCode:
    """Runs a command; its exit code, whatever happens. What went wrong is said on stderr."""
    try:
        code = run()
    except (typer.Exit, typer.Abort, UsageError):
        raise  # Typer's own business: help, version, wrong options
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Terminated as end:
        return ExitCode.HUNG_UP if end.number == SIGHUP else ExitCode.TERMINATED
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it is said
        return _said(_only_one_of(error), context())
    return code if isinstance(code, ExitCode) else ExitCode.DONE


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that an error of the tree stands for."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.UNEXPECTED


def _only_one_of(error: Exception) -> Exception:
    """The error that a group of tasks broke off with, which comes wrapped where it is the only one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _said(error: Exception, context: "Reporter") -> ExitCode:
    match error:
        case errors.OmnidbError():
            code = exit_code_of(error)
            kind, name = getattr(error, "kind", None), error.connection or getattr(error, "name", None)
            _say(context, error, code, None if kind is None else str(kind), sentence(error), name, error.hint)
        case BrokenPipeError():
            context.streams.abandon()
            code = ExitCode.DONE
        case OSError(errno=int(number)) if number in {EMFILE, ENFILE}:
            from omnidb_cli.descriptors import LACKS

            code = ExitCode.NO_EVIDENCE
            said, hint = LACKS[number]
            _say(context, error, code, "local", said, None, hint)
        case OSError() if error.errno in _NO_ROOM:
            code = ExitCode.UNEXPECTED
            _say(context, error, code, None, f"the output cannot be written: {(error.strerror or '').lower()}")
        case _:
            code = ExitCode.UNEXPECTED
            message = context.streams.hide(errors.within_limit(f"unexpected {type(error).__name__}: {error}"))
            _say(context, error, code, "internal", message, None, _REPORT)
    return code


def sentence(error: errors.OmnidbError) -> str:
    """What the error says to people, all of it: each problem of a topology on a line of its own."""
    match error:
        case errors.TopologyError(problems=problems) if problems:
            return "\n".join([str(error), *(str(one) for one in problems if one.message not in str(error))])
        case errors.ConnectionUnavailableError(candidates=candidates) if candidates:
            from omnidb_cli.core.routing.eligibility import against

            return f"{error}: {against(candidates, len(candidates))}"
        case _:
            return str(error)


def _say(
    context: "Reporter",
    error: Exception,
    code: ExitCode,
    kind: str | None,
    message: str,
    name: str | None = None,
    hint: str | None = None,
) -> None:
    from omnidb_cli.output.messages import ErrorMessage

    context.streams.error(ErrorMessage(int(code), kind, message, name, hint))
    if context.debug:
        from traceback import format_exception

        context.streams.trace("".join(format_exception(error)))


def suggestion(word: str, known: Collection[str]) -> str:
    """`: did you mean status?` for the nearest of the known words, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    return f": did you mean {near[0]}?" if near else ""
