"""Who is warned that others can read a password."""

from pathlib import Path

import pytest

from omnidb_cli.cli.readable_secrets import readable_secret
from omnidb_cli.topology.secrets.secret import Secret
from tests.cli.runner import Runner

PASSWORD = "hunter2/secret"


@pytest.mark.parametrize(
    ("mode", "folder_mode", "text", "is_warned"),
    [
        (0o644, 0o755, f"password: {PASSWORD}", True),
        (0o644, 0o711, f"password: {PASSWORD}", True),
        (0o640, 0o755, f"password: {PASSWORD}", False),
        (0o644, 0o750, f"password: {PASSWORD}", False),
        (0o644, 0o755, "url: redis://u:hunter2%2Fsecret@h", True),
        (0o644, 0o755, "password: ${env:PGPASSWORD}", False),
        (0o644, 0o755, f"host: my{PASSWORD}s", False),
    ],
)
def test_a_password_that_everybody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, folder_mode: int, text: str, is_warned: bool
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    file = folder / "omnidb.yaml"
    file.write_text(text)
    file.chmod(mode)
    folder.chmod(folder_mode)
    monkeypatch.setattr(Path, "parents", property(lambda _self: [folder]))  # those above are the machine's own
    assert (readable_secret(file, [Secret(PASSWORD)]) is not None) is is_warned


def test_it_is_said_once_and_without_the_password(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnidb_cli.cli.readable_secrets._is_for_everybody", lambda _path: True)
    shop.config.write_text(f'connections: {{a: {{url: "redis://127.0.0.1:1", password: {PASSWORD}}}}}\n')
    told = shop.run("status")
    assert told.stderr.count("every account of this host can read it") == 1
    assert PASSWORD not in told.stdout + told.stderr
