"""The statement of `exec`, from wherever it is given."""

import re
from pathlib import Path
from shlex import quote

import typer

from omnidb_cli.cli.errors import UsageError

_NOTHING = re.compile(r"(?>\s+|;|--[^\n]*|#[^\n]*|/\*(?!!|M!).*?\*/)*+", re.DOTALL)
"""White space, semicolons and comments. What MySQL and MariaDB run although it looks like one is none: `/*! … */`."""

_LONGEST_SHOWN = 60


def statement_of(statement: str | None, file: str | None) -> str:
    """The statement. Raises a usage error where it is given nowhere, or twice, cannot be read, or says nothing."""
    if (statement is None) == (file is None):
        raise UsageError("give the statement, or - for standard input, or --file FILE")
    if file is not None:
        text = _of_file(file)
    elif statement == "-":
        text = _of_standard_input()
    else:
        text = statement or ""
    if _NOTHING.fullmatch(text):
        source = "'STATEMENT'" if file is None else "'--file'"
        raise typer.BadParameter("the statement is empty: there is nothing to run", param_hint=source)
    return text


def unquoted(command: str, words: list[str]) -> str:
    """What is said of a statement that came as several words: how it is typed as one."""
    text = " ".join(words)
    if not text.isprintable() or len(text) > _LONGEST_SHOWN:
        text = "…"
    as_one = quote(text) if set(text) & set('"$`\\!') else f'"{text}"'
    return f"exec takes one statement; quote it: {command} {as_one}"


def _of_file(file: str) -> str:
    from omnidb_cli.output.values import visible

    try:
        return Path(file).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        said = f"no such file: {file}"
    except IsADirectoryError:
        said = f"{file} is a directory"
    except UnicodeDecodeError:
        said = f"{file} is not UTF-8 text"
    except OSError as error:
        said = f"{file} cannot be read: {(error.strerror or 'unknown error').lower()}"
    except ValueError:
        said = "this is not the name of a file"
    raise typer.BadParameter(visible(said), param_hint="'--file'")


def _of_standard_input() -> str:
    from sys import stdin

    try:
        return stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise typer.BadParameter("standard input is not UTF-8 text", param_hint="'STATEMENT'") from None
