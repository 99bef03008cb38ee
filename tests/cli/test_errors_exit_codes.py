"""The exit codes are the contract's, and each has its sentence."""

from omnidb_cli.cli.errors import ExitCode


def test_codes() -> None:
    assert [code.value for code in ExitCode] == [
        *(0, 1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22, 23, 24, 31, 32, 124, 129, 130, 143),
    ]
    assert all(code.meaning for code in ExitCode)
