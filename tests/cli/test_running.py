"""How a command's coroutine is run."""

import asyncio
from threading import Event

from omnidb_cli.cli.running import run


def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    over = Event()
    returned = []

    async def main() -> str:
        asyncio.get_running_loop().run_in_executor(None, lambda: returned.append(over.wait(5.0)))
        return "done"

    try:
        assert run(main()) == "done"
        assert not returned
    finally:
        over.set()
