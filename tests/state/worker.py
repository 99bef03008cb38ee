"""What one process of the tests does: `worker.py <deed> <state file> …`; says on stdout what it has achieved."""

import fcntl  # noqa: F401 - the interpreter may lie where `as_nobody` can import nothing more
import os
import resource
import sys
import urllib.parse  # noqa: F401
from collections.abc import Callable
from pathlib import Path

from omnidb_cli.core.circuit import Hold
from omnidb_cli.core.endpoint import Called, Closed, Held, Settings
from omnidb_cli.core.events import Event, EventType, utc
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite import SqliteStore, open_store, real_moment

NAMES = ("primary", "replica")


def recorder_on(store: SqliteStore, threshold: int) -> Recorder:
    settings = Settings(CircuitBreakerConfig(threshold=threshold).rules())
    return Recorder(
        store, dict.fromkeys(NAMES, settings), dict.fromkeys(NAMES, "f1"), now=real_moment, actor=f"{os.getpid()}"
    )


def mix(store: SqliteStore) -> None:
    """Twenty times: a failing call on the primary, and the replica held or closed, each time on a new connection."""
    for turn in range(20):
        recorder = recorder_on(store, threshold=1_000_000)
        recorder.restore()
        recorder.record("primary", Called(succeeded=False), real_moment())
        recorder.record("replica", Held(Hold()) if turn % 2 else Closed(), real_moment())
        recorder.published(Event(EventType.ERROR, None, utc(real_moment().wall), note=f"{os.getpid()}/{turn}"))
        recorder.flush()
        store.close()
    print("done")


def fail_once(store: SqliteStore) -> None:
    """Loads, waits until everybody has loaded, and then reports one failing call."""
    recorder = recorder_on(store, threshold=5)
    rows = recorder.restore()
    generation = rows["primary"].memory.circuit.generation if rows else 0
    print("ready", flush=True)
    sys.stdin.readline()
    recorder.record("primary", Called(succeeded=False, generation=generation), real_moment())
    recorder.flush()


def until_killed(store: SqliteStore) -> None:
    """Reports failing calls, one after the other, and says so after each that is saved."""
    recorder = recorder_on(store, threshold=1_000_000)
    done = 0
    while True:
        recorder.record("primary", Called(succeeded=False), real_moment())
        recorder.flush()
        done += 1
        print(done, flush=True)


def two_hundred(store: SqliteStore) -> None:
    """Reports two hundred failing calls."""
    recorder = recorder_on(store, threshold=1_000_000)
    for _ in range(200):
        recorder.record("primary", Called(succeeded=False), real_moment())
        recorder.flush()
    print("done")


def on_a_full_disk(store: SqliteStore) -> None:
    """Writes until nothing more fits, which files of this process reach at 200 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    recorder = recorder_on(store, threshold=1_000_000)
    for saved in range(10_000):
        recorder.record("primary", Called(succeeded=False), real_moment())
        recorder.published(Event(EventType.ERROR, None, utc(real_moment().wall), note="x" * 1000))
        try:
            recorder.flush()
        except StateStoreError as error:
            print(saved, error)
            return


def as_nobody(store: SqliteStore) -> None:
    """Without the powers of root: reads, then writes, and says how each went."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    for act in (lambda: sorted(store.load()), lambda: len(store.events()), store.revision, lambda: write(store)):
        try:
            print(act())
        except StateStoreError as error:
            print(f"StateStoreError: {error}")


def write(store: SqliteStore) -> list[str]:
    recorder = recorder_on(store, threshold=5)
    recorder.record("replica", Held(Hold()), real_moment())
    return sorted(recorder.flush())


DEEDS: dict[str, Callable[[SqliteStore], None]] = {
    deed.__name__: deed for deed in (mix, fail_once, until_killed, two_hundred, on_a_full_disk, as_nobody)
}

if __name__ == "__main__":
    DEEDS[sys.argv[1]](open_store(f"sqlite:///{Path(sys.argv[2])}", "shop"))
