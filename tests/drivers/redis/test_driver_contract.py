import pytest
from msgspec.structs import replace

from tests.drivers.contract import DriverContract, Subject
from tests.drivers.redis_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.redis import RedisPair


class TestRedis(DriverContract):
    @pytest.fixture
    def subject(self, redis_pair: RedisPair) -> Subject:
        server = redis_pair.primary
        server.ask("DEL", "numbers")
        server.ask("RPUSH", "numbers", *range(2500))
        server.ask("RPUSH", "words", "x") if not server.ask("EXISTS", "words") else None
        target = target_of(server)
        return Subject(
            target=target,
            nobody_there=replace(target, hosts=((HOST, free_port()),)),
            wrong_password=replace(target, password="hunter2"),
            read=("LRANGE words 0 -1", ()),
            read_gives=(("value",), [("x",)]),
            echo=lambda text: ("ECHO", (text,)),
            write=("INCR written", ()),
            written=lambda: int(server.ask("GET", "written") or 0),
            rejected=("HGETALL words", ()),
            many=("LRANGE numbers 0 -1", ()),
            many_rows=2500,
            endless=("BLPOP nothing 0", ()),
            is_running=lambda: any(client["cmd"] == "blpop" for client in server.clients()),
            hang=server.hang,
            resume=server.resume,
        )
