"""The named clients. They are the caller's own; nothing here looks inside one."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from omnidb_cli.errors import ConfigurationError, UnknownConnectionError

Client = TypeVar("Client")


class Registry(Generic[Client]):
    """Names and their clients, in the order in which they were given.

    Raises ConfigurationError for no connections at all, a blank name or a `None` client.
    """

    __slots__ = ("_clients",)

    def __init__(self, clients: Mapping[str, Client]) -> None:
        if not clients:
            raise ConfigurationError("connections must map at least one name to a client")
        for name, client in clients.items():
            if not _is_name(name):
                raise ConfigurationError(f"a connection's name must be a string, and not blank: {name!r}")
            if client is None:
                raise ConfigurationError(f'the client of "{name}" is None')
        self._clients = dict(clients)

    def __getitem__(self, name: str) -> Client:
        try:
            return self._clients[name]
        except KeyError:
            raise UnknownConnectionError(name, tuple(self._clients)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._clients

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    def require(self, name: str) -> None:
        """Raises UnknownConnectionError unless `name` is there."""
        if name not in self._clients:
            raise UnknownConnectionError(name, tuple(self._clients))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip())
