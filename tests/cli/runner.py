"""The command line in this process, over a topology in a folder of its own."""

from pathlib import Path

from typer.testing import CliRunner

from omnidb_cli.cli.app import app
from omnidb_cli.cli.context import Context
from tests.scenarios.shop import Shop


class Runner:
    """Runs commands as a test of theirs would: with a context of its own."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop(folder)
        self.folder = folder
        self.config = self.shop.config
        self.write = self.shop.write

    def context(self) -> Context:
        return Context(env=self.shop.env)

    def run(self, *arguments: str):  # type: ignore[no-untyped-def]
        return CliRunner().invoke(app, arguments, obj=self.context(), prog_name="omnidb", env=self.shop.env)
