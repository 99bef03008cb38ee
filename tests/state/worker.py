"""What one process of the tests does: `worker.py <deed> <state file> …`; says on stdout what it has achieved."""

import fcntl  # noqa: F401 - the interpreter may lie where another account can import nothing more
import grp  # noqa: F401
import json
import os
import pwd  # noqa: F401
import resource
import signal
import sys
import urllib.parse  # noqa: F401
from collections.abc import Callable
from pathlib import Path
from shlex import quote  # noqa: F401

from omnidb_cli.core.circuit.model import Hold
from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.reducer import CallCompleted, CloseRequested, ConnectionPolicy, HoldRequested
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite.store import SqliteStore, open_store, real_moment

NAMES = ("primary", "replica")


def recorder_on(store: SqliteStore, threshold: int) -> Recorder:
    settings = ConnectionPolicy(CircuitBreakerConfig(threshold=threshold).rules())
    return Recorder(
        store, dict.fromkeys(NAMES, settings), dict.fromkeys(NAMES, "f1"), now=real_moment, actor=f"{os.getpid()}"
    )


def mix(store: SqliteStore) -> None:
    """Twenty times: a failing call on the primary, and the replica held or closed, each time on a new connection."""
    for turn in range(20):
        recorder = recorder_on(store, threshold=1_000_000)
        recorder.restore()
        recorder.record("primary", CallCompleted(succeeded=False), real_moment())
        recorder.record("replica", HoldRequested(Hold()) if turn % 2 else CloseRequested(), real_moment())
        recorder.published(Event(EventType.ERROR, None, utc(real_moment().wall), note=f"{os.getpid()}/{turn}"))
        recorder.flush()
        store.close()
    print("done")


def fail_once(store: SqliteStore) -> None:
    """Loads, waits until everybody has loaded, and then reports one failing call."""
    recorder = recorder_on(store, threshold=5)
    rows = recorder.restore()
    generation = rows["primary"].state.circuit.generation if rows else 0
    print("ready", flush=True)
    sys.stdin.readline()
    recorder.record("primary", CallCompleted(succeeded=False, generation=generation), real_moment())
    recorder.flush()


def until_killed(store: SqliteStore) -> None:
    """Reports failing calls, one after the other, and says so after each that is saved."""
    recorder = recorder_on(store, threshold=1_000_000)
    done = 0
    while True:
        recorder.record("primary", CallCompleted(succeeded=False), real_moment())
        recorder.flush()
        done += 1
        print(done, flush=True)


def two_hundred(store: SqliteStore) -> None:
    """Reports two hundred failing calls."""
    recorder = recorder_on(store, threshold=1_000_000)
    for _ in range(200):
        recorder.record("primary", CallCompleted(succeeded=False), real_moment())
        recorder.flush()
    print("done")


def on_a_full_disk(store: SqliteStore) -> None:
    """Writes until nothing more fits, which files of this process reach at 200 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    recorder = recorder_on(store, threshold=1_000_000)
    for saved in range(10_000):
        recorder.record("primary", CallCompleted(succeeded=False), real_moment())
        recorder.published(Event(EventType.ERROR, None, utc(real_moment().wall), note="x" * 1000))
        try:
            recorder.flush()
        except StateStoreError as error:
            print(saved, error)
            return


def without_room(store: SqliteStore) -> None:
    """Fails to write, as no file of this process may pass 4 kB, and reads all the same: in this store and another."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        write(store)
    except StateStoreError as error:
        print(f"StateStoreError: {error}")
    os.utime(sys.argv[2])  # changed a moment ago, for all that can be told
    other = open_store(store.info().url, "shop")
    print(len(store.load()), len(store.events()), store.revision() == store.revision(), len(other.load()), sep="\n")


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


def as_member(store: SqliteStore) -> None:
    """As another account: changes, reads, says who owns which file, and holds the file until it is told to end."""
    become(*map(int, sys.argv[3:6]))
    try:
        print(json.dumps([write(store), sorted(store.load()), store.info().sharing.shared_with]))
    except StateStoreError as error:
        print(json.dumps([str(error), error.hint]))
    folder = Path(sys.argv[2]).parent
    found = {one.name: one.stat() for one in sorted(folder.iterdir())}
    print(json.dumps({name: [one.st_uid, one.st_gid, one.st_mode & 0o777] for name, one in found.items()}), flush=True)
    sys.stdin.readline()


def mix_as_member(store: SqliteStore) -> None:
    """What `mix` does, as another account."""
    become(*map(int, sys.argv[3:6]))
    mix(store)


def become(uid: int, gid: int, group: int) -> None:
    """From root to an account with a group of its own and a second one, and a umask that shares nothing."""
    os.umask(0o077)
    os.setgroups([group])
    os.setgid(gid)
    os.setuid(uid)


def write(store: SqliteStore) -> list[str]:
    recorder = recorder_on(store, threshold=5)
    recorder.record("replica", HoldRequested(Hold()), real_moment())
    return sorted(recorder.flush())


DEEDS: dict[str, Callable[[SqliteStore], None]] = {
    deed.__name__: deed
    for deed in (
        mix,
        fail_once,
        until_killed,
        two_hundred,
        on_a_full_disk,
        without_room,
        as_nobody,
        as_member,
        mix_as_member,
    )
}

if __name__ == "__main__":
    DEEDS[sys.argv[1]](open_store(f"sqlite:///{Path(sys.argv[2])}", "shop"))
