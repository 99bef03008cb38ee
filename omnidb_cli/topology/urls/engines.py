"""How an engine declares what its URLs look like. Each does so in its own package, and is found by its schemes."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from omnidb_cli.topology.urls.parameters import Parameters


class Engine(Struct, frozen=True):
    """One engine.

    `parameters` gives the table of its URLs' parameters; it is asked when a URL has any. `port` is the default one.
    The parameters of `host_params` stand in for the host in the URL; a host that begins with `/` is a unix socket, or
    the folder of one. `service_param` names an entry of the engine's own files, which may say the host. `login_params`
    (user, password) and `database_param` stand in for those parts of the URL. `semicolons` may part parameters too, and
    those in `repeated` (in lower case) may be there several times. An engine with `in_file` lives in a file, whose path
    its URLs name. Of the schemes, those in `socket_schemes` are followed by the path of a unix socket, and those in
    `srv_schemes` by one name whose hosts and ports DNS says. With `numbered_databases` a database is a number.
    """

    name: str
    schemes: tuple[str, ...]
    parameters: Callable[[], Parameters]
    port: int | None = None
    several_hosts: bool = False
    host_params: tuple[str, ...] = ()
    service_param: str | None = None
    login_params: tuple[str, str] | None = None
    database_param: str | None = None
    numbered_databases: bool = False
    semicolons: bool = False
    repeated: tuple[str, ...] = ()
    in_file: bool = False
    socket_schemes: tuple[str, ...] = ()
    srv_schemes: tuple[str, ...] = ()


class Engines(Protocol):
    """The engines that there are. `omnidb_cli.drivers` is one; tests may bring their own."""

    def find_engine(self, scheme: str) -> Engine | None:
        """The engine that a URL's scheme names."""
        ...

    def engines(self) -> Sequence[Engine]:
        """All of them."""
        ...


def schemes_of(engines: Engines) -> tuple[str, ...]:
    """Every scheme of every engine."""
    return tuple(scheme for engine in engines.engines() for scheme in engine.schemes)
