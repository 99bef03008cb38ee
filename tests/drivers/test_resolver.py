"""Host names are looked up without waiting for one another."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from omnidb_cli.drivers import resolver
from omnidb_cli.drivers.base import unresponsive
from omnidb_cli.drivers.resolver import ResolvingLoop
from omnidb_cli.errors import ErrorKind

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]


class NameService:
    """Answers when it is told to; numeric addresses are the system's."""

    def __init__(self) -> None:
        self.may_answer = Event()
        self.asked: list[str] = []
        self.fails = False
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        if flags & socket.AI_NUMERICHOST:
            return self._real(host, port, family, type, proto, flags)
        self.asked.append(host)
        assert self.may_answer.wait(30)
        if self.fails:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return FOUND


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameService]:
    made = NameService()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.may_answer.set()


def run(main: Callable[[ResolvingLoop], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=ResolvingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, ResolvingLoop)
        runner.run(main(loop))


async def begun(service: NameService, number: int = 1) -> None:
    while len(service.asked) < number:
        await asyncio.sleep(0.001)


async def gives_up(waiting: "asyncio.Task[Any]") -> None:
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_several_ports_of_a_host_share_one_look_up(service: NameService) -> None:
    async def main(loop: ResolvingLoop) -> None:
        both = [asyncio.create_task(loop.getaddrinfo("DB.example", port)) for port in (1, 2)]
        await begun(service)
        await asyncio.sleep(0)
        service.may_answer.set()
        assert [(await one)[0][4] for one in both] == [("192.0.2.7", 1), ("192.0.2.7", 2)]
        assert service.asked == ["db.example"]
        await loop.getaddrinfo("db.example", 1)
        assert service.asked == ["db.example"] * 2, "an answer that was had is asked for again"

    run(main)


def test_a_look_up_that_outlives_its_caller_serves_the_next_one(service: NameService) -> None:
    async def main(loop: ResolvingLoop) -> None:
        first = asyncio.create_task(loop.getaddrinfo("db.example", 1))
        await begun(service)
        await gives_up(first)
        assert loop.is_looking_up("db.example")
        service.may_answer.set()
        while loop.is_looking_up("db.example"):
            await asyncio.sleep(0.001)
        assert (await loop.getaddrinfo("db.example", 5))[0][4] == ("192.0.2.7", 5)
        assert service.asked == ["db.example"]

    run(main)


def test_an_answer_too_old_serves_nobody(service: NameService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_KEPT_S", -1.0)
    service.may_answer.set()

    async def main(loop: ResolvingLoop) -> None:
        first = asyncio.create_task(loop.getaddrinfo("db.example", 1))
        await asyncio.sleep(0)
        await gives_up(first)
        while loop.is_looking_up("db.example"):
            await asyncio.sleep(0.001)
        await loop.getaddrinfo("db.example", 1)
        assert service.asked == ["db.example"] * 2

    run(main)


def test_a_failure_is_everybody_s_and_the_next_one_asks_again(service: NameService) -> None:
    service.fails = True
    service.may_answer.set()

    async def main(loop: ResolvingLoop) -> None:
        for _ in range(2):
            with pytest.raises(socket.gaierror) as raised:
                await loop.getaddrinfo("nobody.example", 1)
            assert raised.value.errno == socket.EAI_NONAME
        assert len(service.asked) == 2

    run(main)


def test_too_many_names_fail_at_once(service: NameService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MOST_AT_ONCE", 2)

    async def main(loop: ResolvingLoop) -> None:
        waiting = [asyncio.create_task(loop.getaddrinfo(f"db{number}.example", 1)) for number in range(2)]
        await begun(service, 2)
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("db3.example", 1)
        for one in waiting:
            await gives_up(one)

    run(main)


@pytest.mark.parametrize(
    ("host", "address"), [("192.0.2.9", "192.0.2.9"), ("::1", "::1"), (b"192.0.2.9", "192.0.2.9"), (None, "::1")]
)
def test_an_address_needs_no_name_service(service: NameService, host: Any, address: str) -> None:
    async def main(loop: ResolvingLoop) -> None:
        found = await loop.getaddrinfo(host, 5432, type=socket.SOCK_STREAM)
        assert (address, 5432) in [one[4][:2] for one in found]

    run(main)
    assert service.asked == []


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("127.0.0.1 localhost\n", ["127.0.0.1"]),
        ("127.0.0.9 db LocalHost # no\n::1 localhost\n", ["::1", "127.0.0.9"]),
        ("127.0.0.9 localhost.example\n#127.0.0.8 localhost\n", ["::1", "127.0.0.1"]),
        ("nonsense localhost\n", ["::1", "127.0.0.1"]),
        (None, ["::1", "127.0.0.1"]),
    ],
)
def test_localhost_is_what_the_hosts_file_says(
    service: NameService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, addresses: list[str]
) -> None:
    monkeypatch.setattr(resolver, "_HOSTS_FILE", str(tmp_path / "hosts"))
    if text is not None:
        (tmp_path / "hosts").write_text(text)

    async def main(loop: ResolvingLoop) -> None:
        found = await loop.getaddrinfo("Localhost", "5432", type=socket.SOCK_STREAM)
        assert [one[4][:2] for one in found] == [(address, 5432) for address in addresses]

    monkeypatch.setattr(resolver, "_number_of", lambda _port, _type: 5432)  # /etc/services is not the matter here
    run(main)
    assert service.asked == []


def test_who_waits_for_a_name_is_told_of_the_name_service(service: NameService) -> None:
    async def main(loop: ResolvingLoop) -> None:
        waiting = asyncio.create_task(loop.getaddrinfo("db.example", 1))
        await begun(service)
        late = unresponsive("db.example:1", 2.0, ["DB.example"])
        assert (late.kind, str(late)) == (ErrorKind.DNS, "db.example:1: no answer from the name service within 2s")
        assert unresponsive("set", 2.0, ["db.example", "192.0.2.1"]).kind is ErrorKind.TIMEOUT
        assert unresponsive("db.example:1", 2.0).kind is ErrorKind.TIMEOUT
        await gives_up(waiting)

    run(main)


def test_an_ordinary_loop_says_the_server_does_not_answer() -> None:
    async def main() -> None:
        assert unresponsive("db.example:1", 2.0, ["db.example"]).kind is ErrorKind.TIMEOUT

    asyncio.run(main())
