"""Files of TLS that cannot be read are named, in words that do not depend on the client library."""

import os
from pathlib import Path

import pytest

from omnidb_cli.drivers._tls_files import refuse_unreadable
from omnidb_cli.errors import ConnectError, ErrorKind


def test_files_that_can_be_read_and_none_at_all_are_fine(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("any")
    refuse_unreadable(None, str(tmp_path / "ca.crt"), None)


def test_the_first_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("any")
    for unreadable in (str(tmp_path / "gone.crt"), str(tmp_path), "a\0b"):
        with pytest.raises(ConnectError) as raised:
            refuse_unreadable(str(tmp_path / "ca.crt"), unreadable, str(tmp_path / "later.key"))
        assert raised.value.kind is ErrorKind.TLS
        assert str(raised.value).startswith(f"the TLS file {unreadable} cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").touch(mode=0o000)
    with pytest.raises(ConnectError, match=r"ca\.crt cannot be read: "):
        refuse_unreadable(str(tmp_path / "ca.crt"))
