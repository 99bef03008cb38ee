"""`state show` says where the state is and for whom it counts."""

from tests.scenarios.shop import Shop


def test_it_says_for_whom_the_state_counts(shop: Shop) -> None:
    before = shop.object("state", "show")
    assert (before["exists"], before["exposed_by"], before["also_read_by"]) == (False, None, None)
    shop.run("circuit", "open", "replica")
    after = shop.object("state", "show")
    assert after["shared_with"] == before["shared_with"]
    assert after["shared_with"].endswith(" only")


def test_it_warns_of_a_folder_that_everybody_may_write(shop: Shop) -> None:
    shop.run("circuit", "open", "replica")
    assert shop.run("state", "show").stderr == ""
    shop.state.parent.chmod(0o777)
    ended = shop.run("state", "show")
    assert ended.returncode == 0
    assert ended.stderr.startswith("warning: everybody on this host may put another state in the place of this one")
    assert f"chmod o-w {shop.state.parent}" in ended.stderr
    for command in (
        ("status",),
        ("exec", "primary", "SELECT 1"),
        ("circuit", "close", "replica"),
        ("watch", "--count", "1"),
    ):
        assert shop.run(*command).stderr.count("everybody on this host may put another state") == 1, command
    assert shop.object("state", "show")["exposed_by"] == str(shop.state.parent)


def test_a_state_in_memory_counts_for_one_process(shop: Shop) -> None:
    assert shop.object("--state", "memory:", "state", "show")["shared_with"] == "this process only"
