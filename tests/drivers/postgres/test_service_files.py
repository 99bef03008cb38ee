"""The password file, as libpq reads it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.postgres.service_files import password_in

LINES = """\
# db:5432:app:me:comment
db:5432:app:me
db:5433:app:me:another port
::1:5432:app:me:not escaped
\\:\\:1:5432:app:me:v6
db:5432:a\\:b\\\\c:me:escaped
db:5432:app:me:with:colons\\:and\\\\
db:*:app:you: blanks and é\x20
*:*:*:*:last
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "passwords"
    file.write_text(LINES)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("host", "port", "database", "user", "password"),
    [
        ("db", 5433, "app", "me", "another port"),
        ("::1", 5432, "app", "me", "v6"),
        ("db", 5432, "a:b\\c", "me", "escaped"),
        ("db", 5432, "app", "me", "with:colons:and\\"),
        ("db", 1, "app", "you", " blanks and é "),
        ("db", 1, "app", "me", "last"),
        ("*", 1, "*", "*", "last"),
    ],
)
def test_the_first_line_that_fits(file: Path, host: str, port: int, database: str, user: str, password: str) -> None:
    assert password_in(str(file), hosts=(host,), port=port, database=database, user=user) == password


def test_a_file_for_others_to_read_is_passed_over(file: Path) -> None:
    file.chmod(0o640)
    assert password_in(str(file), hosts=("db",), port=1, database="", user="") is None


def test_a_file_that_is_none_has_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSFILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    for file in (None, str(tmp_path), str(tmp_path / "gone")):
        assert password_in(file, hosts=("db",), port=1, database="", user="") is None


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1)


@given(WORDS, WORDS, WORDS, WORDS)
def test_whatever_is_escaped_is_found(
    tmp_path_factory: pytest.TempPathFactory, host: str, database: str, user: str, password: str
) -> None:
    file = tmp_path_factory.mktemp("pgpass") / "passwords"
    escaped = [text.replace("\\", "\\\\").replace(":", "\\:") for text in (host, "1", database, user, password)]
    file.write_text("x" * (host[0] == "#") + ":".join(escaped) + "\n", encoding="utf-8")
    file.chmod(0o600)
    hosts = ("x" * (host[0] == "#") + host,)
    assert password_in(str(file), hosts=hosts, port=1, database=database, user=user) == password
