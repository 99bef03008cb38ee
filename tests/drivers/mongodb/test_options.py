"""URLs as MongoDB's world writes them, and what the client library is told."""

from typing import Any

import pytest

from omnidb_cli import drivers
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mongodb.options import is_direct, make_client, place_of
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind
from omnidb_cli.topology.urls.url import parse_url


def target_of(text: str) -> Target:
    url = parse_url(text, base_dir="/", engines=drivers)
    password = url.password.reveal() if url.password else None
    return Target("mongo", "mongodb", url.scheme, url.hosts, url.username, password, url.database, url.params)


def client_of(text: str) -> Any:
    return make_client(target_of(text), 2.0, [])


@pytest.mark.parametrize(
    ("url", "place", "seeds"),
    [
        ("mongodb://db/shop", "db:27017/shop", {("db", 27017)}),
        ("mongodb://db:27018", "db:27018", {("db", 27018)}),
        ("mongodb://[2001:db8::1]:27018/shop", "[2001:db8::1]:27018/shop", {("2001:db8::1", 27018)}),
        ("mongodb://a,b:27018/shop?replicaSet=rs", "a:27017,b:27018/shop", {("a", 27017), ("b", 27018)}),
        ("mongodb://%2Ftmp%2Fm.sock/shop", "unix:/tmp/m.sock/shop", {("/tmp/m.sock", None)}),
    ],
)  # fmt: skip
async def test_hosts(url: str, place: str, seeds: set[tuple[str, int | None]]) -> None:
    client = client_of(url)
    assert place_of(target_of(url)) == place
    assert client._topology_settings.seeds == seeds
    await client.close()


async def test_a_srv_name_has_no_port() -> None:
    target = target_of("mongodb+srv://cluster.example.com/shop")
    assert place_of(target) == "cluster.example.com/shop"
    client = make_client(target, 2.0, [])
    await client.close()


async def test_a_login_is_decoded_and_belongs_to_the_database_of_the_url_or_its_auth_source() -> None:
    for url, source in (
        ("mongodb://a%40b:p%2F%3F%C3%A9@db/shop", "shop"),
        ("mongodb://a%40b:p%2F%3F%C3%A9@db/shop?authSource=admin", "admin"),
        ("mongodb://a%40b:p%2F%3F%C3%A9@db", "admin"),
    ):
        client = client_of(url)
        login = client.options.pool_options._credentials
        assert (login.username, login.password, login.source) == ("a@b", "p/?é", source)
        await client.close()


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("mongodb://db", True),
        ("mongodb://db/?replicaSet=rs", True),
        ("mongodb://a,b", False),
        ("mongodb://db/?directConnection=false", False),
        ("mongodb://db/?loadBalanced=true", False),
        ("mongodb+srv://db.example.com", False),
    ],
)
def test_one_host_is_spoken_to_alone(url: str, direct: bool) -> None:
    assert is_direct(target_of(url)) is direct


async def test_our_time_limits_hold_whatever_the_url_says() -> None:
    limits = "socketTimeoutMS=1&connectTimeoutMS=1&serverSelectionTimeoutMS=900000&timeoutMS=5&retryWrites=true"
    client = client_of(f"mongodb://db/?{limits}&maxPoolSize=50&heartbeatFrequencyMS=500&maxAdaptiveRetries=5")
    options = client.options
    assert options.server_selection_timeout == 1.6
    assert options.pool_options.socket_timeout == 2.0
    assert options.pool_options.connect_timeout == 1.6
    assert options.pool_options.max_pool_size == 1
    assert options.timeout is None
    assert (options.retry_writes, options.retry_reads, options.max_adaptive_retries) == (False, False, 0)
    assert options.server_monitoring_mode == "poll"
    await client.close()


@pytest.mark.parametrize(
    ("url", "error", "kind", "words"),
    [
        ("mongodb://db/?tlsCafile=/nowhere/ca.crt&tls=true", ConnectError, ErrorKind.TLS, "/nowhere/ca.crt does not"),
        ("mongodb://app@db/shop", AuthenticationError, ErrorKind.AUTH, "a user without a password"),
        ("mongodb://app:secret@db/?authMechanism=NONSENSE", ConnectError, ErrorKind.INTERNAL, "db:27017"),
    ],
)
def test_an_option_that_cannot_be_had_is_said(url: str, error: type[Exception], kind: ErrorKind, words: str) -> None:
    with pytest.raises(ConnectError) as raised:
        client_of(url)
    assert type(raised.value) is error
    assert raised.value.kind is kind
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_tags_of_several_sets_reach_the_client_in_their_order() -> None:
    client = client_of(
        "mongodb://a,b/?readPreference=nearest&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=dc:la"
        "&readPreferenceTags="
    )
    assert client.options.read_preference.tag_sets == [{"dc": "ny", "rack": "1"}, {"dc": "la"}, {}]
    await client.close()
