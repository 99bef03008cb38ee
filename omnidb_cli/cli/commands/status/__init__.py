"""`omnidb status`: its options are read here; what carries it out is imported when it runs."""

from omnidb_cli.cli.commands.status.command import app as app
