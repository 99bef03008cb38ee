"""Makes connections to PostgreSQL: each host in turn, each within its part of the time."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from omnidb_cli.drivers.base import unresponsive
from omnidb_cli.drivers.postgres.errors import connect_error
from omnidb_cli.drivers.postgres.login_requests import LoginPolicy
from omnidb_cli.drivers.postgres.options import with_service
from omnidb_cli.errors import ConnectError, ErrorKind
from omnidb_cli.log import Log

if TYPE_CHECKING:
    from asyncpg import Connection

    from omnidb_cli.drivers.postgres.options import Login

_log = Log("drivers.postgres")

GRACE_S = 0.3
"""How long an interrupted statement's end on the server is waited for, seconds."""

_END_WITH_CLIENT = """
SELECT set_config('client_connection_check_interval', '1s', {local})
 WHERE current_setting('client_connection_check_interval', true) = '0' AND version() LIKE '%linux%'
"""
"""Has the server check whether its client is still there (PostgreSQL 14 and up), so that nothing runs on for nobody."""

END_WITH_CLIENT = _END_WITH_CLIENT.format(local="false")
BEGIN_READ_ONLY = f"BEGIN READ ONLY; {_END_WITH_CLIENT.format(local='true')}"
"""A transaction that cannot be made READ WRITE any more, since a query has run in it."""

_FINAL = (ErrorKind.AUTH, ErrorKind.NOT_FOUND)  # the other hosts would say the same, and locked accounts are no help


async def connected(login: "Login", limit_s: float, *, configured_s: float) -> "Connection":
    """A connection to the first host that will have it, within `limit_s`; `configured_s` is what messages name.

    Raises ConnectError with the reason of the last host tried and the sentences of all, AuthenticationError at once.
    """
    login = with_service(login)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    attempts = [(host, attrs) for attrs in _passes(login.session_attrs) for host in login.hosts]
    failures: list[ConnectError] = []
    for number, (host, attrs) in enumerate(attempts):
        left_s = max(deadline - loop.time(), 0.001) / (len(attempts) - number)
        try:
            return await _connected(login, host, attrs, min(left_s, login.connect_timeout_s or left_s))
        except TimeoutError:
            said_s = min(configured_s, login.connect_timeout_s or configured_s)
            failures.append(unresponsive(login.place(*host), said_s, [host[0]]))
        except ConnectError as error:
            if error.kind in _FINAL:
                raise
            failures.append(error)
    last = failures[-1]
    if len(login.hosts) > 1:
        last.args = ("; ".join(dict.fromkeys(map(str, failures))),)
    raise last


def _passes(session_attrs: str) -> tuple[str, ...]:
    """What is asked of the hosts, and then, when none is that."""
    return ("standby", "any") if session_attrs == "prefer-standby" else (session_attrs,)


async def _connected(login: "Login", host: tuple[str, int], session_attrs: str, limit_s: float) -> "Connection":
    import asyncpg

    from omnidb_cli.drivers.postgres.private_api import QuietConnection, logging_in_by

    _hush(asyncpg)
    _log.debug("connecting to %s, logging in as %s", login.place(*host), login.username)
    try:
        with logging_in_by(LoginPolicy(login.place(*host), login.require_auth)):
            connection = await asyncpg.connect(
                f"postgresql://?{urlencode(_with_system_roots(login.params))}",
                host=host[0],
                port=host[1],
                user=login.username,
                password=login.password_for(*host),
                database=login.database,
                target_session_attrs=session_attrs,
                direct_tls=login.direct_tls or None,
                timeout=limit_s,
                connection_class=QuietConnection,
            )
    except (TimeoutError, ConnectError):
        raise
    except Exception as error:  # asyncpg raises whatever it meets in an answer that it does not expect
        raise _why(error, login, host) from error
    _log.debug("logged in to %s: PostgreSQL %s", login.place(*host), connection.get_settings().server_version)
    return connection


def _why(error: Exception, login: "Login", host: tuple[str, int]) -> ConnectError:
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError) and not host[0].startswith("/"):
        named = error.filename or ", ".join(login.params[key] for key in _FILES if key in login.params)
        return ConnectError(f"{login.place(*host)}: {error.strerror}: {named}", kind=ErrorKind.TLS)
    made = connect_error(error, login.place(*host))
    if made.kind is ErrorKind.AUTH and login.password is None:
        made.hint = (
            "the URL has no password; PGPASSWORD and the password file (PGPASSFILE, ~/.pgpass: for its owner alone, "
            "mode 0600) are read too"
        )
    return made


_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


def _with_system_roots(params: Mapping[str, str]) -> Mapping[str, str]:
    """`sslrootcert=system` as libpq has it: the system's own authorities, and the host name is verified."""
    if params.get("sslrootcert") != "system":
        return params
    import ssl

    return {**params, "sslrootcert": ssl.get_default_verify_paths().cafile or "", "sslmode": "verify-full"}


def _hush(asyncpg: Any) -> None:
    """A password file with rights too wide is passed over, and the login then says what it lacks."""
    import warnings

    warnings.filterwarnings("ignore", message="password file", module=f"{asyncpg.__name__}.connect_utils")


async def discard(connection: "Connection") -> None:
    """Ends a connection that was interrupted: its statement stops on the server, if that can be had in `GRACE_S`."""
    with contextlib.suppress(Exception):
        await connection.close(timeout=GRACE_S)
    connection.terminate()
