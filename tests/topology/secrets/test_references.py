"""Values by reference: resolved, defaulted, escaped, or refused with what is missing."""

import os
from pathlib import Path

import pytest

from omnidb_cli.topology.secrets.references import References

ENV = {"X": "value", "EMPTY": "", "SLASHED": "p@ss/w?rd#1 %", "ENCODED": "p%40ss", "NOT_UTF8": "\udcff"}


@pytest.fixture
def references(tmp_path: Path) -> References:
    (tmp_path / "pw").write_text("from file\n")
    (tmp_path / "crlf").write_bytes(b"from file\r\n")
    (tmp_path / "two").write_text("line\n\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "nul").write_bytes(b"a\0b")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "huge").write_bytes(b"x" * 70_000)
    return References(ENV, str(tmp_path))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${env:X}", "value"),
        ("a-${env:X}-${env:X}", "a-value-value"),
        ("${env:NONE:-other}", "other"),
        ("${env:EMPTY:-other}", "other"),
        ("${env:X:-other}", "value"),
        ("${env:NONE:-}", ""),
        ("${env:NONE:-a:-b}", "a:-b"),
        ("$${env:X}", "${env:X}"),
        ("$$${env:X}", "$${env:X}"),
        ("$5 and $X", "$5 and $X"),
        ("${file:pw}", "from file"),
        ("${file:crlf}", "from file"),
        ("${file:two}", "line\n"),
    ],
)
def test_what_a_reference_gives(references: References, text: str, value: str) -> None:
    assert references.expand(text) == value


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("${env:NONE}", "the environment variable NONE is not set: set it, or write ${env:NONE:-default}"),
        ("${env:EMPTY}", "the environment variable EMPTY is empty"),
        ("${env:NOT_UTF8}", "is not UTF-8 text"),
        ("${env:}", "the ${env:…} names no variable"),
        ("${env:a b}", "the ${env:…} names no variable, which is made of letters, digits and _"),
        ("${X}", "a ${…} does not say what it refers to: write ${env:NAME}, ${env:NAME:-default} or ${file:/path}"),
        ("${}", "a ${…} does not say what it refers to"),
        ("${env:X", "a ${ has no } behind it"),
        ("${file:}", "the ${file:…} names no file"),
        ("${vault:x}", 'there is no reference of the kind "vault": write ${env:NAME}, ${env:NAME:-default} or ${file'),
        ("${ENV:X}", 'there is no reference of the kind "ENV" (did you mean "env"?)'),
        ("${evn:X}", '"evn" (did you mean "env"?)'),
        ("${flie:/x}", '"flie" (did you mean "file"?)'),
        ("pa${ss:word}", 'the kind "ss"'),
        ("${file:none}", "none cannot be read: no such file or directory"),
        ("${file:.}", "is not a regular file"),
        ("${file:fifo}", "fifo is not a regular file"),
        ("${file:empty}", "empty is empty"),
        ("${file:binary}", "is not UTF-8 text"),
        ("${file:nul}", "has a NUL byte"),
        ("${file:huge}", "is larger than 64 KB"),
    ],
)
def test_what_cannot_be_resolved(references: References, text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        references.expand(text)
    assert part in str(caught.value)


@pytest.mark.parametrize("text", ["${hunter2}", "${hunter2", "${env:hunter2 }", "${vault:hunter2}", "pa${x:hunter2}"])
def test_what_stands_in_a_faulty_reference_is_not_repeated(references: References, text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        references.expand(text)
    assert "hunter2" not in str(caught.value)


def test_every_unresolvable_reference_of_a_value_is_told_once(references: References) -> None:
    with pytest.raises(ValueError, match=r"A is not set.*; .*B is not set") as caught:
        references.expand("${env:A}${env:B}${env:A}")
    assert str(caught.value).count("is not set") == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("redis://u:${env:SLASHED}@h/0", "redis://u:p%40ss%2Fw%3Frd%231%20%25@h/0"),
        ("redis://u:${env:ENCODED}@h/0", "redis://u:p%40ss@h/0"),
        ("redis://h/0?password=${env:SLASHED}", "redis://h/0?password=p@ss/w?rd%231%20%25"),
        ("redis://u:${file:pw}@${env:X}/0", "redis://u:from%20file@value/0"),
        ("${env:X}://u@h", "value://u@h"),
        ("${env:SLASHED}", "p@ss/w?rd#1 %"),
    ],
)
def test_what_lands_in_a_url_cannot_break_out_of_its_part(references: References, text: str, value: str) -> None:
    assert references.expand_url(text) == value


def test_a_secrets_file_may_have_64_kb_and_not_a_byte_more(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * 64 * 1024)
    assert len(References({}, str(tmp_path)).expand("${file:large}")) == 64 * 1024
    file.write_bytes(b"x" * (64 * 1024 + 1))
    with pytest.raises(ValueError, match="larger than 64 KB"):
        References({}, str(tmp_path)).expand("${file:large}")
