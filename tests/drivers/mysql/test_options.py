"""Who logs in where: the URL first, then the option file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mysql.options import Place, Tls, TlsMode, login, read_option_file

TARGET = Target("shop", "mysql", "mysql", (("db1", None), ("2001:db8::1", 3307), ("/run/m.sock", None)), "app", "pw")


def test_places_are_the_urls() -> None:
    places = login(TARGET, {"host": "elsewhere", "port": "1", "socket": "/x"}).places
    assert [str(place) for place in places] == ["db1:3306", "[2001:db8::1]:3307", "unix:/run/m.sock"]
    assert [place.is_socket for place in places] == [False, False, True]


def test_the_password_is_in_no_text() -> None:
    assert "pw" not in repr(login(TARGET, {}))
    assert login(replace(TARGET, password="pä%"), {}).password == "pä%".encode()


@pytest.mark.parametrize(
    ("username", "password", "defaults", "found"),
    [
        (None, None, {"user": "me", "password": "mine"}, ("me", b"mine")),
        ("me", None, {"user": "me", "password": "mine"}, ("me", b"mine")),
        ("app", None, {"password": "anybody's"}, ("app", b"anybody's")),
        ("app", None, {"user": "me", "password": "mine"}, ("app", b"")),
        ("app", "given", {"user": "app", "password": "mine"}, ("app", b"given")),
        ("app", "", {"user": "app", "password": "mine"}, ("app", b"")),
    ],
)
def test_whose_password(
    username: str | None, password: str | None, defaults: dict[str, str], found: tuple[str, bytes]
) -> None:
    made = login(replace(TARGET, username=username, password=password), defaults)
    assert (made.username, made.password) == found


@pytest.mark.parametrize(
    ("params", "defaults", "tls"),
    [
        ({}, {}, Tls()),
        ({"ssl": "true"}, {}, Tls(TlsMode.REQUIRED)),
        ({"ssl": "0"}, {"ssl-ca": "/ca"}, Tls(TlsMode.DISABLED, "/ca")),
        ({"ssl_ca": "/ca"}, {}, Tls(TlsMode.VERIFY_CA, "/ca")),
        ({}, {"ssl-ca": "/ca", "ssl-verify-server-cert": ""}, Tls(TlsMode.VERIFY_IDENTITY, "/ca")),
        ({"ssl-mode": "verify-identity"}, {"ssl-ca": "/ca"}, Tls(TlsMode.VERIFY_IDENTITY, "/ca")),
        ({"ssl-mode": "REQUIRED"}, {"ssl-mode": "DISABLED"}, Tls(TlsMode.REQUIRED)),
        ({"ssl-cert": "/c", "ssl-key": "/k"}, {}, Tls(TlsMode.PREFERRED, None, "/c", "/k")),
    ],
)
def test_tls(params: dict[str, str], defaults: dict[str, str], tls: Tls) -> None:
    assert login(replace(TARGET, params=params), defaults).tls == tls


def test_a_password_of_the_option_file_is_told_to_whoever_hides_it() -> None:
    known: list[str] = []
    login(replace(TARGET, username=None, password=None, learn=known.append), {"user": "me", "password": "from-file"})
    assert known == ["from-file"]


@pytest.mark.parametrize("source", ["url", "file"])
def test_who_may_be_told_the_password_in_clear(source: str) -> None:
    assert (login(TARGET, {}).in_clear, login(TARGET, {}).by_any_key) == (False, False)
    params = {"enable_cleartext_plugin": "true", "get-server-public-key": "1"}
    file = {name.replace("_", "-"): value for name, value in params.items()}
    made = login(replace(TARGET, params=params), {}) if source == "url" else login(TARGET, file)
    assert (made.in_clear, made.by_any_key) == (True, True)
    assert not login(replace(TARGET, params={"enable-cleartext-plugin": "false"}), file).in_clear


def test_bad_options_of_the_file_are_said() -> None:
    with pytest.raises(ValueError, match="ssl-mode is one of"):
        login(TARGET, {"ssl-mode": "SOMETIMES"})


def test_an_option_file(tmp_path: Path) -> None:
    file = tmp_path / ".my.cnf"
    file.write_text(
        "# a comment\nuser=outside\n[mysqld]\nuser=mysql\n[client]\nuser = app # me\npassword='a#b \\\\ \\'c'\n"
        "ssl_ca=/ca.pem\nskip-auto-rehash\n!includedir /nowhere\n[client-mariadb]\nssl-verify-server-cert\n"
        "[mysql]\nuser=x\n"
    )
    assert read_option_file(file) == {
        "user": "app", "password": "a#b \\ 'c", "ssl-ca": "/ca.pem", "skip-auto-rehash": "",
        "ssl-verify-server-cert": "",
    }  # fmt: skip
    assert read_option_file(tmp_path / "missing") == {}
    assert read_option_file(tmp_path) == {}


@given(st.binary(max_size=200))
def test_any_option_file_can_be_read(content: bytes) -> None:
    class File:
        def read_text(self, errors: str) -> str:
            return content.decode(errors=errors)

    read_option_file(File())  # type: ignore[arg-type]


def test_a_place_is_shown_as_people_write_it() -> None:
    assert str(Place("db1")) == "db1:3306"
