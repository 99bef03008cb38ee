"""`omnidb exec`: whose verdicts a refusal gives."""

from tests.cli.runner import Runner


def test_without_failover_a_refusal_gives_the_verdict_of_that_one_alone(shop: Runner) -> None:
    shop.run("circuit", "open", "primary", "replica", "archive", "--reason", "mains", "--force")
    whole = shop.run("exec", "primary", "SELECT 1")
    alone = shop.run("exec", "primary", "SELECT 1", "--no-failover")
    assert (whole.exit_code, alone.exit_code) == (20, 20)
    assert all(name in whole.stderr for name in ("primary", "replica", "archive"))
    assert "primary" in alone.stderr
    assert not any(name in alone.stderr for name in ("replica", "archive"))
