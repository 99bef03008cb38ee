"""Signals as a call."""

import asyncio
import os
import signal

import pytest

from omnidb_cli.core.lifecycle import on_signals
from tests.core.clock import settle
from tests.core.fakes import Fleet


async def test_a_signal_becomes_a_call_and_the_old_handler_comes_back() -> None:
    got: list[signal.Signals] = []
    former = signal.getsignal(signal.SIGUSR1)
    remove = on_signals((signal.SIGUSR1, signal.SIGUSR2), got.append)
    os.kill(os.getpid(), signal.SIGUSR1)
    await settle()
    os.kill(os.getpid(), signal.SIGUSR2)
    await settle()
    remove()
    remove()
    assert got == [signal.SIGUSR1, signal.SIGUSR2]
    assert signal.getsignal(signal.SIGUSR1) is former


async def test_a_signal_that_cannot_be_handled_leaves_the_others_as_they_were() -> None:
    former = signal.getsignal(signal.SIGUSR1)
    with pytest.raises((ValueError, RuntimeError, OSError)):
        on_signals((signal.SIGUSR1, signal.SIGKILL), print)
    assert signal.getsignal(signal.SIGUSR1) is former


async def test_the_first_signal_is_one_shutdown_event_and_one_disconnect() -> None:
    fleet = Fleet("a", "b")
    db = fleet.db
    await db.connect()
    remove = db.shutdown_on_signal((signal.SIGUSR1, signal.SIGUSR2))
    fleet.forget()
    closing = fleet["b"].close_slowly()
    os.kill(os.getpid(), signal.SIGUSR1)
    await settle()
    os.kill(os.getpid(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR1)
    await settle()
    closing.set()
    await db.wait_closed()
    remove()
    assert fleet.said() == [("shutdown", None, "SIGUSR1"), ("disconnected", "a", None), ("disconnected", "b", None)]
    assert [server.closed for server in fleet.servers.values()] == [1, 1]
    assert not db.is_connected


@pytest.mark.parametrize("connected", [True, False])
async def test_disconnecting_leaves_no_handler_behind(connected: bool) -> None:
    former = signal.getsignal(signal.SIGUSR1)
    fleet = Fleet("a")
    if connected:
        await fleet.db.connect()
    fleet.db.shutdown_on_signal((signal.SIGUSR1,))
    remove = fleet.db.shutdown_on_signal((signal.SIGUSR1,))
    assert signal.getsignal(signal.SIGUSR1) is not former
    await fleet.db.disconnect()
    assert signal.getsignal(signal.SIGUSR1) is former
    remove()
    assert signal.getsignal(signal.SIGUSR1) is former


async def test_a_signal_when_nothing_is_connected_does_nothing() -> None:
    fleet = Fleet("a")
    remove = fleet.db.shutdown_on_signal((signal.SIGUSR1,))
    os.kill(os.getpid(), signal.SIGUSR1)
    await settle()
    remove()
    assert fleet.heard == []


async def test_the_signals_are_interrupt_and_terminate_by_default() -> None:
    fleet = Fleet("a")
    former = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    async with fleet:
        remove = fleet.db.shutdown_on_signal()
        os.kill(os.getpid(), signal.SIGTERM)
        await settle()
        await fleet.db.wait_closed()
        remove()
    assert ("shutdown", None, "SIGTERM") in fleet.said()
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == former


async def test_a_signal_during_the_first_check_ends_the_connecting() -> None:
    fleet = Fleet("a")
    fleet["a"].hangs = True
    remove = fleet.db.shutdown_on_signal((signal.SIGUSR1,))
    connecting = asyncio.create_task(fleet.db.connect())
    await settle()
    os.kill(os.getpid(), signal.SIGUSR1)
    await settle()
    await asyncio.wait({connecting})
    await fleet.db.wait_closed()
    remove()
    assert connecting.exception() is not None
    assert not fleet.db.is_connected
    assert asyncio.all_tasks() == {asyncio.current_task()}
