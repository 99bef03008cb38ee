"""How PostgreSQL is reached: TLS, sockets, password and service files, and what a URL may ask for."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from omnidb_cli import drivers
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.postgres.options import login_of, with_service
from omnidb_cli.errors import ErrorKind, TopologyError
from omnidb_cli.topology.urls.url import parse_url
from tests.drivers.contract import check, fault_of, opened, outcome
from tests.drivers.postgres_targets import target_of
from tests.servers.postgres import DATABASE, PASSWORD, PostgresPair

ENCRYPTED = ("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", ())


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PGPASSFILE", "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE", "PGUSER", "PGSSLMODE", "PGAPPNAME", "PGHOST",
                 "PGPORT", "PGDATABASE"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGSYSCONFDIR", str(tmp_path / "system"))
    monkeypatch.setenv("HOME", str(tmp_path))


def target_from(url: str, **changes: object) -> Target:
    """As the command line makes it from a topology."""
    parts = parse_url(url, base_dir="/", engines=drivers)
    password = parts.password.reveal() if parts.password is not None else None
    target = Target(
        "pg", "postgresql", parts.scheme, parts.hosts, parts.username, password, parts.database, parts.params
    )
    return replace(target, **changes)


@pytest.mark.parametrize(
    ("params", "encrypted"),
    [
        ({}, True),
        ({"sslmode": "disable"}, False),
        ({"sslmode": "allow"}, False),
        ({"sslmode": "prefer"}, True),
        ({"sslmode": "require"}, True),
        ({"sslmode": "verify-ca", "sslrootcert": "ca.crt"}, True),
        ({"sslmode": "verify-full", "sslrootcert": "ca.crt"}, True),
    ],
)
async def test_tls_as_sslmode_has_it(postgres: PostgresPair, params: dict[str, str], *, encrypted: bool) -> None:
    async with opened(target_of(postgres.primary, params=_below(postgres, params))) as driver:
        await check(driver)
        assert (await outcome(driver, ENCRYPTED)).rows == [(encrypted,)]


def _below(postgres: PostgresPair, params: dict[str, str]) -> dict[str, str]:
    files = ("sslrootcert", "sslcert", "sslkey")
    return {key: str(postgres.template / value) if key in files else value for key, value in params.items()}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"sslmode": "verify-ca", "sslrootcert": "other-ca.crt"}, "its certificate is not trusted"),
        ({"sslmode": "require", "sslrootcert": "other-ca.crt"}, "its certificate is not trusted"),
        ({"sslmode": "verify-full", "sslrootcert": "gone.crt"}, "gone.crt"),
        ({"sslmode": "verify-full"}, "root certificate file"),
        ({"sslmode": "verify-full", "sslrootcert": "ca.crt", "sslcert": "gone.crt"}, "gone.crt"),
    ],
)
async def test_certificates_that_do_not_fit_are_tls(
    postgres: PostgresPair, params: dict[str, str], sentence: str
) -> None:
    async with opened(target_of(postgres.primary, params=_below(postgres, params))) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, sentence in str(fault)) == (ErrorKind.TLS, True), str(fault)


async def test_a_name_that_is_not_in_the_certificate(postgres: PostgresPair, monkeypatch: pytest.MonkeyPatch) -> None:
    params = _below(postgres, {"sslrootcert": "ca.crt", "sslmode": "verify-full"})
    target = target_of(postgres.primary, params=params)
    async with opened(replace(target, hosts=(("127.0.0.2", postgres.primary.port),))) as driver:
        assert (await fault_of(driver)).kind in {ErrorKind.TLS, ErrorKind.REFUSED}
    async with opened(replace(target, hosts=(("localhost", postgres.primary.port),))) as driver:
        assert (await check(driver)).role == "primary"


async def test_the_systems_authorities_are_asked_by_name(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.primary, params={"sslrootcert": "system"})) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.TLS


async def test_tls_that_the_server_requires(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.primary, username="with_tls")) as driver:
        await check(driver)
    async with opened(target_of(postgres.primary, username="with_tls", params={"sslmode": "disable"})) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, "no encryption" in str(fault)) == (ErrorKind.AUTH, True)


async def test_tls_that_the_server_does_not_speak(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    server.sql("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    async with opened(target_of(server, params={"sslmode": "disable"})) as driver:
        while (await outcome(driver, ("SHOW ssl", ()))).rows != [("off",)]:
            pass
    async with opened(target_of(server, params={"sslmode": "require"})) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, "does not speak TLS" in str(fault)) == (ErrorKind.TLS, True)
    async with opened(target_of(server)) as driver:
        await check(driver)


async def test_a_certificate_may_be_the_login(postgres: PostgresPair) -> None:
    params = {"sslmode": "verify-full", "sslrootcert": "ca.crt", "sslcert": "client.crt", "sslkey": "client.key"}
    target = target_of(postgres.primary, username="with_certificate", password=None, params=_below(postgres, params))
    async with opened(target) as driver:
        await check(driver)
        await outcome(driver, ("SELECT 1", ()))
    async with opened(replace(target, params={"sslmode": "require"})) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.AUTH


async def test_a_url_as_people_write_it(postgres: PostgresPair) -> None:
    from urllib.parse import quote

    server, secret = postgres.primary, quote(PASSWORD, safe="")
    for url in (
        f"postgresql://app:{secret}@127.0.0.1:{server.port}/{DATABASE}",
        f"postgres://app:{secret}@localhost:{server.port}/{DATABASE}?sslmode=disable&connect_timeout=10&keepalives=1",
        f"postgresql://app:{secret}@/{DATABASE}?host={server.folder}&port={server.port}",
        f"postgresql://app:{secret}@{quote(str(server.folder), safe='')}:{server.port}/{DATABASE}",
        f"postgresql://127.0.0.1:{server.port},127.0.0.1:1/{DATABASE}?user=app&password={secret}",
    ):
        async with opened(target_from(url)) as driver:
            assert (await check(driver)).role == "primary", url


@pytest.mark.parametrize("name", ["PGPASSFILE", "HOME", "passfile"])
async def test_the_password_may_be_in_a_password_file(
    postgres: PostgresPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / ".pgpass"
    file.write_text(f"# comment\nelsewhere:*:*:*:x\n127.0.0.1:{postgres.primary.port}:{DATABASE}:app:{PASSWORD}\n")
    file.chmod(0o600)
    params = {"passfile": str(file)} if name == "passfile" else {}
    if name == "PGPASSFILE":
        monkeypatch.setenv("HOME", "/nowhere")
        monkeypatch.setenv(name, str(file))
    async with opened(target_of(postgres.primary, password=None, params=params)) as driver:
        await check(driver)
    file.chmod(0o644)
    async with opened(target_of(postgres.primary, password=None, params=params)) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, "pgpass" in str(fault.hint)) == (ErrorKind.AUTH, True), fault.hint


@pytest.mark.parametrize("by", ["PGSERVICE", "service"])
async def test_a_service_fills_in_what_the_url_leaves_out(
    postgres: PostgresPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    (tmp_path / ".pg_service.conf").write_text(f"[shop]\nuser=app\npassword={PASSWORD}\ndbname={DATABASE}\n")
    if by == "PGSERVICE":
        monkeypatch.setenv("PGSERVICE", "shop")
    params = {"service": "shop"} if by == "service" else {}
    target = target_of(postgres.primary, username=None, password=None, database=None, params=params)
    async with opened(target) as driver:
        assert (await outcome(driver, ("SELECT current_user::text, current_database()", ()))).rows == [
            ("app", DATABASE)
        ]


@pytest.mark.parametrize("url", ["postgresql:///?service=orders", "postgresql://?service=orders"])
@pytest.mark.parametrize("place", ["PGSERVICEFILE", "HOME", "PGSYSCONFDIR", "servicefile"])
async def test_a_service_may_say_everything(
    postgres: PostgresPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, place: str
) -> None:
    server = postgres.primary
    file = {"HOME": tmp_path / ".pg_service.conf", "PGSYSCONFDIR": tmp_path / "system" / "pg_service.conf"}.get(
        place, tmp_path / "services"
    )
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f"# all of them\n[other]\nhost=nowhere.invalid\n\n[orders]\nhost={server.host}\nport = {server.port}\n"
        f"dbname={DATABASE}\nuser=app\npassword={PASSWORD}\nsslmode=require\nconnect_timeout=20\n[last]\nport=1\n"
    )
    monkeypatch.setenv("PGPASSWORD", "wrong: the service's goes before")
    if place == "PGSERVICEFILE":
        monkeypatch.setenv(place, str(file))
    async with opened(target_from(f"{url}&servicefile={file}" if place == "servicefile" else url)) as driver:
        assert (await check(driver)).role == "primary"
        assert (await outcome(driver, ENCRYPTED)).rows == [(True,)]


async def test_what_the_url_says_goes_before_the_service(
    postgres: PostgresPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = postgres.primary
    (tmp_path / ".pg_service.conf").write_text("[orders]\nport=1\nuser=nobody\ndbname=forbidden\npassword=wrong\n")
    file = tmp_path / "passwords"
    file.write_text(f"{server.folder}:{server.port}:{DATABASE}:app:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    url = f"postgresql://app@/{DATABASE}?host={server.folder}&port={server.port}&service=orders"
    async with opened(replace(target_from(url), password=PASSWORD)) as driver:
        assert (await check(driver)).role == "primary"


async def test_the_password_file_is_asked_for_what_the_service_says(postgres: PostgresPair, tmp_path: Path) -> None:
    server = postgres.primary
    (tmp_path / ".pg_service.conf").write_text(
        f"[tcp]\nhost={server.host}\nport={server.port}\ndbname={DATABASE}\nuser=app\n"
        f"[socket]\nhost={server.folder}\nport={server.port}\ndbname={DATABASE}\nuser=app\n"
    )
    file = tmp_path / ".pgpass"
    for service, place in {"tcp": server.host, "socket": server.folder}.items():
        file.write_text(f"{place}:{server.port}:{DATABASE}:other:x\n{place}:{server.port}:{DATABASE}:app:{PASSWORD}\n")
        file.chmod(0o600)
        async with opened(target_from(f"postgresql:///?service={service}")) as driver:
            assert (await check(driver)).role == "primary", service


async def test_a_server_that_a_service_names_is_named_in_errors(tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text("[orders]\nhost=127.0.0.1\nport=1\ndbname=app\n")
    async with opened(target_from("postgresql:///?service=orders")) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, "127.0.0.1:1/app" in str(fault)) == (ErrorKind.REFUSED, True), fault


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, 'there is no service "orders" in ~/.pg_service.conf, which does not exist'),
        ("[order]\nhost=h\n", 'there is no service "orders" in {file}'),
        ("[orders]\n\nhost=h\nhots=h\n", "{file}:4: libpq knows no parameter 'hots' (did you mean 'host'?)"),
        ("[orders]\nsecret\n", "{file}:2: a line of a service is written name=value"),
        ("[orders]\nservice=other\n", "{file}:2: a service cannot name another service"),
        ("[orders]\nhost=h\nport=many\n", "{file}: in its service \"orders\", port is a number, not 'many'"),
        ("[orders]\nhost=h\nsslmode=on\n", '{file}: in its service "orders", sslmode must be disable, allow'),
        ("[orders]\nhost=a,b,c\nport=1,2\n", '{file}: in its service "orders", host and port have different numbers'),
    ],
)
async def test_a_service_that_cannot_be_used_is_named_with_its_file(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    file = tmp_path / ".pg_service.conf"
    if text is not None:
        file.write_text(text)
    async with opened(target_from("postgresql:///?service=orders")) as driver:
        fault = await fault_of(driver)
        assert fault.kind is ErrorKind.NOT_FOUND
        assert str(fault).startswith(sentence.format(file=file)), fault


async def test_a_service_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "gone"))
    async with opened(target_from("postgresql:///?service=orders")) as driver:
        assert str(await fault_of(driver)) == (
            f"the service file {tmp_path / 'gone'} cannot be read: No such file or directory"
        )


def test_a_service_without_a_host_has_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".pg_service.conf").write_text("[orders]\ndbname=app\n")
    login = login_of(target_from("postgresql:///?service=orders"))
    assert login.places == "service=orders"
    monkeypatch.setattr("omnidb_cli.drivers.postgres.options._SOCKET_FOLDERS", (str(tmp_path),))
    assert with_service(login).places == "localhost:5432/app"
    (tmp_path / ".s.PGSQL.5432").touch()
    assert with_service(login).places == f"unix:{tmp_path}/app"
    monkeypatch.setenv("PGHOST", "db1,db2")
    monkeypatch.setenv("PGPORT", "6432")
    assert with_service(login).places == "db1:6432/app, db2:6432/app"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sslmode": "on"}, 'sslmode must be disable, allow, prefer, require, verify-ca or verify-full, not "on"'),
        ({"target_session_attrs": "master"}, "target_session_attrs must be any, read-write"),
        ({"connect_timeout": "soon"}, 'connect_timeout must be a whole number, not "soon"'),
        ({"channel_binding": "require"}, "channel_binding=require is not supported"),
        ({"gssencmode": "require"}, "gssencmode=require is not supported"),
        ({"require_auth": "scram"}, "require_auth must be password, md5, gss, sspi, scram-sha-256, none"),
        ({"require_auth": "md5,!none"}, "never both"),
        ({"sslmod": "require"}, 'PostgreSQL URLs have no parameter "sslmod"'),
    ],
)
def test_what_a_url_cannot_have_is_said_before_anything_is_touched(params: dict[str, str], message: str) -> None:
    target = Target("orders", "postgresql", "postgresql", (("db", None),), params=params)
    with pytest.raises(TopologyError, match=message) as raised:
        open_driver(target)
    assert '"orders"' in str(raised.value)


def test_places_are_shown_as_in_urls() -> None:
    hosts = (("db1", None), ("2001:db8::1", 6432), ("/run/pg", None))
    login = login_of(Target("pg", "postgresql", "postgresql", hosts, password="secret", database="app"))
    assert login.places == "db1:5432/app, [2001:db8::1]:6432/app, unix:/run/pg/app"


def test_params_that_have_no_effect_here_are_not_sent_to_the_server() -> None:
    params = {
        "keepalives": "1",
        "channel_binding": "prefer",
        "connect_timeout": "0",
        "options": "-c work_mem=8MB",
        "ssl": "true",
    }
    login = login_of(Target("pg", "postgresql", "postgresql", (("db", None),), params=params))
    assert dict(login.params) == {
        "options": "-c work_mem=8MB",
        "sslmode": "require",
        "application_name": "omnidb",
    }
    assert login.connect_timeout_s is None
