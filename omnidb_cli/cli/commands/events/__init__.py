"""`omnidb events`: its options are read here; what carries it out is imported when it runs."""

from omnidb_cli.cli.commands.events.command import app as app
