"""Who may read and change a state file: its owner, or all of a group where its folder may be written by that group."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from omnidb_cli.state.sqlite.path import JOURNALS
from omnidb_cli.state.store import Sharing

_PRIVATE: Final = 0o600
_SHARED: Final = 0o660
_EVERYBODY: Final = "everybody on this host"


def create(path: str) -> None:
    """Makes an empty file with the rights that its folder asks for. Raises FileExistsError where there is one."""
    folder = Path(path).parent.stat()
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, _PRIVATE)
    try:
        if os.geteuid() == 0:  # else root's first command would lock out whose folder it is
            os.fchown(handle, folder.st_uid, -1)
        if _is_shared(folder) and _give_group(handle, folder.st_gid):
            os.fchmod(handle, _SHARED)
    finally:
        os.close(handle)


def needs_group(path: str) -> bool:
    """Whether SQLite, which gives new journals the file's mode, may give them another group than the file's."""
    folder = Path(path).parent.stat()
    return _is_shared(folder) and not folder.st_mode & stat.S_ISGID


def give_group(path: str) -> None:
    """Gives journals that this account has just made the group of the file."""
    group = Path(path).stat().st_gid
    for journal in JOURNALS:
        try:
            found = os.lstat(path + journal)
        except FileNotFoundError:
            continue
        if found.st_uid == os.geteuid() and found.st_gid != group:
            with suppress(PermissionError):  # not a member; whom that locks out is told by `advice`
                os.chown(path + journal, -1, group, follow_symlinks=False)


def advice(path: str) -> str | None:
    """What to do where the folder is shared and files in it are not: they are from before it was. None elsewhere."""
    try:
        folder = Path(path).parent.stat()
        closed = [one for one in (path, *(path + journal for journal in JOURNALS)) if _is_closed_to(folder, one)]
    except OSError:
        return None
    if not closed:
        return None
    from shlex import quote

    group, files = _group(folder.st_gid), " ".join(map(quote, closed))
    owner = _account(Path(closed[0]).stat().st_uid)
    return (
        f"its folder is shared with group {group}, the file is not: as {owner} or root, "
        f"`chgrp {group} {files} && chmod 660 {files}`"
    )


def sharing(path: str) -> Sharing:
    """Who shares the file at `path`; where there is none yet, who will."""
    folder = Path(path).parent
    try:
        in_folder = folder.stat()
    except FileNotFoundError:
        return Sharing(f"{_account(os.geteuid())} only")
    try:
        file = Path(path).stat()
        mode, owner, group = file.st_mode, file.st_uid, file.st_gid
    except FileNotFoundError:
        mode, owner, group = (_SHARED if _is_shared(in_folder) else _PRIVATE), os.geteuid(), in_folder.st_gid
    everybody = _rights(mode, stat.S_IRWXO) & _rights_in(folder, None)
    of_group = _rights(mode, stat.S_IRWXG) & _rights_in(folder, group)
    wider = [(everybody, _EVERYBODY), (of_group, f"group {_group(group)}")]
    changed_by = next((who for rights, who in wider if rights & stat.S_IWOTH), f"{_account(owner)} only")
    read_by = next((who for rights, who in wider if rights & stat.S_IROTH), None)
    return Sharing(changed_by, None if read_by == changed_by else read_by, exposed_by(path))


def exposed_by(path: str) -> str | None:
    """The folder of the file, where everybody on this host may put another file in its place."""
    folder = Path(path).parent
    try:
        return str(folder) if folder.stat().st_mode & stat.S_IWOTH else None
    except OSError:  # whoever opens the file says what is wrong
        return None


def _rights(mode: int, whose: int) -> int:
    """Reading and writing, as others' rights. Who may not read a file may do nothing with a state."""
    rights = mode & whose
    rights >>= 3 if whose == stat.S_IRWXG else 0
    return rights & (stat.S_IROTH | stat.S_IWOTH) if rights & stat.S_IROTH else 0


def _rights_in(folder: Path, group: int | None) -> int:
    """What the folder and those above leave of a file's rights, for a group's members or (None) for everybody."""
    modes = [_mode_for(one.stat(), group) for one in (folder, *folder.parents)]
    if not all(mode & stat.S_IXOTH for mode in modes):
        return 0
    return stat.S_IROTH | (modes[0] & stat.S_IWOTH)  # journals are made in the folder


def _mode_for(folder: os.stat_result, group: int | None) -> int:
    if group is None or folder.st_gid != group:
        return folder.st_mode
    return folder.st_mode >> 3


def _is_shared(folder: os.stat_result) -> bool:
    """Whether the folder is its group's: one that everybody may write, as /tmp is, is nobody's."""
    return folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH) == stat.S_IWGRP


def _is_closed_to(folder: os.stat_result, path: str) -> bool:
    """Whether the group that shares the folder may not change what is at `path`."""
    if not _is_shared(folder) or not Path(path).exists():
        return False
    found = Path(path).stat()
    return found.st_gid != folder.st_gid or found.st_mode & _SHARED != _SHARED


def _give_group(handle: int, group: int) -> bool:
    """Whether the file has that group now: only members may give it. Without it the file stays its owner's alone."""
    try:
        os.fchown(handle, -1, group)
    except PermissionError:
        return False
    return True


def _account(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # containers run under numbers that nobody has named
        return str(number)


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
