"""From the SIGKILL of a primary to the failover on `omnidb watch`'s output, against the kernel's word of its end."""

import json
import os
import signal
import socket
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE, Popen
from threading import Thread
from time import perf_counter
from typing import IO, NamedTuple

from tests.bench.processes import omnidb, surroundings
from tests.bench.row import Row
from tests.bench.scale import Scale
from tests.bench.servers import Servers, topology_over
from tests.servers.base import Server, descendants

_ENGINES = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "redis": "Redis"}
_TIMES = 3
_LONGEST_MS = 100


class Noticed(NamedTuple):
    """Seconds from the kill until the kernel said so on an idle socket, and until the failover was read."""

    by_kernel_s: float
    by_watch_s: float


def rows(scale: Scale, servers: Servers, folder: Path) -> list[Row]:
    """The rows of this section."""
    topology = topology_over(servers, folder)
    return [_row(engine, getattr(servers, engine).primary, topology, scale.kills) for engine in _ENGINES]


def _row(engine: str, server: Server, topology: Path, kills: int) -> Row:
    noticed = [_kill(f"{engine}-primary", server, topology) for _ in range(kills)]
    times = median(one.by_watch_s / one.by_kernel_s for one in noticed)
    watch_ms = median(one.by_watch_s for one in noticed) * 1000
    kernel_ms = median(one.by_kernel_s for one in noticed) * 1000
    longest_ms = max(one.by_watch_s for one in noticed) * 1000
    return Row(
        f"SIGKILL of a {_ENGINES[engine]} primary to the failover, as watch prints it",
        f"{times:.3g} × the kernel's EOF ({watch_ms:.1f} ms, {kernel_ms:.1f} ms; longest {longest_ms:.1f} ms)",
        f"≤ {_TIMES} ×, < {_LONGEST_MS} ms",
        times <= _TIMES and longest_ms < _LONGEST_MS,
    )


def _kill(name: str, server: Server, topology: Path) -> Noticed:
    """Kills the server under a watch that has seen it well; it runs again afterwards."""
    command = [*omnidb(), "-c", str(topology), "--state", "memory:", "watch", "-o", "json", "--interval", "60s"]
    env = surroundings(topology.parent)
    with Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=env, cwd=topology.parent) as watch:
        try:
            assert watch.stdout is not None
            _read_until(watch.stdout, name, failover=False)
            with socket.create_connection((server.host, server.port)) as idle:
                ended: list[float] = []
                listener = Thread(target=_until_eof, args=(idle, ended))
                listener.start()
                processes = [server.pid, *descendants(server.pid)]
                began = perf_counter()
                for pid in processes:
                    os.kill(pid, signal.SIGKILL)
                _read_until(watch.stdout, name, failover=True)
                seen = perf_counter()
                listener.join()
        finally:
            watch.kill()
    server.kill()
    server.start()
    server.wait_ready()
    return Noticed(ended[0] - began, seen - began)


def _until_eof(idle: socket.socket, ended: list[float]) -> None:
    try:
        while idle.recv(4096):
            pass
    except ConnectionResetError:
        pass
    ended.append(perf_counter())


def _read_until(lines: IO[bytes], name: str, *, failover: bool) -> None:
    for line in lines:
        found = {one["name"]: one for one in json.loads(line)["connections"]}
        if found[name]["route"]["failover"] is failover and found[name]["health"] != "unknown":
            return
    raise RuntimeError("watch ended")
