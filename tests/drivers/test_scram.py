"""A server that asks for more rounds of SCRAM than anybody has time for is refused, at once."""

import pytest

from omnidb_cli.drivers._scram import MOST_ROUNDS, why_too_many
from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import AuthenticationError
from tests.drivers.contract import PATIENCE_S, fault_of, opened, session_of
from tests.drivers.hostile import mongodb_scram, postgres_scram, serving

ENGINES = {"postgresql": postgres_scram, "mongodb": mongodb_scram}


def test_how_many_rounds_are_made() -> None:
    for rounds in (b"4096", b"%d" % MOST_ROUNDS, b"000%d" % MOST_ROUNDS, b"", b"x", b"-1"):
        assert why_too_many(rounds) is None
    for rounds in (b"%d" % (MOST_ROUNDS + 1), b"2147483647", b"+2_147_483_647 ", b"9" * 5000):
        assert "rounds" in str(why_too_many(rounds))


@pytest.mark.parametrize("rounds", [b"2147483647", b"9" * 4000])
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_login_with_too_many_rounds_is_refused(engine: str, rounds: bytes) -> None:
    async with serving(ENGINES[engine](rounds)) as place:
        target = Target("shop", engine, engine, (place,), "app", "secret", "app", timeout_s=PATIENCE_S)
        async with opened(target) as driver:
            fault = await fault_of(driver)
            assert isinstance(fault, AuthenticationError), fault
            assert "SCRAM" in str(fault)
            with pytest.raises(AuthenticationError, match="rounds"):
                await session_of(driver).__aenter__()
