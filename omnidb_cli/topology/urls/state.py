"""URLs of the places where state is kept."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote

from msgspec import Struct

from omnidb_cli.topology.secrets.redaction import redact_url
from omnidb_cli.topology.secrets.secret import Secret
from omnidb_cli.topology.urls.engines import Engines
from omnidb_cli.topology.urls.url import parse_url, scheme_of


class Stores(Protocol):
    """The kinds of state store that there are. `omnidb_cli.state.store` is one."""

    def is_store(self, scheme: str) -> bool:
        """Whether state can be kept where a URL of this scheme leads."""
        ...

    def store_schemes(self) -> Sequence[str]:
        """Every such scheme."""
        ...


class StateUrl(Struct, frozen=True):
    """Where the state is kept. `text` opens the store, password and all, relative files made absolute.

    `shown` is the same without its password, for people.
    """

    text: str
    shown: str
    secrets: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"StateUrl({self.shown!r})"


def parse_state_url(text: str, *, base_dir: str, engines: Engines, stores: Stores) -> StateUrl:
    """The URL of a store; that of one that is an engine too is read as the engine's. Raises ValueError."""
    if text.lower() in {"memory:", "memory://"}:
        return StateUrl("memory:", "memory:")
    scheme, rest = scheme_of(text, engines)
    if not stores.is_store(scheme):
        raise ValueError(f'state cannot be kept in "{scheme}://": the schemes are {", ".join(stores.store_schemes())}')
    if engines.find_engine(scheme) is None:
        return StateUrl(text, redact_url(text), _password_in(rest))
    url = parse_url(text, base_dir=base_dir, engines=engines)
    if url.path is None:
        return StateUrl(text, url.text, url.secrets)
    if "?" in rest:
        raise ValueError("the URL of a state file has no parameters, and no ? in the file's name")
    return StateUrl(f"{scheme}:///{url.path}", f"{scheme}:///{url.path}", url.secrets)


def _password_in(rest: str) -> tuple[Secret, ...]:
    userinfo, _, _ = rest.rpartition("@")
    _, _, password = userinfo.partition(":")
    return tuple(map(Secret, dict.fromkeys((password, unquote(password))))) if password else ()
