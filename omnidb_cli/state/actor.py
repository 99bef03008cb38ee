"""Who is at work: the account and the host, as the saved state and events name them."""

import os


def current_actor() -> str:
    """`who@host` of this process; under sudo the person who called it. Bytes of another encoding are spelled out."""
    account = os.environ.get("SUDO_USER") if os.geteuid() == 0 else None
    name = f"{account or _account()}@{os.uname().nodename}"
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _account() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # containers run under numbers that nobody has named
        return str(os.geteuid())
