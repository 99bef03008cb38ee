"""`watch` stays for days: what faults leave behind is collected as it goes."""

import re
import socket
from itertools import islice
from pathlib import Path

from tests.scenarios.shop import Shop, lines

MARGIN_KB = 30 * 1024
"""Far above what a hundred rounds leave when garbage is collected (2 MB), and far below what they leave when it is not
(80 MB)."""

_URLS = ("redis://127.0.0.1:{}", "postgresql://127.0.0.1:{}/d", "mysql://127.0.0.1:{}/d")


def test_faults_do_not_pile_up(shop: Shop) -> None:
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # and nobody listens
        urls = [_URLS[number % 3].format(refusing.getsockname()[1]) for number in range(30)]
        shop.write(text="connections:\n" + "".join(f'  c{n}: {{url: "{url}"}}\n' for n, url in enumerate(urls)))
        process = shop.start("--state", "memory:", "watch", "--interval", "20ms")
        told = lines(process)
        sizes = []
        for rounds in (40, 100):
            *_, last = islice(told, rounds)
            assert last["summary"]["unhealthy"] == 30
            found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            assert found is not None
            sizes.append(int(found[1]))
    assert sizes[1] < sizes[0] + MARGIN_KB, sizes
