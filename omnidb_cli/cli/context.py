"""What a command is given: the global options, its streams, and the ways to the topology and the state."""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from omnidb_cli.errors import TopologyError

if TYPE_CHECKING:
    from omnidb_cli.cli.log_lines import LogLines
    from omnidb_cli.output.report import Shape
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.state.store import Store
    from omnidb_cli.topology import Topology

Redact = Callable[[str], str]

HINT_CONFIG = "name one with --config FILE or in $OMNIDB_CONFIG"


class Context:
    """The collaborators of a command. Made once, at the top of the command line; tests make their own."""

    def __init__(self, *, env: Mapping[str, str] | None = None) -> None:
        self.env = os.environ if env is None else env
        self.config: Path | None = None
        self.state: str | None = None
        self.no_color = False
        self.debug = False
        self._streams: Streams | None = None
        self._hide: Redact | None = None
        self._log_lines: LogLines | None = None

    def with_options(self, *, config: str | None, state: str | None, no_color: bool, debug: bool) -> Self:
        """The same with these global options of a command line; what is given later wins."""
        self.config = self.config if config is None else Path(config)
        self.state = state or self.state
        self.no_color = self.no_color or no_color
        self.debug = self.debug or debug
        return self

    def _start_logging(self) -> None:
        """Logs what follows, where somebody asks for it. Raises a usage error for a form that there is not."""
        form = self.env.get("OMNIDB_LOG") or ("debug" if self.debug else None)
        if form is None or self._log_lines is not None:
            return
        from omnidb_cli.cli.log_lines import log_lines

        self._log_lines = log_lines(self, form)
        self._log_lines.attach()

    def stop_logging(self) -> None:
        """Ends the log, if there is one."""
        lines, self._log_lines = self._log_lines, None
        if lines is not None:
            lines.detach()

    @property
    def streams(self) -> "Streams":
        """The process's streams; until a command has chosen, in the format of the environment."""
        if self._streams is None:
            self._streams = self._open_streams(self.env.get("OMNIDB_OUTPUT") or "table")
        return self._streams

    def choose_format(
        self, wanted: str | None, parts: "Collection[Shape]", *, also: "Collection[str]" = (), headers: bool = True
    ) -> "Streams":
        """The streams in the format that the command line, else the environment, asks for.

        One of `also` is what the command prints itself; the streams are those of the table then.
        """
        from omnidb_cli.cli.options import chosen_format

        name = chosen_format(wanted, self.env.get("OMNIDB_OUTPUT"), parts, also)
        self._streams = self._open_streams(name, headers=headers)
        return self._streams

    def _open_streams(self, name: str, **settings: Any) -> "Streams":
        from omnidb_cli.output.streams import Streams
        from omnidb_cli.topology.secrets.redaction import redact_url

        hide = self._hide or redact_url
        return Streams.of_process(
            format=name, no_color=self.no_color, redact=redact_url, hide=hide, program=self.program, **settings
        )

    def topology(self) -> "Topology":
        """The validated topology. From here on its secrets are hidden in what others say. Raises TopologyError."""
        from omnidb_cli import drivers
        from omnidb_cli.state import store
        from omnidb_cli.topology import Redactor, load

        self._start_logging()
        path = self.config_path()
        topology = load(path, env=self.env, engines=drivers, stores=store)
        self._hide = self.streams.hide = Redactor(topology.secrets)
        if topology.secrets:
            self._warn_of_readable_secrets(path, topology)
        return topology

    def _warn_of_readable_secrets(self, path: Path, topology: "Topology") -> None:
        from omnidb_cli.cli.readable_secrets import HINT, readable_secret

        if (warning := readable_secret(path, topology.secrets)) is not None:
            self.streams.warning(warning, hint=HINT)

    @property
    def program(self) -> str:
        """How the next command has to be typed for the same topology and state: with the options that were typed."""
        from shlex import quote

        words = ["omnidb"]
        words += ["-c", quote(str(self.config))] if self.config is not None else []
        words += ["--state", quote(self.state)] if self.state is not None else []
        return " ".join(words)

    def config_path(self) -> Path:
        """The topology file to use. Raises TopologyError when there is none."""
        if self.config is not None:
            return self.config
        if named := self.env.get("OMNIDB_CONFIG"):
            return Path(named)
        home = Path(self.env.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
        usual = (Path("omnidb.yaml"), Path("omnidb.yml"), home / "omnidb/omnidb.yaml", Path("/etc/omnidb/omnidb.yaml"))
        for path in usual:
            if path.exists():
                return path
        raise TopologyError("no topology file: looked for " + ", ".join(map(str, usual)), hint=HINT_CONFIG)

    def state_url(self, topology: "Topology") -> str:
        """Where the state of this topology is kept."""
        from omnidb_cli.state.default_url import default_url

        if given := self.state or self.env.get("OMNIDB_STATE"):
            return given
        if topology.state is not None:
            return topology.state.text
        return default_url(topology.name, None if topology.named else topology.path)

    def store(self, topology: "Topology") -> "Store":
        """The state store, nothing in it touched yet; a warning where everybody could put another in its place.

        Raises StateStoreError for a URL that cannot be one.
        """
        from omnidb_cli.state.store import open_state

        store = open_state(self.state_url(topology), topology.name)
        if store.exposed_by is not None:
            self._warn_of_exposed_state(store.exposed_by)
        return store

    def _warn_of_exposed_state(self, folder: str) -> None:
        from shlex import quote

        self.streams.warning(
            f"everybody on this host may put another state in the place of this one: {folder} is writable for all",
            hint=f"take that right away (`chmod o-w {quote(folder)}`), or keep the state in another folder",
        )

    def persistent_store(self, topology: "Topology") -> "Store":
        """The store for a command whose whole point is that something is remembered.

        Raises StateStoreError, and PreconditionError for a store that remembers nothing.
        """
        from omnidb_cli.errors import PreconditionError

        store = self.store(topology)
        if not store.remembers:
            raise PreconditionError(
                "nothing would remember it: the state is kept in memory: only",
                hint="name a state that lasts with --state, e.g. sqlite:////var/lib/omnidb/state.db",
            )
        return store
