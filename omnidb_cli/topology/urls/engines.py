"""The engines that a URL can name, by scheme, and what differs between their URLs. Written once."""

from collections.abc import Mapping

from msgspec import Struct


class Engine(Struct, frozen=True):
    """One engine. `port` is its default; `host_params` are the parameters that stand in for the host in the URL.

    A host that begins with `/` is a unix socket, or the folder of one. `service_param` names an entry of the engine's
    own files, which may say the host. `login_params` (user, password) and `database_param` stand in for those parts of
    the URL; `semicolons` may part parameters too, and those in `repeated` (in lower case) may be there several times.
    """

    name: str
    schemes: tuple[str, ...]
    port: int | None = None
    several_hosts: bool = False
    host_params: tuple[str, ...] = ()
    service_param: str | None = None
    login_params: tuple[str, str] | None = None
    database_param: str | None = None
    semicolons: bool = False
    repeated: tuple[str, ...] = ()


ENGINES = (
    Engine(
        "postgresql", ("postgresql", "postgres"), 5432, several_hosts=True, host_params=("host",),
        service_param="service", login_params=("user", "password"), database_param="dbname",
    ),
    Engine(
        "mysql", ("mysql", "mariadb"), 3306, several_hosts=True, host_params=("unix_socket", "socket"),
        login_params=("user", "password"),
    ),
    Engine(
        "redis", ("redis", "rediss", "valkey", "valkeys", "unix"), 6379,
        login_params=("username", "password"), database_param="db",
    ),
    Engine(
        "mongodb", ("mongodb", "mongodb+srv"), 27017, several_hosts=True,
        semicolons=True, repeated=("readpreferencetags",),
    ),
    Engine("sqlite", ("sqlite",)),
)  # fmt: skip
BY_SCHEME: Mapping[str, Engine] = {scheme: engine for engine in ENGINES for scheme in engine.schemes}
STATE_SCHEMES = ("sqlite", "memory", "redis", "rediss", "postgresql", "postgres")
