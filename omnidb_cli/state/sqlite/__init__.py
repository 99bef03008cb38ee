"""The state in an SQLite file."""

from omnidb_cli.state.sqlite.store import open_store as open_store
