"""URLs of every engine, taken apart as each engine's own convention has them.

No message here repeats any part of the URL in which a password could stand.
"""

import os.path
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from omnidb_cli.topology.secrets.redaction import MASK, is_secret_name
from omnidb_cli.topology.secrets.secret import Secret
from omnidb_cli.topology.urls.engines import Engine, Engines, schemes_of

Hosts = tuple[tuple[str, int | None], ...]
_NO_PARAMS: Mapping[str, str] = MappingProxyType({})


class Url(Struct, frozen=True):
    """A URL in its parts, decoded. `text` is the URL as written, without its password.

    `hosts` are (host, port) pairs, none where a service says them; a host that begins with `/` is a unix socket.
    `database` is the path without its first slash; `path` the absolute file of an engine that lives in one. `address`
    says where it is, for people: `db1.internal:5432/app`; no user, password or parameter.
    """

    scheme: str
    text: str
    engine: str
    address: str
    username: str | None = None
    password: Secret | None = None
    hosts: Hosts = ()
    database: str | None = None
    params: Mapping[str, str] = _NO_PARAMS
    path: str | None = None

    def __repr__(self) -> str:
        return f"Url({self.text!r})"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The password, and the parameters whose name says that they are secret."""
        found = [Secret(value) for name, value in self.params.items() if value and is_secret_name(name)]
        return (self.password, *found) if self.password else tuple(found)


def parse_url(text: str, *, base_dir: str, engines: Engines) -> Url:
    """The parts of the URL of a connection to one of `engines`; a relative file is relative to `base_dir`.

    Raises ValueError with a sentence that says what is wrong and what to write instead.
    """
    scheme, rest = scheme_of(text, engines)
    engine = engines.find_engine(scheme)
    if engine is None:
        schemes = schemes_of(engines)
        near = _nearest(scheme, schemes)
        raise ValueError(f'there is no engine for "{scheme}://"{near}: the schemes are {", ".join(schemes)}')
    if _CONTROL.search(text) or (not engine.in_file and " " in text):
        raise ValueError("the URL has a space or a control character in it: percent-encode it, a space is %20")
    if "#" in rest:
        raise ValueError("the URL has a # in it: write %23")
    if engine.in_file:
        return _file(engine, scheme, rest, base_dir)
    return _network(engine, scheme, rest)


_FORM = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[\w.-]+\Z")
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+(?:%25[\w.-]+|%[\w.-]+)?)\]\Z")


def _nearest(scheme: str, schemes: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(scheme, schemes, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def scheme_of(text: str, engines: Engines) -> tuple[str, str]:
    """The scheme of a URL, and what stands behind its ://. Raises ValueError with a sentence."""
    found = _FORM.match(text)
    if found is None:
        raise ValueError(f"a URL begins with its scheme and ://, the schemes are {', '.join(schemes_of(engines))}")
    return found[1].lower(), text[found.end() :]


def _file(engine: Engine, scheme: str, rest: str, base_dir: str) -> Url:
    """As SQLAlchemy has it: three slashes and a relative file, or four and an absolute one."""
    written, _, query = rest.partition("?")
    params = _params(query)
    if written in {"", "/", "/:memory:", ":memory:"} or params.get("mode") == "memory":
        raise ValueError("a database in memory exists only inside one program: write a file")
    if not written.startswith("/"):
        raise ValueError(f"{scheme}:/// stands before a relative file, {scheme}://// before an absolute one")
    name = written[1:]
    if name.startswith("file:"):
        raise ValueError(f"a {scheme} URL holds a path, not a file: URI")
    path = os.path.normpath(os.path.join(base_dir, name))  # noqa: PTH118 - a written path, not a looked-up one
    text = f"{scheme}://{written}{_shown_query(query)}"
    return Url(scheme, text, engine.name, name, database=name, params=params, path=path)


def _network(engine: Engine, scheme: str, rest: str) -> Url:
    before, _, query = rest.partition("?")
    if engine.semicolons and "&" not in query:
        query = query.replace(";", "&")
    authority, slash, path = before.partition("/")
    userinfo, at, places = authority.rpartition("@")
    if "@" in path or ("@" in query and authority and not at):
        raise ValueError("the user or password has / ? or @ in it: percent-encode it (%2F %3F %40), or use password:")
    user, _, secret = userinfo.partition(":")
    params = dict(_params(query, engine.repeated))
    as_user, as_password = engine.login_params or (None, None)
    username = _part(_decoded(user), as_user, params, "a user in front of its @")
    password = _part(_decoded(secret), as_password, params, "a password in front of its @")
    is_socket = scheme in engine.socket_schemes
    hosts = (((f"/{_decoded(path)}"), None),) if is_socket else _hosts(engine, scheme, places, params)
    name = "" if is_socket else _decoded(path)
    database = _part(name, engine.database_param, params, "a database behind its /")
    if engine.numbered_databases and not re.fullmatch(r"[0-9]{0,5}", database, re.ASCII):
        raise ValueError(f"the database of a {scheme} URL is its number: {engine.schemes[0]}://host:{engine.port}/0")
    text = f"{scheme}://{user}{at if user else ''}{places}{slash}{path}{_shown_query(query)}"
    if is_socket and hosts[0][0] == "/":
        raise ValueError(f"the URL has no socket: write {scheme}:///path/to/socket")
    shown_params = MappingProxyType(params) if params else _NO_PARAMS
    hidden = Secret(password) if password else None
    address = _address(engine, scheme, hosts, database, shown_params)
    return Url(scheme, text, engine.name, address, username or None, hidden, hosts, database or None, shown_params)


def _address(engine: Engine, scheme: str, hosts: Hosts, database: str, params: Mapping[str, str]) -> str:
    default = None if scheme in engine.srv_schemes else engine.port
    place = ",".join(_shown_host(host, port or default) for host, port in hosts)
    if not place and engine.service_param:
        place = f"{engine.service_param}={params[engine.service_param]}"
    return f"{place}/{database}" if database else place


def _part(written: str, param: str | None, params: dict[str, str], where: str) -> str:
    """A part of the URL, or the parameter that stands in for it; that one is taken out of `params`."""
    instead = params.pop(param, "") if param is not None else ""
    if written and instead:
        raise ValueError(f"the URL has {where} and the parameter {param}: leave one of them out")
    return written or instead


def _hosts(engine: Engine, scheme: str, places: str, params: dict[str, str]) -> Hosts:
    instead = [name for name in engine.host_params if name in params]
    if instead and places:
        raise ValueError(f"the URL has a host and the parameter {instead[0]}: leave one of them out")
    if instead:
        hosts = _hosts_of_params(params.pop(instead[0]), params.pop("port", ""))
    else:
        hosts = tuple(_host(place) for place in places.split(","))
        if engine.host_params and any(host for host, _ in hosts):
            hosts = _with_port(hosts, params.pop("port", ""))
    if hosts[1:] == () and not hosts[0][0] and params.get(engine.service_param or ""):
        return _hosts_of_service(hosts[0][1], params)
    if not all(host for host, _ in hosts):
        socket = f", or ?{engine.host_params[0]}=/path for a unix socket" if engine.host_params else ""
        service = f", or ?{engine.service_param}=NAME" if engine.service_param else ""
        raise ValueError(f"the URL has no host: write one after ://{socket}{service}")
    if len(hosts) > 1 and (not engine.several_hosts or scheme in engine.srv_schemes):
        raise ValueError(f"a {scheme} URL has one host: make each a connection of its own")
    if scheme in engine.srv_schemes and hosts[0][1] is not None:
        raise ValueError(f"a {scheme} URL has no port: DNS says it")
    return hosts


def _with_port(hosts: Hosts, port: str) -> Hosts:
    """The hosts with the port that the parameter `port` says."""
    if port and any(number for _, number in hosts):
        raise ValueError("the URL has a port behind its host and the parameter port: leave one of them out")
    return tuple((host, number or _port(port)) for host, number in hosts)


def _hosts_of_service(port: int | None, params: dict[str, str]) -> Hosts:
    """None: the driver finds them. A port that the URL has nevertheless goes before the service's."""
    if port is not None:
        params["port"] = str(port)
    return ()


def _hosts_of_params(hosts: str, ports: str) -> Hosts:
    """As libpq has them: `host=a,b&port=5432` or `port=5432,5433`."""
    names, numbers = hosts.split(","), [_port(port) for port in ports.split(",")]
    if len(numbers) == 1:
        numbers *= len(names)
    if len(numbers) != len(names):
        raise ValueError("the parameters host and port have different numbers of entries")
    return tuple(zip(names, numbers, strict=True))


def _host(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inside, bracket, after = place.partition("]")
        found = _IPV6.match(inside + bracket)
        if found is None or (after and not after.startswith(":")):
            raise ValueError("an IPv6 address is written [2001:db8::1]:5432")
        return found[1].replace("%25", "%"), _port(after[1:]) if after else None
    if place.count(":") > 1:
        raise ValueError("an IPv6 address goes into square brackets: [2001:db8::1]:5432")
    host, colon, port = place.partition(":")
    host = _decoded(host)
    if host and not host.startswith("/") and not _HOST.match(host):
        raise ValueError("the host has a character that a host name cannot have")
    return host, _port(port) if colon else None


def _port(text: str) -> int | None:
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) and 1 <= int(text) <= 65535:
        return int(text)
    raise ValueError("the port is not a number from 1 to 65535")


def _params(query: str, repeated: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The parameters of a query; those that may be there several times have their values on lines of their own."""
    if not query:
        return _NO_PARAMS
    if _STRAY_PERCENT.search(query):
        raise ValueError(_PERCENT)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise ValueError(_PERCENT) from None
    params: dict[str, str] = {}
    for name, value in pairs:
        if name not in params:
            params[name] = value
        elif name.lower() in repeated:
            params[name] += f"\n{value}"
        else:
            raise ValueError("a parameter of the URL is given twice")
    return MappingProxyType(params)


_PERCENT = "the URL has a % that begins no UTF-8 character: write %25 for a plain %"


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    if _STRAY_PERCENT.search(text):
        raise ValueError(_PERCENT)
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(_PERCENT) from None
    if "\0" in decoded:
        raise ValueError("the URL has a NUL character (%00) in it")
    return decoded


def _shown_query(query: str) -> str:
    """The query with `***` for the values of secret parameters."""
    if not query:
        return ""
    pairs = (pair.partition("=") for pair in query.split("&"))
    shown = (f"{name}={MASK}" if equals and is_secret_name(unquote(name)) else name + equals + value
             for name, equals, value in pairs)  # fmt: skip
    return "?" + "&".join(shown)


def _shown_host(host: str, port: int | None) -> str:
    if host.startswith("/"):
        return f"unix:{host}"
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"
