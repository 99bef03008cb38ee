"""URLs of every engine: their parts, and what is wrong with them, without a password in any message."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnidb_cli import drivers
from omnidb_cli.state import store
from omnidb_cli.topology.urls.engines import schemes_of
from omnidb_cli.topology.urls.state import parse_state_url
from omnidb_cli.topology.urls.url import Url, parse_url

BASE = "/etc/omnidb"


def parsed(text: str) -> Url:
    return parse_url(text, base_dir=BASE, engines=drivers)


@pytest.mark.parametrize(
    ("text", "hosts", "database", "address"),
    [
        ("postgresql://app@db1.internal:5432/app", (("db1.internal", 5432),), "app", "db1.internal:5432/app"),
        ("postgres://db1.internal/app", (("db1.internal", None),), "app", "db1.internal:5432/app"),
        ("POSTGRES://h", (("h", None),), None, "h:5432"),
        ("postgresql://h/", (("h", None),), None, "h:5432"),
        ("postgresql://a:1,b/app", (("a", 1), ("b", None)), "app", "a:1,b:5432/app"),
        ("postgresql://[2001:db8::1]:6432/app", (("2001:db8::1", 6432),), "app", "[2001:db8::1]:6432/app"),
        ("postgresql://[::1]/app", (("::1", None),), "app", "[::1]:5432/app"),
        ("postgresql://[fe80::1%25eth0]/app", (("fe80::1%eth0", None),), "app", "[fe80::1%eth0]:5432/app"),
        ("postgresql:///app?host=/run/pg", (("/run/pg", None),), "app", "unix:/run/pg/app"),
        ("postgresql:///app?host=/run/pg&port=5433", (("/run/pg", 5433),), "app", "unix:/run/pg/app"),
        ("postgresql:///app?host=a,b&port=1,2", (("a", 1), ("b", 2)), "app", "a:1,b:2/app"),
        ("postgresql://%2Frun%2Fpg/app", (("/run/pg", None),), "app", "unix:/run/pg/app"),
        ("mysql://h/my%20shop", (("h", None),), "my shop", "h:3306/my shop"),
        ("mariadb://u@h:3307", (("h", 3307),), None, "h:3307"),
        ("mysql://u@/db?unix_socket=/run/my.sock", (("/run/my.sock", None),), "db", "unix:/run/my.sock/db"),
        ("mysql://u@/db?socket=/run/my.sock", (("/run/my.sock", None),), "db", "unix:/run/my.sock/db"),
        ("redis://h", (("h", None),), None, "h:6379"),
        ("rediss://h:6380/3", (("h", 6380),), "3", "h:6380/3"),
        ("valkey://h/0", (("h", None),), "0", "h:6379/0"),
        ("unix:///run/redis.sock?db=2", (("/run/redis.sock", None),), "2", "unix:/run/redis.sock/2"),
        ("mongodb://a,b:27018/app?replicaSet=rs0", (("a", None), ("b", 27018)), "app", "a:27017,b:27018/app"),
        ("mongodb+srv://c.example.net/app", (("c.example.net", None),), "app", "c.example.net/app"),
        ("mongodb://%2Ftmp%2Fmongodb.sock/app", (("/tmp/mongodb.sock", None),), "app", "unix:/tmp/mongodb.sock/app"),
        ("redis://ключ.рф", (("ключ.рф", None),), None, "ключ.рф:6379"),
    ],
)
def test_where_a_url_leads(text: str, hosts: object, database: str | None, address: str) -> None:
    url = parsed(text)
    assert (url.hosts, url.database, url.address, url.path) == (hosts, database, address, None)


@pytest.mark.parametrize(
    ("text", "path", "address"),
    [
        ("sqlite:///app.db", "/etc/omnidb/app.db", "app.db"),
        ("sqlite:///../data/app.db", "/etc/data/app.db", "../data/app.db"),
        ("sqlite:////var/lib/app.db", "/var/lib/app.db", "/var/lib/app.db"),
        ("sqlite:///my app 100%.db", "/etc/omnidb/my app 100%.db", "my app 100%.db"),
        ("sqlite:///app.db?mode=ro", "/etc/omnidb/app.db", "app.db"),
    ],
)
def test_sqlite_files(text: str, path: str, address: str) -> None:
    url = parsed(text)
    assert (url.path, url.address, url.hosts) == (path, address, ())


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("redis://h", None, None),
        ("redis://u@h", "u", None),
        ("redis://u:@h", "u", None),
        ("redis://:p@h", None, "p"),
        ("redis://u:p:q@h", "u", "p:q"),
        ("redis://u:p@q@h", "u", "p@q"),
        ("redis://a%40b:%2F%3F%25@h", "a@b", "/?%"),
        ("postgresql:///app?host=/run&user=u&password=p", "u", "p"),
    ],
)
def test_who_logs_in(text: str, username: str | None, password: str | None) -> None:
    url = parsed(text)
    assert (url.username, url.password and url.password.reveal()) == (username, password)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://u:p@h/0", "redis://u@h/0"),
        ("redis://:p@h/0", "redis://h/0"),
        (
            "postgresql://h/x?sslmode=require&sslpassword=p&SSLPASS%77ORD=q",
            "postgresql://h/x?sslmode=require&sslpassword=***&SSLPASS%77ORD=***",
        ),
        ("sqlite:///a.db?token=x", "sqlite:///a.db?token=***"),
    ],
)
def test_what_is_shown_has_no_password(text: str, shown: str) -> None:
    assert parsed(text).text == shown
    assert repr(parsed(text)) == f"Url({shown!r})"


def test_secrets_are_the_password_and_secret_parameters() -> None:
    url = parsed("postgresql://u:p@h/x?sslpassword=q&sslmode=require&token=")
    assert [secret.reveal() for secret in url.secrets] == ["p", "q"]
    assert dict(url.params) == {"sslpassword": "q", "sslmode": "require", "token": ""}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "begins with its scheme and ://"),
        ("localhost:5432", "begins with its scheme and ://"),
        ("postgress://h", 'there is no engine for "postgress://" (did you mean "postgres"?)'),
        ("http://h", 'there is no engine for "http://"'),
        ("postgresql://", "has no host: write one after ://, or ?host=/path for a unix socket, or ?service=NAME"),
        ("postgresql:///app?service=", "has no host"),
        ("postgresql://a,/app?service=x", "has no host"),
        ("mysql:///app?service=x", "has no host"),
        ("postgresql://u@/app", "has no host"),
        ("postgresql://:5432/app", "has no host"),
        ("postgresql://a,,b/app", "has no host"),
        ("redis:///0", "has no host: write one after ://"),
        ("unix://", "has no socket"),
        ("redis://a,b", "a redis URL has one host"),
        ("redis://h/zero", "is its number"),
        ("redis://h:0", "not a number from 1 to 65535"),
        ("redis://h:65536", "not a number from 1 to 65535"),
        ("redis://h:abc", "not a number from 1 to 65535"),
        ("redis://h:６３", "not a number from 1 to 65535"),
        ("redis://::1", "square brackets"),
        ("redis://[::1", "is written [2001:db8::1]:5432"),
        ("redis://[zz]", "is written [2001:db8::1]:5432"),
        ("redis://[::1]x", "is written [2001:db8::1]:5432"),
        ("redis://h!x", "a character that a host name cannot have"),
        ("redis://h h", "a space or a control character"),
        ("redis://h\n", "a space or a control character"),
        ("redis://h/0#x", "write %23"),
        ("redis://u:p%zz@h", "write %25"),
        ("redis://u:p%ff@h", "write %25"),
        ("redis://h?x=%ff", "write %25"),
        ("redis://u:p%00@h", "a NUL character"),
        ("redis://h?a=1&a=2", "given twice"),
        ("redis://u:p/q@h", "the user or password has / ? or @ in it"),
        ("redis://u:p?q@h", "the user or password has / ? or @ in it"),
        ("postgresql://h/app?host=/run", "leave one of them out"),
        ("postgresql:///app?host=a,b,c&port=1,2", "different numbers"),
        ("mongodb+srv://h:1/app", "has no port"),
        ("mongodb+srv://a,b/app", "has one host"),
        ("sqlite://", "in memory"),
        ("sqlite:///", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///x?mode=memory", "in memory"),
        ("sqlite://app.db", "sqlite:/// stands before a relative file"),
        ("sqlite:///file:app.db", "not a file: URI"),
        ("sqlite:///a\0b", "a control character"),
    ],
)
def test_what_is_wrong_with_a_url(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parsed(text)
    assert part in str(caught.value)


@settings(deadline=None)
@given(
    st.text(max_size=20),
    st.text(min_size=1, max_size=20),
    st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True), st.integers(1, 65535)), min_size=1),
    st.text(max_size=10).filter(lambda name: "\0" not in name),
)
def test_parts_survive_the_way_through_a_url(
    username: str, password: str, hosts: list[tuple[str, int]], database: str
) -> None:
    username, password = username.replace("\0", ""), password.replace("\0", "") or "x"
    places = ",".join(f"{host}:{port}" for host, port in hosts)
    user, secret, path = (quote(part, safe="") for part in (username, password, database))
    url = parsed(f"postgresql://{user}:{secret}@{places}/{path}")
    assert (url.username or "", url.hosts, url.database or "") == (username, tuple(hosts), database)
    assert url.password is not None
    assert url.password.reveal() == password


@settings(deadline=None)
@given(st.sampled_from(sorted(schemes_of(drivers))), st.text(), st.text())
def test_no_text_breaks_the_parser_or_shows_in_its_messages(scheme: str, before: str, after: str) -> None:
    text = f"{scheme}://{before}hunter2{after}"
    try:
        url = parsed(text)
    except ValueError as error:
        assert "hunter2" not in str(error)  # noqa: PT017 - either outcome is fine
    else:
        assert url.scheme == scheme


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("memory:", "memory:"),
        ("memory://", "memory:"),
        ("sqlite:///state.db", "sqlite:////etc/omnidb/state.db"),
        ("redis://:pw@h/0", "redis://:pw@h/0"),
        ("rediss://h", "rediss://h"),
        ("postgresql://u@h/state", "postgresql://u@h/state"),
    ],
)
def test_where_state_may_be(text: str, opened: str) -> None:
    assert parse_state_url(text, base_dir=BASE, engines=drivers, stores=store).text == opened


@pytest.mark.parametrize(
    ("text", "user", "database", "port", "address"),
    [
        ("postgresql:///?service=orders", None, None, None, "service=orders"),
        ("postgresql://?service=orders", None, None, None, "service=orders"),
        ("postgresql:///app?service=orders", None, "app", None, "service=orders/app"),
        ("postgres://me:secret@:6432/app?service=orders", "me", "app", "6432", "service=orders/app"),
    ],
)
def test_a_service_may_say_the_host(
    text: str, user: str | None, database: str | None, port: str | None, address: str
) -> None:
    url = parsed(text)
    assert (url.hosts, url.username, url.database, url.params.get("port")) == ((), user, database, port)
    assert (url.address, url.params["service"]) == (address, "orders")


def test_a_host_goes_before_a_service() -> None:
    url = parsed("postgresql://db:5433/app?service=orders")
    assert (url.hosts, url.address) == ((("db", 5433),), "db:5433/app")


def test_a_folder_of_sockets_stands_for_the_host() -> None:
    url = parsed("postgresql:///app?host=/var/run/postgresql")
    assert (url.hosts, url.address) == ((("/var/run/postgresql", None),), "unix:/var/run/postgresql/app")


def test_a_state_url_does_not_show_its_password() -> None:
    url = parse_state_url("redis://:hunter2@h/0", base_dir=BASE, engines=drivers, stores=store)
    assert "hunter2" not in repr(url)
    assert [secret.reveal() for secret in url.secrets] == ["hunter2"]


@pytest.mark.parametrize("text", ["mysql://h/x", "mongodb://h", "/var/lib/x.db", "sqlite://", "redis://"])
def test_where_state_may_not_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"state cannot be kept|begins with its scheme|in memory|no host"):
        parse_state_url(text, base_dir=BASE, engines=drivers, stores=store)


@pytest.mark.parametrize(
    ("text", "hosts", "database"),
    [
        ("postgresql://a,b/app?port=5433", (("a", 5433), ("b", 5433)), "app"),
        ("postgresql://a?dbname=app", (("a", None),), "app"),
        ("mysql://a/app?port=3307", (("a", 3307),), "app"),
        ("redis://a?db=2", (("a", None),), "2"),
    ],
)
def test_parameters_stand_in_for_parts(text: str, hosts: object, database: str) -> None:
    url = parsed(text)
    assert (url.hosts, url.database, dict(url.params)) == (hosts, database, {})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("postgresql://me@h/app?user=you", "a user in front of its @ and the parameter user"),
        ("redis://u:hunter2@h?password=hunter3", "a password in front of its @ and the parameter password"),
        ("postgresql://h/app?dbname=other", "a database behind its / and the parameter dbname"),
        ("redis://h/1?db=2", "a database behind its / and the parameter db"),
        ("postgresql://h:5432/app?port=5433", "a port behind its host and the parameter port"),
        ("postgresql://h/app?port=0", "not a number from 1 to 65535"),
        ("mongodb://h/?readPreference=nearest&readPreference=primary", "given twice"),
    ],
)
def test_a_part_that_is_said_twice(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parsed(text)
    assert part in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_options_parted_by_semicolons_hide_their_secrets_too() -> None:
    url = parsed("mongodb://h/?tls=true;tlsCertificateKeyFilePassword=hunter2")
    assert dict(url.params) == {"tls": "true", "tlsCertificateKeyFilePassword": "hunter2"}
    assert url.text == "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***"
    assert [secret.reveal() for secret in url.secrets] == ["hunter2"]


def test_an_option_that_may_be_repeated_keeps_all_its_values() -> None:
    url = parsed("mongodb://h/?readPreferenceTags=dc:ny&readPreferenceTags=dc:la&readPreferenceTags=")
    assert url.params["readPreferenceTags"] == "dc:ny\ndc:la\n"


def test_a_state_file_has_no_parameters() -> None:
    with pytest.raises(ValueError, match="has no parameters"):
        parse_state_url("sqlite:////var/lib/s.db?mode=ro", base_dir=BASE, engines=drivers, stores=store)


class _OneStore:
    """A store whose scheme is no engine's."""

    def is_store(self, scheme: str) -> bool:
        return scheme == "etcd"

    def store_schemes(self) -> tuple[str, ...]:
        return ("etcd",)


def test_a_store_that_is_no_engine_has_its_url_kept_and_its_password_hidden() -> None:
    url = parse_state_url("etcd://app:p%40ss@h1,h2/omnidb", base_dir=BASE, engines=drivers, stores=_OneStore())
    assert (url.text, url.shown) == ("etcd://app:p%40ss@h1,h2/omnidb", "etcd://app:***@h1,h2/omnidb")
    assert {secret.reveal() for secret in url.secrets} == {"p%40ss", "p@ss"}
    with pytest.raises(ValueError, match='"sqlite://": the schemes are etcd'):
        parse_state_url("sqlite:///s.db", base_dir=BASE, engines=drivers, stores=_OneStore())
