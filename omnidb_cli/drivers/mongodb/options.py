"""How the client library is set up for one endpoint: the URL's own options, and ours where they must hold."""

from typing import TYPE_CHECKING, Any

from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mongodb.parameters import PARAMETERS
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind
from omnidb_cli.topology.urls.check import why_unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymongo import AsyncMongoClient

DEFAULT_PORT = 27017
_PART = 0.8  # of the time that is given to connecting, so that there is time left to say why there is no connection
_FAR_OFF_MS = 24 * 3_600_000
_WITHOUT_PASSWORD = ("MONGODB-X509", "GSSAPI", "MONGODB-AWS", "MONGODB-OIDC")  # ways to log in


def place_of(target: Target) -> str:
    """Where it is, for people: `db1.internal:27017/shop`."""
    default = None if target.scheme == "mongodb+srv" else DEFAULT_PORT
    hosts = ",".join(_shown(host, port or default) for host, port in target.hosts)
    return f"{hosts}/{target.database}" if target.database else hosts


def _shown(host: str, port: int | None) -> str:
    if host.startswith("/"):
        return f"unix:{host}"
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def make_client(target: Target, limit_s: float, listeners: "Sequence[Any]") -> "AsyncMongoClient[dict[str, Any]]":
    """A client that has not connected yet. Raises ConnectError for an option that it cannot have."""
    for name, file in PARAMETERS.files(target.params):
        if (why := why_unreadable(file)) is not None:
            raise ConnectError(f"{place_of(target)}: {name}: the file {file} {why}", kind=ErrorKind.TLS)
    if _lacks_password(target):
        raise AuthenticationError(f"{place_of(target)}: a user without a password", hint="its URL needs a password")
    import warnings

    from pymongo import AsyncMongoClient
    from pymongo.errors import PyMongoError

    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            client = AsyncMongoClient[dict[str, Any]](
                _uri(target), event_listeners=list(listeners), **_settings(target, limit_s)
            )
    except OSError as error:
        raise ConnectError(f"{place_of(target)}: {error.strerror}: {error.filename}", kind=ErrorKind.TLS) from error
    except (PyMongoError, ValueError, TypeError, LookupError) as error:
        raise ConnectError(f"{place_of(target)}: {error}", hint="check the options of its URL") from error
    ignored = next((str(one.message) for one in heard if _is_refusal(str(one.message))), None)
    if ignored is not None:
        raise ConnectError(f"{place_of(target)}: {ignored}", hint="check the options of its URL")
    return client


def _lacks_password(target: Target) -> bool:
    way = PARAMETERS.read(target.params).get("authMechanism", "")
    return bool(target.username) and not target.password and way.upper() not in _WITHOUT_PASSWORD


def _is_refusal(warning: str) -> bool:
    """Whether the library has left out an option of the URL, and only warns of it; one may be tls=true misspelt."""
    return "compression" not in warning  # which it does without where this computer has no such module


def _uri(target: Target) -> str:
    """The URL without its login, which goes beside it so that no message can repeat it."""
    from urllib.parse import quote_plus, urlencode

    hosts = ",".join(_written(host, port) for host, port in target.hosts)
    options = PARAMETERS.read(target.params).items()  # the time limits, pool and repeats are ours
    query = urlencode([(name, one) for name, value in options for one in value.split("\n")], safe=":,")
    return f"{target.scheme}://{hosts}/{quote_plus(target.database or '')}{'?' if query else ''}{query}"


def _written(host: str, port: int | None) -> str:
    if host.startswith("/"):
        from urllib.parse import quote_plus

        return quote_plus(host)
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _settings(target: Target, limit_s: float) -> dict[str, Any]:
    limit_ms = max(int(limit_s * 1000), 1)
    connect_ms = max(int(_PART * min(limit_s, target.timeout_s or limit_s) * 1000), 1)
    given = PARAMETERS.read(target.params)
    settings: dict[str, Any] = {
        "serverSelectionTimeoutMS": connect_ms,
        "connectTimeoutMS": connect_ms,
        "socketTimeoutMS": limit_ms,
        "waitQueueTimeoutMS": limit_ms,
        "minPoolSize": 0,
        "maxPoolSize": 1,
        "maxIdleTimeMS": None,
        "retryReads": False,
        "retryWrites": False,
        "maxAdaptiveRetries": 0,
        "serverMonitoringMode": "poll",
        "heartbeatFrequencyMS": _FAR_OFF_MS,
    }
    if "appName" not in given:
        settings["appname"] = "omnidb"
    if target.username is not None:
        settings["username"] = target.username
    if target.password is not None and target.username is not None:
        settings["password"] = target.password
    if is_direct(target) and "directConnection" not in given:
        settings["directConnection"] = True
    return settings


def is_direct(target: Target) -> bool:
    """Whether the URL speaks of one server alone: what is said of it is then true of that server, not of its set."""
    options = PARAMETERS.read(target.params)
    if options.get("loadBalanced") == "true" or options.get("directConnection") == "false":
        return False
    return len(target.hosts) == 1 and target.scheme == "mongodb"
