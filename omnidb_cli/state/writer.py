"""Who is at work: the account and the host, as the saved state and events name them."""

import os


def this_writer() -> str:
    """`who@host` of this process; under sudo the person who called it."""
    account = os.environ.get("SUDO_USER") if os.geteuid() == 0 else None
    return f"{account or _account()}@{os.uname().nodename}"


def _account() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # containers run under numbers that nobody has named
        return str(os.geteuid())
