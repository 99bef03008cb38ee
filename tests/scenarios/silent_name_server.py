"""Runs a command where the only name server never answers: `unshare -Urnm python silent_name_server.py COMMAND…`.

A network of its own, with a Redis server on localhost in it.
"""

import fcntl
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

PORT = 6390
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def main(command: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        fcntl.ioctl(silent, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        silent.bind(("127.0.0.1", 53))
        for name, text in {
            "resolv.conf": "nameserver 127.0.0.1\n",
            "nsswitch.conf": "hosts: files dns\n",
            "hosts": "127.0.0.1 localhost\n",  # no IPv6: the system would ask the name server for that
        }.items():
            file = Path(folder, name)
            file.write_text(text)
            subprocess.run(["mount", "--bind", file, Path("/etc", name)], check=True)
        options = ["--port", str(PORT), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        redis = subprocess.Popen(["redis-server", *options], stdout=subprocess.PIPE, text=True)
        try:
            assert redis.stdout is not None
            assert any("eady to accept connections" in line for line in redis.stdout)
            return subprocess.run(command, check=False).returncode
        finally:
            redis.terminate()
            redis.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
