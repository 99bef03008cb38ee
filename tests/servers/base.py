"""One server of the tests' own: a direct child of this process, on the loopback, ended by its own pid."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

HOST = "127.0.0.1"
POLL_S = 0.01
READY_S = 60.0
END_S = 30.0
MORE_BINARIES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")

running: "list[Server]" = []
"""Every server that was started and not ended, for their logs to be shown when a test fails."""


class ServerError(Exception):
    """A server of the tests did not do what the tests need of it; the message ends with its log."""


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def binary(*names: str, package: str, folders: Iterable[str] = ()) -> str:
    """The path of the first of these programs. Without any the test is skipped; under `CI=true` it fails."""
    path = os.pathsep.join([*folders, os.environ.get("PATH", os.defpath), *MORE_BINARIES])
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    reason = f"{' or '.join(names)} is not installed: run tests/servers/install.sh, or install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def user() -> str | None:
    """Whom servers run as: `nobody` when this is root (PostgreSQL refuses root), else whoever this is (None)."""
    return "nobody" if os.geteuid() == 0 else None


def group() -> int | None:
    """The group that goes with `user()`."""
    name = user()
    return None if name is None else pwd.getpwnam(name).pw_gid


def own(path: Path) -> Path:
    """Gives a file or folder to `user()`; returns it."""
    name = user()
    if name is not None:
        shutil.chown(path, name, group())
    return path


def run(argv: Sequence[str | Path], **settings: object) -> str:
    """What the program printed, run as `user()`. Raises ServerError when it fails."""
    done = subprocess.run(
        argv, user=user(), group=group(), extra_groups=[] if user() else None, cwd="/", check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **settings,  # type: ignore[call-overload]
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"{argv[0]} failed ({done.returncode}): {done.stdout}")
    return str(done.stdout)


class Server(ABC):
    """A server with its data below `folder`. A subclass says how it is started and how to see that it answers.

    `folder` must exist and belong to `user()`. `start` does not wait; `wait_ready` does.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, name: str, folder: Path, port: int | None = None) -> None:
        self.name = name
        self.folder = folder
        self.host = HOST
        self.port = port or free_port()
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def argv(self) -> Sequence[str | Path]:
        """The command line; the server stays in the foreground, its log on stderr or stdout."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used now. Quick; False or an OSError means not yet."""

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                user=user(), group=group(), extra_groups=[] if user() else None,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, who then end it
            )  # fmt: skip
        if self not in running:  # it may have ended by itself
            running.append(self)

    def wait_ready(self) -> None:
        """Returns when it answers. Raises ServerError when it ends or takes too long instead."""

        def ready() -> bool:
            if not self.is_running:
                raise ServerError(f"{self.name} ended by itself\n{self.log_tail()}")
            with suppress(OSError):
                return self.answers()
            return False

        wait_until(ready, f"{self.name} answers", READY_S, self)

    def kill(self) -> None:
        """SIGKILL to all of its processes, at once; returns when they are gone."""
        if self.is_running:
            os.kill(self.pid, signal.SIGSTOP)  # so that it starts no more
            processes = [self.pid, *descendants(self.pid)]
            _send(processes, signal.SIGKILL)
            self._ended(processes)

    def hang(self) -> None:
        """SIGSTOP to all of its processes: it keeps its sockets, and the kernel goes on accepting connections."""
        os.kill(self.pid, signal.SIGSTOP)
        _send(descendants(self.pid), signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to all of its processes."""
        if self.is_running:
            _send([*descendants(self.pid), self.pid], signal.SIGCONT)

    def stop(self) -> None:
        """Ends it in order, as an administrator would."""
        if self.is_running:
            self.resume()
            processes = [self.pid, *descendants(self.pid)]
            os.kill(self.pid, self.stop_signal)
            self._ended(processes)

    def restart(self) -> None:
        self.stop()
        self.start()
        self.wait_ready()

    def _ended(self, processes: Sequence[int]) -> None:
        assert self._process is not None
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise ServerError(f"{self.name} does not end\n{self.log_tail()}") from None
        wait_until(lambda: not any(map(_alive, processes[1:])), f"all of {self.name} ends", END_S, self)
        running.remove(self)

    def log_tail(self, offset: int = 0, most: int = 6000) -> str:
        """The end of its log, from `offset` on."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(offset, self.log.stat().st_size - most))
            return log.read().decode(errors="replace")


def wait_until(
    condition: Callable[[], bool], what: str, limit_s: float = END_S, *servers: Server, poll_s: float = POLL_S
) -> None:
    """Returns when `condition()` is true. Raises ServerError, with the servers' logs, when it does not come true."""
    deadline = monotonic() + limit_s
    while not condition():
        if monotonic() > deadline:
            logs = "\n".join(server.log_tail() for server in servers)
            raise ServerError(f"still waiting after {limit_s:g} s: {what}\n{logs}")
        sleep(poll_s)


def descendants(pid: int) -> list[int]:
    """The children of a process and theirs, whatever sessions and groups they have put themselves into."""
    children: dict[int, list[int]] = {}
    for child, parent in _processes():
        children.setdefault(parent, []).append(child)
    found = list(children.get(pid, ()))
    for one in found:
        found.extend(children.get(one, ()))
    return found


def _processes() -> Iterator[tuple[int, int]]:
    """Every process and its parent."""
    if not Path("/proc/self/stat").exists():
        for line in subprocess.run(["ps", "-Ao", "pid=,ppid="], capture_output=True, check=True).stdout.splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield int(entry.name), int(_stat(entry.name)[1])


def _stat(pid: int | str) -> list[str]:
    """State, parent and so on; the program's name before them may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _alive(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        try:
            return _stat(pid)[0] not in "ZX"  # a zombie holds nothing; its new parent may be slow to reap it
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
