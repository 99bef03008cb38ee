"""Makes the real servers known to every test: each file of tests/servers is a plug-in with fixtures."""

from omnidb_cli.discovery import names_in

pytest_plugins = [f"tests.servers.{name}" for name in names_in("tests.servers") if not name.startswith("test_")]
