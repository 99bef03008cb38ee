"""Whether other accounts of this host can read the passwords that a topology file holds."""

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from omnidb_cli.topology.secrets.secret import Secret

HINT = "chmod o-r it, or keep the password elsewhere: ${env:NAME} or ${file:/run/secrets/name}"


def readable_secret(path: Path, secrets: Iterable[Secret]) -> str | None:
    """The warning for a file that everybody can read and that holds one of the secrets itself; else None."""
    with suppress(OSError, UnicodeDecodeError):  # it was read a moment ago: whoever took it away made it safe
        if _is_for_everybody(path.resolve()):
            text = path.read_text(encoding="utf-8")
            if any(_is_in(text, secret.reveal()) for secret in secrets):
                return f"{path} holds a password, and every account of this host can read it"
    return None


def _is_for_everybody(path: Path) -> bool:
    """Whether everybody may read the file, and pass each folder on the way to it."""
    is_readable = bool(path.stat().st_mode & stat.S_IROTH)
    return is_readable and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def _is_in(text: str, secret: str) -> bool:
    """Whether the text has it as a word of its own, as it is or percent-encoded."""
    import re
    from urllib.parse import quote

    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text) for form in (secret, quote(secret, safe="")))
