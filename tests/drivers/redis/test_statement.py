import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnidb_cli.drivers.redis.statement import command_of, name_of, split
from omnidb_cli.errors import StatementError
from tests.servers.base import binary
from tests.servers.redis import ADMIN_PASSWORD, RedisPair


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("GET user:1", [b"GET", b"user:1"]),
        ("  GET \t user:1  \n", [b"GET", b"user:1"]),
        ('SET a "two words"', [b"SET", b"a", b"two words"]),
        (r'SET a "\x00\xfF\n\r\t\b\a\"\\\q"', [b"SET", b"a", b'\x00\xff\n\r\t\b\a"\\q']),
        (r'SET a "\xzz\x4"', [b"SET", b"a", b"xzzx4"]),
        (r"SET a 'it\'s \n \x00'", [b"SET", b"a", rb"it's \n \x00"]),
        ('ECHO ""', [b"ECHO", b""]),
        ("ECHO foo'bar'", [b"ECHO", b"foobar"]),
        ('EVAL "return 1\nreturn 2" 0', [b"EVAL", b"return 1\nreturn 2", b"0"]),
        ("ECHO ä☃", [b"ECHO", "ä☃".encode()]),
        ("ECHO \udcff", [b"ECHO", b"\xff"]),
        ("ECHO a\fb \v c", [b"ECHO", b"a\fb", b"c"]),
    ],
)
def test_a_statement_is_split_as_redis_cli_does(text: str, arguments: list[bytes]) -> None:
    assert list(command_of(text, ())) == arguments


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ('GET "a', "double quote"),
        ('GET "a\\', "double quote"),
        ("GET 'a", "single quote"),
        ("GET 'a\\'", "single quote"),
        ('GET "a"b', "closing quote"),
        ("GET 'a'b", "closing quote"),
        ("GET a\nGET b", "more than one command"),
        ("GET a\x00", "NUL"),
        ("GET \ud800", "UTF-8"),
        ("MULTI", "runs alone"),
        ("multi", "runs alone"),
        ("SUBSCRIBE news", "for ever"),
        ("MONITOR", "for ever"),
        ("SELECT 2", "lasts for one statement"),
        ("client reply off", "lasts for one statement"),
    ],
)
def test_what_is_no_single_command_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(StatementError, match=why):
        command_of(text, ())


@pytest.mark.parametrize("text", ['"\\x4dULTI"', "'MULTI'", '"multi"'])
def test_quotes_do_not_hide_a_command(text: str) -> None:
    with pytest.raises(StatementError, match="MULTI does nothing here"):
        command_of(text, ())


def test_parameters_are_further_arguments_as_they_are() -> None:
    assert command_of("SET key", ('"a b"\\n', "EX", "\udcfe")) == (b"SET", b"key", b'"a b"\\n', b"EX", b"\xfe")
    assert command_of("", ("PING",)) == (b"PING",)


def test_the_name_is_in_capitals() -> None:
    assert name_of((b"hGetAll", b"x")) == "HGETALL"


def _quoted(argument: bytes) -> bytes:
    return b'"' + b"".join(b"\\x%02x" % byte for byte in argument) + b'"'


@given(st.lists(st.binary(), min_size=1))
def test_whatever_is_quoted_comes_out_as_it_was(arguments: list[bytes]) -> None:
    assert split(b" ".join(map(_quoted, arguments))) == arguments


_PIECES = st.sampled_from(
    [*"ab \t\"'\\x\v\f", "\\x", "\\x4", "\\x41", "\\xff", "\\n", "\\'", '\\"', ' "', '" ', " '", "' ", "''", '""', "ä"]
)
_LINES = st.lists(_PIECES, min_size=1, max_size=12).map("".join)


_EVERY_LINE = """
local all = {}
for number = 0, ARGV[1] - 1 do all[#all + 1] = redis.call("LRANGE", "line:" .. number, 0, -1) end
return all
"""


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, min_size=50, max_size=100))
def test_redis_cli_itself_splits_in_the_same_way(redis_pair: RedisPair, lines: list[str]) -> None:
    server = redis_pair.primary
    server.ask("FLUSHALL")
    script = "".join(f"RPUSH line:{number} - {line}\n" for number, line in enumerate(lines))
    argv = [binary("redis-cli", "valkey-cli", package="redis-tools"), "-p", str(server.port)]
    subprocess.run(argv, input=script.encode(), env={"REDISCLI_AUTH": ADMIN_PASSWORD}, capture_output=True, check=True)
    every = server.ask("EVAL", _EVERY_LINE, 0, len(lines))
    for line, told in zip(lines, every, strict=True):
        assert _ours(f"RPUSH key - {line}") == [one.encode(errors="surrogateescape") for one in told], repr(line)


def _ours(line: str) -> list[bytes]:
    try:
        return list(command_of(line, ()))[2:]
    except StatementError:
        return []
