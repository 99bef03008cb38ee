"""Networks that misbehave, each in a way of its own, between omnidb and a server that is well."""

from contextlib import ExitStack

from tests.scenarios.server_fleet import Fleet
from tests.servers.proxy import Proxy

KINDS = {"refuse": "refused", "silence": "timeout", "reset": "reset", "cut": "reset", "slow": "slow"}


def test_networks_that_misbehave(fleet: Fleet) -> None:
    pair = fleet.pair
    with ExitStack() as stack:
        proxies = {name: stack.enter_context(Proxy(pair.primary.port)) for name in KINDS}
        fleet.write(more={name: pair.url(proxy) for name, proxy in proxies.items()}, keys={"slow": "slow: 50ms"})
        for name in ("refuse", "silence", "reset"):
            getattr(proxies[name], name)()
        proxies["cut"].cut(9)
        proxies["slow"].slow(0.06)
        for name, serving in {"cut": "replica", "slow": "slow"}.items():
            read = fleet.exec(pair.read, name=name)
            assert (read.code, read.served_by, read.rows) == (0, serving, pair.rows_after(0))
        status = fleet.check()
        assert status.code == 10
        for name, kind in KINDS.items():
            one = status[name]
            assert one["error"]["kind"] == kind, one
            wanted = ("degraded", "closed", "slow") if name == "slow" else ("unhealthy", "open", "replica")
            assert (one["health"], one["circuit"]["state"], one["route"]["serving"]) == wanted, one
        assert status["slow"]["latency_ms"] > 50
        for proxy in proxies.values():
            proxy.forward()
        status = fleet.check()
        assert {status[name]["health"] for name in KINDS if name != "slow"} == {"healthy"}
