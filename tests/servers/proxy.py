"""A TCP proxy before a server that can misbehave, one way at a time; connections that exist misbehave along."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Self

HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_PIECE = 65536


class Proxy:
    """Forwards to a port of the loopback or to a unix socket, from a thread; use it as a context manager.

    `forward` is how it begins; the other methods named like a misbehaviour switch that on. `accepted` counts the
    connections so far, `asked` the bytes that came from clients.
    """

    def __init__(self, to: int | str) -> None:
        self.host = HOST
        self.accepted = 0
        self.asked = 0
        self._to = to
        self._mode = "forward"
        self._left = 0
        self._delay_s = 0.0
        self._pairs: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._bound = _bound(0)
        self.port: int = self._bound.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        self._now(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._now(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._bound.close()

    def forward(self) -> None:
        """Everything goes through as it should."""
        self._switch("forward")

    def refuse(self) -> None:
        """New connections are refused; those that exist go on."""
        self._switch("refuse")

    def silence(self) -> None:
        """Connections are accepted, and nothing is ever said: bytes vanish in both directions."""
        self._switch("silence")

    def reset(self) -> None:
        """Connections are accepted and reset at once, those that exist too."""
        self._switch("reset")
        self.reset_all()

    def cut(self, after_bytes: int) -> None:
        """After so many more bytes of answers, in all, the connection is closed in the middle of one."""
        self._left = after_bytes
        self._switch("cut")

    def slow(self, delay_s: float) -> None:
        """Each piece of an answer comes this much later."""
        self._delay_s = delay_s
        self._switch("slow")

    def reset_all(self) -> None:
        """Resets the connections that exist, now."""
        self._now(self._reset_all)

    def _switch(self, mode: str) -> None:
        before, self._mode = self._mode, mode
        if mode == "refuse" != before:
            self._now(self._stop_listening)
        elif before == "refuse":
            self._now(self._listen)

    def _now(self, act: Callable[[], object]) -> None:
        async def do() -> None:
            done = act()
            if asyncio.iscoroutine(done):
                await done

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(30)

    def _listen(self) -> None:
        self._bound.listen(128)
        self._loop.add_reader(self._bound, self._accept)

    def _accept(self) -> None:
        """Takes everybody who is connected, as far as he can tell."""
        with suppress(BlockingIOError):
            while True:
                client, _ = self._bound.accept()
                self.accepted += 1
                self._pairs[self._loop.create_task(self._serve(client))] = []

    def _stop_listening(self) -> None:
        """Leaves the port bound without a listener: refused, and nobody else gets it."""
        self._accept()
        self._loop.remove_reader(self._bound)
        self._bound.close()
        self._bound = _bound(self.port)

    async def _end(self) -> None:
        self._loop.remove_reader(self._bound)
        await asyncio.sleep(0)  # a task that never began would leave its socket open
        tasks = list(self._pairs)
        self._reset_all()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _reset_all(self) -> None:
        for writers in self._pairs.values():
            for writer in writers:
                _reset(writer)

    async def _serve(self, client: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        client.setblocking(False)
        writers = self._pairs[task]
        try:
            reader, writer = await asyncio.open_connection(sock=client)
            writers.append(writer)
            await self._carry(reader, writer, writers)
        except OSError:
            for one in writers:
                _reset(one)
        finally:
            del self._pairs[task]
            if not writers:
                client.close()
            for one in writers:
                one.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, writers: list[asyncio.StreamWriter]
    ) -> None:
        if self._mode == "reset":
            _reset(writer)
            return
        if self._mode == "silence":
            while await reader.read(_PIECE):
                pass
            return
        if isinstance(self._to, int):
            answers, server = await asyncio.open_connection(HOST, self._to)
        else:
            answers, server = await asyncio.open_unix_connection(self._to)
        writers.append(server)
        pumps = [
            asyncio.ensure_future(self._pump(reader, server, answers=False)),
            asyncio.ensure_future(self._pump(answers, writer, answers=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(OSError):
            while data := await source.read(_PIECE):
                self.asked += 0 if answers else len(data)
                if self._mode == "silence":
                    continue
                if answers and self._mode == "slow":
                    await asyncio.sleep(self._delay_s)
                if answers and self._mode == "cut":
                    data = data[: self._left]
                    self._left -= len(data)
                sink.write(data)
                await sink.drain()
                if answers and self._mode == "cut" and not self._left:
                    return


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.setblocking(False)
    return listener


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a reset instead of an orderly close."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
