"""Is it the observer that is cut off?"""

import pytest

from omnidb_cli.core.health.isolation import is_suspect

CUT_OFF = [("db1", "timeout"), ("db2", "refused"), ("db3", "dns")]


def test_everything_down_at_once_by_network_errors_is_suspect() -> None:
    assert is_suspect(CUT_OFF)
    assert is_suspect([("db1", "reset"), ("db1", "timeout"), ("db2", "timeout")])


@pytest.mark.parametrize(
    "checks",
    [
        [],
        CUT_OFF[:2],
        [("db1", "timeout")] * 3,
        [*CUT_OFF, ("db4", None)],
        [*CUT_OFF, ("db4", "auth")],
        [*CUT_OFF, ("db4", "role")],
    ],
    ids=["nothing", "two connections", "one host", "one answers", "one refuses the login", "one has the wrong role"],
)
def test_anything_less_is_what_it_checks_like(checks: list[tuple[str, str | None]]) -> None:
    assert not is_suspect(checks)
