"""What a URL may say and what a driver reads of it come from one table: here the two are held together."""

from collections.abc import Iterator, Mapping

import pytest

from omnidb_cli.drivers import engines, open_driver, url_parameters
from omnidb_cli.drivers._url_options import PLAIN
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mongodb.options import make_client
from omnidb_cli.drivers.mysql.options import TlsMode, login
from omnidb_cli.drivers.postgres.options import login_of
from omnidb_cli.drivers.redis.options import TLS_SCHEMES, Address, address_of
from omnidb_cli.errors import TopologyError
from omnidb_cli.plugins import names_in
from omnidb_cli.topology.urls.check import why_unreadable
from omnidb_cli.topology.urls.parameters import Form, Parameter

ONE_URL = {"postgresql": "postgresql", "mysql": "mysql", "redis": "rediss", "mongodb": "mongodb", "sqlite": "sqlite"}
BESIDE = {
    "ssl_keyfile": {"ssl_certfile": __file__},
    "ssl-key": {"ssl-cert": __file__},
    "readPreferenceTags": {"readPreference": "nearest"},
    "maxStalenessSeconds": {"readPreference": "nearest"},
    "authMechanism": {"authSource": "$external"},
}
VALUES = {
    "readPreferenceTags": "dc:ny", "maxStalenessSeconds": "120", "authMechanismProperties": "SERVICE_NAME:x",
    "unicode_decode_error_handler": "strict", "timeoutMS": "5", "authMechanism": "PLAIN",
}  # fmt: skip
SRV = ("srvServiceName", "srvAllowedHostsSuffix", "srvMaxHosts")


def _value(known: Parameter, engine: str) -> str:
    match known.form:
        case Form.WORD | Form.WORDS:
            return VALUES.get(known.name, known.words[0])
        case Form.SWITCH:
            return next(word for word, on in url_parameters(engine).switches.items() if not on)
        case Form.WHOLE | Form.NUMBER:
            return VALUES.get(known.name, str(int(max(known.least or 0, 1))))
        case Form.FILE:
            return __file__
        case _:
            return VALUES.get(known.name, "x")


def _target(engine: str, params: Mapping[str, str]) -> Target:
    path = "/srv/a.db" if engine == "sqlite" else None
    hosts = () if path else (("db", None),)
    return Target("a", engine, ONE_URL[engine], hosts, "me", "x", None, params, path=path)


def _each() -> Iterator[object]:
    for engine in ONE_URL:
        for known in url_parameters(engine).known:
            if known.form is not Form.NEVER:
                yield pytest.param(engine, known, id=f"{engine}-{known.name}")


@pytest.mark.parametrize(("engine", "known"), list(_each()))
def test_a_driver_opens_with_whatever_the_table_allows(engine: str, known: Parameter) -> None:
    params = {**BESIDE.get(known.name, {}), known.name: _value(known, engine)}
    if known.name in SRV:
        with pytest.raises(TopologyError, match="only"):
            open_driver(_target(engine, params))
        return
    target = _target(engine, params)
    open_driver(target)
    assert url_parameters(engine).read(params).keys() == {
        name for name in params if (one := url_parameters(engine).find(name)) and one.effect
    }


MONGODB = [
    known
    for known in url_parameters("mongodb").known
    if known.form not in {Form.NEVER, Form.FILE} and known.name not in {*SRV, "authMechanismProperties"}
]


@pytest.mark.parametrize("known", MONGODB, ids=lambda one: one.name)
async def test_the_client_of_mongodb_takes_every_option(known: Parameter) -> None:
    params = {**BESIDE.get(known.name, {}), known.name.swapcase(): _value(known, "mongodb")}
    await make_client(_target("mongodb", params), 2.0, []).close()


def test_the_words_of_the_drivers_are_those_of_the_table() -> None:
    assert set(url_parameters("mysql").words("ssl_mode")) == set(TlsMode)
    for word in url_parameters("mysql").words("ssl-mode"):
        assert login(_target("mysql", {"SSL_MODE": word.lower()}), {}).tls.mode == word
    for word in url_parameters("redis").words("ssl_cert_reqs"):
        tls = address_of(_target("redis", {"ssl_cert_reqs": word.upper()})).tls
        assert tls is not None
        assert tls.verify is ("none" not in word)


def test_what_changes_nothing_is_not_passed_on() -> None:
    ignored = [one for one in url_parameters("postgresql").known if not one.effect and one.form is not Form.NEVER]
    params = {known.name: _value(known, "postgresql") for known in ignored}
    assert dict(login_of(_target("postgresql", params)).params) == {"application_name": "omnidb"}
    assert address_of(_target("redis", {"socket_timeout": "5"})) == address_of(_target("redis", {}))
    assert isinstance(address_of(_target("redis", {})), Address)


@pytest.mark.parametrize("engine", ONE_URL)
def test_no_driver_opens_with_what_nobody_knows(engine: str) -> None:
    first = url_parameters(engine).known[0]
    for params in ({"nonsense": "1"}, {first.name: "nonsense"}):
        with pytest.raises(TopologyError, match='connection "a": in its URL'):
            open_driver(_target(engine, params))


def test_every_engine_with_a_driver_has_a_table() -> None:
    assert set(ONE_URL) == {engine.name for engine in engines()}
    assert all(url_parameters(engine).known for engine in ONE_URL)
    assert {
        scheme for engine in engines() if engine.name == "redis" for scheme in engine.schemes if scheme in TLS_SCHEMES
    } == set(TLS_SCHEMES)
    assert "_url_options" not in names_in("omnidb_cli.drivers")


@pytest.mark.parametrize("engine", ONE_URL)
def test_a_table_names_each_parameter_once_and_says_why_it_refuses(engine: str) -> None:
    table = url_parameters(engine)
    assert all(table.find(known.name) is known for known in table.known)
    for known in table.known:
        assert bool(known.why) is (known.form is Form.NEVER or bool(known.unkept))
        for word in known.unkept:
            faults = list(table.faults({known.name: word}, scheme=ONE_URL[engine], hosts=1, wording=PLAIN))
            assert len(faults) == 1
            assert f"{known.name}={word} is not supported, {known.why}" in faults[0]


def test_a_file_that_cannot_be_read_says_why(tmp_path: object) -> None:
    assert why_unreadable(f"{tmp_path}/gone") == "does not exist"
    assert why_unreadable(f"{tmp_path}") == "is a directory"
    assert why_unreadable(f"{__file__}/x") == "cannot be read: not a directory"
    assert why_unreadable("a\0b") == "cannot exist: there is a NUL character in its name"
    assert why_unreadable(__file__) is None
