"""The parameters of URLs are checked at load: every problem has its place, its key, what was found and what may be."""

from pathlib import Path

import pytest

from omnidb_cli import drivers
from omnidb_cli.errors import Problem, TopologyError
from omnidb_cli.state import store
from omnidb_cli.topology import Topology, load, parse

UNKNOWN = [
    (
        "postgresql://h/app?foo=1",
        'PostgreSQL URLs have no parameter "foo": the parameters are host, user, password, db',
    ),
    ("postgresql://h/app?sslmod=require", 'PostgreSQL URLs have no parameter "sslmod" (did you mean "sslmode"?)'),
    ("postgresql://h/app?SSLMODE=require", 'have no parameter "SSLMODE" (did you mean "sslmode"?)'),
    ("postgresql://h/app?work_mem=64MB", "a setting of the server goes into options=-c%20NAME%3DVALUE"),
    ("postgresql://h/app?usr=me", '(did you mean "user"?)'),
    ("mysql://h/app?ssl-mod=REQUIRED", 'MySQL URLs have no parameter "ssl-mod" (did you mean "ssl-mode"?)'),
    ("mariadb://h/app?foo=1", 'MySQL URLs have no parameter "foo": the parameters are user, password'),
    ("redis://h?tiemout=5", 'Redis URLs have no parameter "tiemout" (did you mean "timeout"?)'),
    ("redis://h?Timeout=5", 'have no parameter "Timeout" (did you mean "timeout"?)'),
    ("mongodb://h/?tlss=true", 'MongoDB URLs have no parameter "tlss" (did you mean "tls"?)'),
    ("mongodb://h/?user=me", 'MongoDB URLs have no parameter "user"'),
    ("sqlite:///a.db?mod=ro", 'SQLite URLs have no parameter "mod" (did you mean "mode"?)'),
    ("sqlite:///a.db?password=hunter2", 'SQLite URLs have no parameter "password"'),
    ("redis://h?%3D%3D=1", "have no parameter with such a name"),
]
VALUES = [
    (
        "postgresql://h/app?sslmode=bogus",
        'sslmode must be disable, allow, prefer, require, verify-ca or verify-full, not "bogus"',
    ),
    ("postgresql://h/app?sslmode=requir", 'not "requir" (did you mean "require"?)'),
    ("postgresql://h/app?sslmode=", "or verify-full, and is empty"),
    ("postgresql://h/app?sslmode=Require", 'not "Require" (did you mean "require"?)'),
    ("postgresql://h/app?connect_timeout=soon", 'connect_timeout must be a whole number, not "soon"'),
    ("postgresql://h/app?keepalives=2", 'keepalives must be a whole number from 0 to 1, not "2"'),
    ("postgresql://h/app?ssl=false", 'ssl must be true, not "false"'),
    ("postgresql:///app?service=x&port=zero", "port must be a whole number from 1 to 65535"),
    ("postgresql://h/app?target_session_attrs=master", 'prefer-standby, not "master"'),
    ("postgresql://h/app?ssl_min_protocol_version=1.2", 'TLSv1.2 or TLSv1.3, not "1.2"'),
    ("mysql://h/app?ssl-mode=sometimes", 'VERIFY_CA or VERIFY_IDENTITY, not "sometimes"'),
    ("mysql://h/app?ssl_mode=verify_identiy", '(did you mean "VERIFY_IDENTITY"?)'),
    ("mysql://h/app?ssl=maybe", 'ssl must be true or false, not "maybe"'),
    ("mysql://h/app?charset=latin1", 'charset must be utf8mb4 or utf8, not "latin1"'),
    ("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs must be required, optional, none, cert_required"),
    ("rediss://h?ssl_check_hostname=maybe", 'ssl_check_hostname must be true or false, not "maybe"'),
    ("redis://h?socket_timeout=5s", 'socket_timeout must be a number from 0 to 1000000000, not "5s"'),
    ("redis://h?max_connections=0", 'max_connections must be a whole number of at least 1, not "0"'),
    ("redis://h?protocol=4", 'protocol must be 2 or 3, not "4"'),
    ("mongodb://h/?tls=yes", 'tls must be true or false, not "yes"'),
    ("mongodb://h/?readPreference=Nearest", 'not "Nearest" (did you mean "nearest"?)'),
    ("mongodb://h/?compressors=zstd,gzip", 'compressors must be snappy, zlib or zstd, not "zstd,gzip"'),
    ("mongodb://h/?zlibCompressionLevel=10", "zlibCompressionLevel must be a whole number from -1 to 9"),
    ("mongodb://h/?authMechanism=NONSENSE", "authMechanism must be SCRAM-SHA-256"),
    ("mongodb://h/?appName=" + "x" * 129, "appName must be at most 128 bytes long"),
    ("mongodb://h/?connecttimeoutms=x", 'connectTimeoutMS must be a number from 0 to 1000000000, not "x"'),
    ("sqlite:///a.db?mode=rx", 'mode must be ro or rw, not "rx"'),
    ("sqlite:///a.db?timeout=long", "timeout must be a number from 0"),
]
NOT_SUPPORTED = [
    ("postgresql://h/app?channel_binding=require", "channel_binding=require is not supported, a login is not bound"),
    ("postgresql://h/app?gssencmode=require", "write prefer or disable"),
    ("postgresql://h/app?requirepeer=postgres", "requirepeer is not supported, which account runs the server is not"),
    ("postgresql://h/app?hostaddr=10.0.0.1", "hostaddr is not supported, the address goes where the host stands"),
    ("postgresql://h/app?scram_client_key=hunter2", "scram_client_key is not supported"),
    ("mysql://h/app?tls-version=TLSv1.3", "tls-version is not supported, this part of TLS is not set up here"),
    ("rediss://h?ssl_ciphers=x", "ssl_ciphers is not supported"),
    ("mongodb://h/?proxyHost=p", "proxyHost is not supported, no proxy is used"),
    ("sqlite:///a.db?mode=rwc", "mode=rwc is not supported, no file is ever created: write ro or rw"),
    ("sqlite:///a.db?immutable=1", "immutable=1 is not supported"),
    ("sqlite:///a.db?vfs=unix-none", "vfs is not supported"),
]
TOGETHER = [
    ("mongodb://h/?tls=true&TLS=true", "the parameter tls is given twice"),
    ("mysql://h/app?ssl-ca=&ssl_ca=", "the parameter ssl-ca is given twice"),
    ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs is for TLS, and redis:// asks for none"),
    (f"rediss://h?ssl_keyfile={__file__}", "ssl_keyfile needs ssl_certfile beside it"),
    (f"mysql://h/app?ssl-key={__file__}", "ssl-key needs ssl-cert beside it"),
    ("mongodb://h/?tls=true&ssl=false", "ssl and tls are the same and say different things"),
    ("mongodb://h/?tls=false&tlsInsecure=true", "tlsInsecure is for TLS, and the URL asks for none"),
    ("mongodb://h/?tlsInsecure=true&tlsAllowInvalidHostnames=true", "tlsInsecure says tlsAllowInvalidHostnames too"),
    ("mongodb://a,b/?directConnection=true", "directConnection=true goes with one host"),
    ("mongodb+srv://h/?directConnection=true", "directConnection=true goes with one host and mongodb://"),
    ("mongodb://a,b/?loadBalanced=true", "loadBalanced=true goes with one host"),
    ("mongodb://h/?loadBalanced=true&replicaSet=rs", "loadBalanced=true and replicaSet contradict"),
    ("mongodb://h/?srvMaxHosts=2", "srvMaxHosts is for mongodb+srv:// only"),
    ("mongodb://h/?authSource=", "authSource must not be empty"),
    ("mongodb://h/?w=0&journal=true", "journal=true and w=0 contradict each other"),
    ("mongodb://h/?w=-1", "w must not be below 0"),
    ("mongodb://h/?maxStalenessSeconds=90", "maxStalenessSeconds is for reading from secondaries"),
    ("mongodb://h/?readPreferenceTags=dc:ny", "readPreferenceTags are for reading from secondaries"),
    ("mongodb://h/?readPreference=nearest&readPreferenceTags=dc", "must be written name:value,name:value"),
]
GOOD = [
    "postgresql://h/app?sslmode=verify-full&sslrootcert=system&connect_timeout=-1&options=-c%20work_mem%3D64MB",
    "postgresql://h/app?ssl=true&keepalives=0&keepalives_idle=30&tcp_user_timeout=1000&sslsni=1&sslcompression=0",
    "postgresql:///app?host=a,b&port=5432,5433&user=me&password=x&target_session_attrs=prefer-standby",
    "postgresql:///?service=orders&passfile=~/.other&dbname=app",
    "postgres://h:5433/app?channel_binding=prefer&gssencmode=disable&replication=off&load_balance_hosts=disable",
    "mysql://h/app?ssl_mode=verify-identity&charset=utf8mb4&connect-timeout=5",
    "mysql://h/app?port=3307",
    "mysql://h/app?SSL-MODE=required&local-infile=0&get-server-public-key=true",
    "mariadb:///app?socket=/run/m.sock&ssl=&ssl-verify-server-cert",
    "rediss://h/2?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=False&socket_timeout=1.5&decode_responses=True",
    "unix:///run/redis.sock?db=3&protocol=3&max_connections=10&client_name=me&health_check_interval=30",
    "redis://h?username=u&password=p",
    "mongodb://h/?TLS=true&tlsInsecure=true&replicaset=rs&READPREFERENCE=secondaryPreferred&w=majority&wtimeoutms=100",
    "mongodb://a,b/?readPreference=nearest&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=&maxStalenessSeconds=120",
    "mongodb://h/?tls=true;appName=x;compressors=zstd,snappy,zlib;zlibCompressionLevel=-1",
    "mongodb+srv://h/?srvMaxHosts=2&srvServiceName=x&authSource=admin&connectTimeoutMS=5000&retryWrites=true",
    "sqlite:///a.db?mode=rw&cache=private&timeout=5.0&check_same_thread=false&uri=true&immutable=0&nolock=no&psow=1",
    "sqlite:////srv/a.db?mode=ro",
]  # fmt: skip


def checked(url: str, **env: str) -> Topology:
    text = f"connections:\n  a:\n    url: '{url}'\n"
    return parse(text, file="t.yaml", env=env, base_dir="/etc/omnidb", engines=drivers, stores=store)


def problems(url: str, **env: str) -> tuple[Problem, ...]:
    with pytest.raises(TopologyError) as caught:
        checked(url, **env)
    return caught.value.problems


@pytest.mark.parametrize(("url", "part"), [*UNKNOWN, *VALUES, *NOT_SUPPORTED, *TOGETHER])
def test_what_no_url_may_say(url: str, part: str) -> None:
    (problem,) = problems(url)
    assert (problem.file, problem.line, problem.column, problem.path) == ("t.yaml", 3, 10, "connections.a.url")
    assert part in problem.message
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("url", GOOD)
def test_what_the_engines_own_client_takes_is_taken(url: str) -> None:
    assert checked(url).connections["a"].url.scheme == url.partition(":")[0]


def test_all_problems_of_all_urls_are_told_at_once() -> None:
    text = (
        "connections:\n  a: {url: 'postgresql://h?sslmode=on&foo=1&keepalives=x'}\n  b: {url: 'redis://h?x=1'}\n"
        "  c: {url: 'mongodb://h/?tls=1', role: x}\n"
    )
    with pytest.raises(TopologyError) as caught:
        parse(text, engines=drivers, stores=store)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (2, "connections.a.url"), (2, "connections.a.url"), (2, "connections.a.url"), (3, "connections.b.url"),
        (4, "connections.c.url"), (4, "connections.c.role"),
    ]  # fmt: skip


FILES = [
    ("postgresql://h/app?sslrootcert={}", "sslrootcert"),
    ("postgresql://h/app?sslcert={}", "sslcert"),
    ("postgresql://h/app?sslcrl={}", "sslcrl"),
    ("mysql://h/app?ssl-ca={}", "ssl-ca"),
    ("rediss://h?ssl_ca_certs={}", "ssl_ca_certs"),
    ("mongodb://h/?tlsCAFile={}", "tlsCAFile"),
    ("mongodb://h/?tlscertificatekeyfile={}", "tlscertificatekeyfile"),
]


@pytest.mark.parametrize(("url", "name"), FILES)
def test_a_file_that_a_url_names_must_be_there(url: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    (problem,) = problems(url.format(file))
    assert problem.message == f"{name}: the file {file} does not exist"
    file.write_text("a certificate")
    assert checked(url.format(file)).connections["a"].url.params[name] == str(file)


def test_a_file_is_looked_for_beside_the_topology(tmp_path: Path) -> None:
    config = tmp_path / "t.yaml"
    config.write_text("connections: {a: {url: 'redis://h'}, b: {url: 'rediss://h?ssl_ca_certs=tls/ca.pem'}}\n")
    with pytest.raises(TopologyError, match="1 problem") as caught:
        load(config, env={}, engines=drivers, stores=store)
    assert str(tmp_path / "tls/ca.pem") in caught.value.problems[0].message
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/ca.pem").touch()
    url = load(config, env={}, engines=drivers, stores=store).connections["b"].url
    assert url.params["ssl_ca_certs"] == str(tmp_path / "tls/ca.pem")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (problem,) = problems(f"postgresql://h/app?sslrootcert={tmp_path}")
    assert problem.message == f"sslrootcert: the file {tmp_path} is a directory"


def test_a_file_left_open_by_a_reference_is_left_out() -> None:
    assert checked("postgresql://h/app?sslrootcert=${env:CA:-}").connections["a"].url.params["sslrootcert"] == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://h/app?sslmode=${env:X}", 'verify-full, which "${env:X}" does not give'),
        ("postgresql://h/app?sslmode=${env:NONE:-bad}", 'which "${env:NONE:-bad}" does not give'),
        ("redis://h?timeout=${env:X}", 'which "${env:X}" does not give'),
        ("rediss://h?ssl_ca_certs=${env:X}", "the file that ${env:X} names does not exist"),
    ],
)
def test_what_a_reference_gives_is_not_shown(url: str, said: str) -> None:
    (problem,) = problems(url, X="hunter2")
    assert said in problem.message
    assert "hunter2" not in str(problem)


def test_a_reference_gives_what_is_allowed() -> None:
    url = checked("postgresql://app:${env:PW}@h/app?sslmode=${env:MODE}", PW="hunter2", MODE="require")
    assert url.connections["a"].url.params == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url", ["redis://u:p@hunter2?hunter2word=1@h", "postgresql://u:p@ss?hunter2=1@h/app", "mysql://u:p@x?hunter2@h/app"]
)
def test_a_password_that_was_cut_in_two_is_not_shown_as_a_parameter(url: str) -> None:
    (problem,) = problems(url)
    assert "hunter2word" not in str(problem)
    assert "write an @ in a password or a value as %40" in problem.message or "percent-encode it" in problem.message
