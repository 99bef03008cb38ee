"""Every error ends as one sentence and an exit code, here and nowhere else."""

import errno
import json
import os
from io import StringIO

import pytest
import typer

from omnidb_cli import errors
from omnidb_cli.cli.context import Context
from omnidb_cli.cli.errors import ExitCode, exit_code_of, guarded, sentence
from omnidb_cli.cli.signals import Terminated
from omnidb_cli.core.snapshot import Candidate
from omnidb_cli.errors import Problem
from omnidb_cli.output.streams import Streams

CODES = (
    (errors.TopologyError("x"), 3),
    (errors.UnknownConnectionError("x"), 4),
    (errors.ConnectionUnavailableError("x"), 20),
    (errors.CircuitOpenError("x"), 20),
    (errors.ConnectError("x"), 21),
    (errors.ConnectionLostError("x"), 21),
    (errors.StatementTimeout("x"), 21),
    (errors.AuthenticationError("x"), 22),
    (errors.StatementError("x"), 23),
    (errors.WriteRefusedError("x"), 24),
    (errors.StateStoreError("x"), 31),
    (errors.PreconditionError("x"), 32),
    (errors.NotConnectedError("x"), 1),
)


class Heard(Context):
    """A context whose streams are kept."""

    def __init__(self, form: str = "table", *, debug: bool = False) -> None:
        super().__init__(env={})
        self.out, self.err = StringIO(), StringIO()
        self._streams = Streams(self.out, self.err, env={}, format=form)
        self.debug = debug


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda given: type(given).__name__)
def test_each_error_has_its_code_and_is_said_once(error: errors.OmnidbError, code: int) -> None:
    heard = Heard()
    assert guarded(lambda: raising(error), lambda: heard) == exit_code_of(error) == code
    assert heard.err.getvalue() == f"error: {sentence(error)}\n"
    assert heard.out.getvalue() == ""


def test_every_error_of_the_tree_is_in_the_table() -> None:
    def tree(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*map(tree, kind.__subclasses__()))

    ours = {kind for kind in tree(errors.OmnidbError) if kind.__module__ == errors.__name__}
    defects = {errors.OmnidbError, errors.ConfigurationError, errors.DriverError}
    assert ours - defects == {type(error) for error, _ in CODES}


def test_a_defect_is_said_to_be_one() -> None:
    heard = Heard("json")
    assert guarded(lambda: raising(KeyError("x")), lambda: heard) is ExitCode.UNEXPECTED
    error = json.loads(heard.err.getvalue())["error"]
    assert (error["code"], error["kind"]) == (1, "internal")
    assert "report it" in error["hint"]


def test_a_host_without_descriptors_says_so() -> None:
    heard = Heard("json")
    assert guarded(lambda: raising(OSError(errno.EMFILE, "x")), lambda: heard) is ExitCode.NO_EVIDENCE
    error = json.loads(heard.err.getvalue())["error"]
    assert (error["code"], error["kind"]) == (12, "local")
    assert "ulimit -n" in f"{error['message']} {error['hint']}"


def test_a_group_of_one_is_that_one() -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("tasks", [errors.StateStoreError("gone")])])
    heard = Heard()
    assert guarded(lambda: raising(group), lambda: heard) is ExitCode.STATE_STORE
    assert heard.err.getvalue() == "error: gone\n"
    assert guarded(lambda: raising(ExceptionGroup("tasks", [BrokenPipeError()])), Heard) is ExitCode.DONE


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (Terminated(1), 129), (BrokenPipeError(), 0)]
)
def test_what_is_no_error_is_not_talked_about(error: BaseException, code: int) -> None:
    heard = Heard()
    assert guarded(lambda: raising(error), lambda: heard) == code
    assert heard.err.getvalue() == ""


def test_once_its_reader_is_gone_nothing_fails_on_stdout_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    heard = Heard()
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        heard._streams = Streams(out, heard.err, env={}, format="table")

        def write() -> None:
            out.write("rows\n")
            out.flush()

        assert guarded(write, lambda: heard) is ExitCode.DONE
        write()
    assert heard.err.getvalue() == ""


@pytest.mark.parametrize("error", [typer.Exit(7), typer.BadParameter("x")])
def test_what_is_typers_stays_typers(error: Exception) -> None:
    with pytest.raises(type(error)):
        guarded(lambda: raising(error), Heard)


def test_tracebacks_are_for_debug() -> None:
    quiet, loud = Heard(), Heard(debug=True)
    for heard in (quiet, loud):
        guarded(lambda: raising(errors.StatementError("no")), lambda heard=heard: heard)  # type: ignore[misc]
    assert "Traceback" not in quiet.err.getvalue()
    assert "Traceback" in loud.err.getvalue()


def test_problems_have_a_line_each() -> None:
    problems = [Problem("a.yaml", line, 2, "x.y", f"is wrong {line}") for line in (3, 4)]
    assert sentence(errors.TopologyError("a.yaml has 2 problems", problems=problems)).splitlines() == [
        "a.yaml has 2 problems",
        "a.yaml:3:2: x.y: is wrong 3",
        "a.yaml:4:2: x.y: is wrong 4",
    ]


def test_what_concerns_the_whole_file_is_said_once() -> None:
    problem = Problem("a.yaml", 0, 0, "", "does not exist")
    assert sentence(errors.TopologyError("a.yaml does not exist", problems=[problem])) == "a.yaml does not exist"


def test_nobody_eligible_says_why_not() -> None:
    candidates = (
        Candidate("a", eligible=False, reason="unhealthy: gone"),
        Candidate("b", eligible=False, reason="held"),
    )
    told = sentence(errors.ConnectionUnavailableError("a", candidates))
    assert told == 'Connection "a" is unavailable: a unhealthy: gone; b held'


def test_of_many_the_first_say_why_not() -> None:
    candidates = [Candidate(f"c{n}", eligible=False, reason="held") for n in range(7)]
    told = sentence(errors.ConnectionUnavailableError("c0", candidates))
    assert told.endswith("c3 held; c4 held; and 2 more")
