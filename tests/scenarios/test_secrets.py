"""A marked password goes through every command, every failure and `--debug`, and is found nowhere."""

import json
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.scenarios.shop import Shop

MARK = "Zq7-marked"
SECRET = f"{MARK}/p@ss word"
ENCODED = quote(SECRET, safe="")
FORMS = (MARK, quote(MARK), MARK[::-1])

ENGINES = f"""\
name: shop
connections:
  primary: {{url: "sqlite:///primary.db", password: "{SECRET}"}}
  replica: {{url: "sqlite:///replica.db", password: "${{env:MARKED}}"}}
failover: {{primary: replica}}
health_check: {{timeout: 2s}}
"""
FLEET = f"""\
name: fleet
connections:
  in-url: {{url: "postgresql://app:{ENCODED}@127.0.0.1:9/app"}}
  in-key: {{url: "mysql://app@127.0.0.1:9/app", password: "{SECRET}"}}
  from-env: {{url: "redis://127.0.0.1:9/0", password: "${{env:MARKED}}"}}
  from-file: {{url: "mongodb://app@127.0.0.1:9/app", password: "${{file:secret.txt}}"}}
  in-parameter: {{url: "postgresql://app@127.0.0.1:9/app?sslpassword={ENCODED}"}}
  default: {{url: "postgresql://app:${{env:NOWHERE:-{ENCODED}}}@127.0.0.1:9/app"}}
"""
BROKEN = (
    'connections: {a: {url: "postgresq://app:SECRET@db/app"}}\n',
    'connections: {a: {url: "postgresql://app:SECRET@db:port/app"}}\n',
    'connections: {a: {url: "postgresql://app:SECRET@", password: "SECRET"}}\n',
    'connections: {a: {url: "postgresql://app@db/app", password: ["SECRET"]}}\n',
    'connections: {a: {url: "postgresql://app@db/app", password: "SECRET", pasword: "SECRET"}}\n',
    'connections: {a: {url: "postgresql://app@db/app", password: {value: "SECRET"}}}\n',
    'connections: {a: {url: "postgresql://app:${env:MARKED}@db:70000/app"}}\n',
    'connections: {a: {url: "postgresql://app@db/app", password: "SECRET"}\n',
    'connections: {a: {url: "redis://:SECRET@cache/zero"}}\n',
    'connections: {a: {url: "sqlite:///a.db?password=SECRET&tokn=x"}}\n',
    'connections: {a: {url: "mongodb://db/?authMechanismProperties=AWS_SESSION_TOKEN:SECRET&tls=x"}}\n',
    'connections: {a: {url: "postgresql://db/app?sslpassword=SECRET&scram_client_key=SECRET"}}\n',
    'connections: {a: {url: "postgresql://db/app?sslmode=${env:MARKED}&sslrootcert=${env:MARKED}"}}\n',
    'connections: {a: {url: "postgresql://app@db/app"}}\nstate: "postgres//app:SECRET@db/state"\n',
)


@pytest.fixture
def marked(shop: Shop) -> Shop:
    shop.env["MARKED"] = SECRET
    (shop.folder / "secret.txt").write_text(SECRET + "\n")
    shop.config.write_text(ENGINES)
    return shop


def told(ended: "subprocess.CompletedProcess[str]") -> str:
    return ended.stdout + ended.stderr


def leaks(text: str) -> Iterator[str]:
    return (form for form in FORMS if form in text)


def saved(shop: Shop) -> str:
    files = [path for path in (shop.folder / "state").rglob("*") if path.is_file()]
    return "".join(path.read_bytes().decode("latin-1") for path in files)


COMMANDS = (
    ("status",),
    ("status", "-o", "json"),
    ("status", "-o", "csv"),
    ("status", "--last"),
    ("watch", "--count", "2", "--interval", "50ms"),
    ("exec", "primary", "SELECT 1"),
    ("exec", "primary", "SELEC 1", "-o", "json"),
    ("exec", "primary", "INSERT INTO who VALUES (1)"),
    ("exec", "primary", "SELECT 1", "--no-failover"),
    ("circuit", "open", "primary"),
    ("circuit", "list", "-o", "yaml"),
    ("circuit", "close", "primary"),
    ("failback", "primary"),
    ("route", "primary"),
    ("route", "primary", "-o", "json"),
    ("events", "-o", "json"),
    ("state", "show"),
    ("config", "validate"),
    ("config", "show"),
    ("config", "show", "-o", "json"),
    ("config", "show", "-o", "yaml"),
)


def test_no_command_tells_it_whatever_happens(marked: Shop) -> None:
    trouble = [lambda: None, marked.take_away, lambda: [marked.database(one).mkdir() for one in ("primary", "replica")]]
    for cause in trouble:
        cause()
        for command in COMMANDS:
            ended = marked.run("--debug", *command)
            assert not list(leaks(told(ended))), command
    assert not list(leaks(saved(marked)))
    assert "health:changed primary" in marked.events()


def test_other_engines(marked: Shop) -> None:
    marked.config.write_text(FLEET)
    for command in (("config", "validate"), ("config", "show"), ("config", "show", "-o", "json"), ("status",)):
        assert not list(leaks(told(marked.run("--debug", *command)))), command
    for act in (("circuit", "open", "in-url", "from-env"), ("circuit", "list"), ("events",), ("exec", "in-key", "x")):
        assert not list(leaks(told(marked.run("--debug", *act)))), act
    assert not list(leaks(saved(marked)))


def test_the_log_tells_who_logs_in_and_not_with_what(marked: Shop) -> None:
    marked.config.write_text(FLEET)
    for form in ("debug", "json"):
        for command in (("status",), ("exec", "in-url", f"SELECT '{SECRET}'")):
            ended = marked.run("--state", "memory:", *command, env={"OMNIDB_LOG": form})
            assert not list(leaks(told(ended))), (form, command)
            assert "omnidb.drivers.postgres" in ended.stderr
    assert "resolving ${env:MARKED} from the environment" in ended.stderr
    assert "logging in as app" in ended.stderr


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_topology(marked: Shop, text: str) -> None:
    marked.config.write_text(text.replace("SECRET", ENCODED))
    for form in ("table", "json"):
        ended = marked.run("--debug", "status", "-o", form)
        assert ended.returncode == 3, told(ended)
        assert not list(leaks(told(ended)))


@pytest.mark.parametrize("url", ["postgresql://u:{}@h/db", "sqlite:///x.db?password={}", "nosuch:{}", "redis://:{}@h"])
def test_the_url_of_the_state(marked: Shop, url: str) -> None:
    for command in (("status",), ("circuit", "open", "primary"), ("state", "show"), ("watch", "--count", "1")):
        asked = url.format(ENCODED)
        assert not list(leaks(told(marked.run("--debug", "--state", asked, *command)))), command
        assert not list(leaks(told(marked.run("--debug", *command, env={"OMNIDB_STATE": asked})))), command


def test_no_program_is_given_it_and_no_process_shows_it(marked: Shop) -> None:
    process = marked.start("watch", "--interval", "1h")
    assert process.stdout is not None
    process.stdout.readline()
    assert not list(leaks(Path(f"/proc/{process.pid}/cmdline").read_text()))


def test_the_url_that_was_asked_for_is_printed_without_it(marked: Shop) -> None:
    """`route -o url` is for other programs; they get their passwords where omnidb gets them."""
    assert not list(leaks(told(marked.run("route", "primary", "-o", "url"))))


OWN_WORDS = """\
name: healthy
connections:
  primary: {url: "sqlite:///primary.db", password: primary}
  replica: {url: "sqlite:///replica.db", password: sqlite, role: replica}
  closed: {url: "redis://redis@127.0.0.1:9/0", password: redis, tags: [direct]}
failover: {primary: replica}
health_check: {timeout: 2s, statement: "SELECT 1 -- sqlite"}
"""


def test_our_own_words_are_nobodys_password(marked: Shop) -> None:
    marked.config.write_text(OWN_WORDS)
    status = json.loads(marked.run("status", "-o", "json").stdout)
    assert status["topology"] == "healthy"
    assert [one["name"] for one in status["connections"]] == ["primary", "replica", "closed"]
    assert [one["engine"] for one in status["connections"]] == ["sqlite", "sqlite", "redis"]
    assert status["connections"][0]["route"]["serving"] == "primary"
    assert status["connections"][2]["address"] == "127.0.0.1:9/0"
    assert marked.run("route", "primary", "-o", "name").stdout == "primary\n"
    assert "redis://redis@127.0.0.1:9/0" in marked.run("config", "show").stdout
    for command in (("status",), ("circuit", "list"), ("events",), ("route", "primary"), ("exec", "closed", "PING")):
        assert "***" not in told(marked.run(*command)), command
    receipt = json.loads(marked.run("exec", "primary", "SELECT 1", "-o", "json").stderr)["receipt"]
    assert receipt["served_by"] == "primary"


@pytest.fixture
def talkative(marked: Shop) -> Iterator[int]:
    """A PostgreSQL server that asks for the password in clear, and then says it to whoever listens; its port."""

    class Ask(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4096)[4:8] == b"\x04\xd2\x16\x2f":
                self.request.sendall(b"N")
                self.request.recv(4096)
            self.request.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
            password = self.request.recv(4096)[5:-1]
            fields = b"SFATAL\x00C28P01\x00Mno entry by " + password + b"\x00Hnot by " + password + b"\x00\x00"
            self.request.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Ask) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _from_environment(shop: Shop, port: int) -> str:
    shop.env["PGPASSWORD"] = SECRET
    return f"postgresql://app@127.0.0.1:{port}/app"


def _from_password_file(shop: Shop, port: int) -> str:
    file = shop.folder / "pgpass"
    file.write_text(f"127.0.0.1:{port}:app:app:{SECRET}\n")
    file.chmod(0o600)
    shop.env["PGPASSFILE"] = str(file)
    return f"postgresql://app@127.0.0.1:{port}/app"


def _from_service(shop: Shop, port: int) -> str:
    file = shop.folder / "services"
    file.write_text(f"[shop]\nhost=127.0.0.1\nport={port}\nuser=app\ndbname=app\npassword={SECRET}\n")
    return f"postgresql:///?service=shop&servicefile={file}"


@pytest.mark.parametrize("source", [_from_environment, _from_password_file, _from_service])
def test_a_password_that_the_topology_does_not_have(
    marked: Shop, talkative: int, source: Callable[[Shop, int], str]
) -> None:
    marked.config.write_text(
        f"name: shop\nconnections: {{closed: {{url: '{source(marked, talkative)}', health_check: {{timeout: 10s}}}}}}\n"
    )
    for command in (("status",), ("exec", "closed", "SELECT 1"), ("exec", "closed", "SELECT 1", "-o", "json")):
        ended = marked.run("--debug", *command)
        assert "no entry by ***" in told(ended), command
        assert not list(leaks(told(ended))), command
    for command in COMMANDS:
        assert not list(leaks(told(marked.run("--debug", *(word.replace("primary", "closed") for word in command)))))
    assert not list(leaks(saved(marked)))


def test_the_reason_of_a_hold_is_kept_without_it(marked: Shop) -> None:
    told = marked.run("circuit", "open", "replica", "--reason", f"old password was {SECRET}, rotated")
    assert (told.returncode, told.stderr) == (0, "")
    assert marked.circuit("replica")["reason"] == "old password was ***, rotated"
    assert MARK.encode() not in marked.state.read_bytes()
