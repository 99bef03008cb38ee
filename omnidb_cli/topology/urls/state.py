"""URLs of the places where state is kept."""

from msgspec import Struct

from omnidb_cli.topology.secrets.secret import Secret
from omnidb_cli.topology.urls.engines import Engines
from omnidb_cli.topology.urls.url import parse_url, scheme_of

_SCHEMES = ("sqlite", "memory", "redis", "rediss", "postgresql", "postgres")


class StateUrl(Struct, frozen=True):
    """Where the state is kept. `text` opens the store, password and all, relative files made absolute.

    `shown` is the same without its password, for people.
    """

    text: str
    shown: str
    secrets: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"StateUrl({self.shown!r})"


def parse_state_url(text: str, *, base_dir: str, engines: Engines) -> StateUrl:
    """The URL of a state store: SQLite, `memory:`, Redis or PostgreSQL. Raises ValueError with a sentence."""
    if text.lower() in {"memory:", "memory://"}:
        return StateUrl("memory:", "memory:")
    scheme, rest = scheme_of(text, engines)
    if scheme not in _SCHEMES:
        raise ValueError(f'state cannot be kept in "{scheme}://": the schemes are {", ".join(_SCHEMES)}')
    url = parse_url(text, base_dir=base_dir, engines=engines)
    if url.path is None:
        return StateUrl(text, url.text, url.secrets)
    if "?" in rest:
        raise ValueError("the URL of a state file has no parameters, and no ? in the file's name")
    return StateUrl(f"sqlite:///{url.path}", f"sqlite:///{url.path}", url.secrets)
