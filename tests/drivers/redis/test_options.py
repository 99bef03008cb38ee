import pytest

from omnidb_cli import drivers
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.redis.options import Tls, address_of
from omnidb_cli.errors import ConnectError, ErrorKind, TopologyError
from omnidb_cli.topology.urls.url import parse_url


def _target(text: str) -> Target:
    """The target of a connection with this URL."""
    url = parse_url(text, base_dir="/", engines=drivers)
    password = url.password.reveal() if url.password else None
    return Target("cache", "redis", url.scheme, url.hosts, url.username, password, url.database, url.params)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://cache", "cache:6379/0"),
        ("redis://cache:7000/3", "cache:7000/3"),
        ("redis://cache?db=2", "cache:6379/2"),
        ("valkey://cache/1", "cache:6379/1"),
        ("redis://[2001:db8::1]:7000/1", "[2001:db8::1]:7000/1"),
        ("unix:///run/redis.sock", "unix:/run/redis.sock/0"),
        ("unix:///run/redis.sock?db=2", "unix:/run/redis.sock/2"),
        ("redis://u:p%40ss%2F@cache?socket_timeout=5&decode_responses=True", "cache:6379/0"),
    ],
)
def test_where_a_url_leads(url: str, place: str) -> None:
    address = address_of(_target(url))
    assert address.place == place
    assert address.tls is None


def test_user_and_password_are_decoded_and_not_in_the_place() -> None:
    address = address_of(_target("redis://us%3Aer:p%40ss@cache"))
    assert (address.username, address.password) == ("us:er", "p@ss")
    assert address_of(_target("redis://:secret@cache")).username is None
    assert "p@ss" not in address.place


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("rediss://cache", Tls()),
        ("valkeys://cache", Tls()),
        ("rediss://cache?ssl_cert_reqs=none", Tls(verify=False)),
        ("rediss://cache?ssl_cert_reqs=CERT_NONE", Tls(verify=False)),
        ("rediss://cache?ssl_cert_reqs=optional", Tls()),
        ("rediss://cache?ssl_check_hostname=false", Tls(verify_name=False)),
        ("rediss://cache?ssl_ca_certs=/ca.crt", Tls(authorities="/ca.crt")),
        ("rediss://cache?ssl_certfile=/c.crt&ssl_keyfile=/c.key", Tls(certificate="/c.crt", key="/c.key")),
    ],
)
def test_tls(url: str, tls: Tls) -> None:
    assert address_of(_target(url)).tls == tls


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://cache?tsl=1", 'Redis URLs have no parameter "tsl"'),
        ("redis://cache?ssl_ca_certs=/ca.crt", "redis:// asks for none"),
        ("rediss://cache?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
        ("rediss://cache?ssl_check_hostname=maybe", "must be true or false"),
        ("rediss://cache?ssl_keyfile=/c.key", "needs ssl_certfile"),
    ],
)
def test_what_a_url_cannot_say(url: str, why: str) -> None:
    with pytest.raises(TopologyError, match=why) as raised:
        address_of(_target(url))
    assert '"cache"' in str(raised.value)


def test_a_certificate_that_cannot_be_read_is_tls() -> None:
    with pytest.raises(ConnectError, match=r"/nowhere/ca\.crt") as raised:
        Tls(authorities="/nowhere/ca.crt").context()
    assert raised.value.kind is ErrorKind.TLS
