"""Makes the real servers known to every test: each file of tests/servers is a plug-in with fixtures."""

from hypothesis import HealthCheck, settings

from omnidb_cli.plugins import names_in

pytest_plugins = [f"tests.servers.{name}" for name in names_in("tests.servers") if not name.startswith("test_")]

# How long an example takes, or is made, depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
