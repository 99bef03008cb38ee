"""What an SQLite URL may say: SQLite's own URI parameters, and what SQLAlchemy's URLs say of an application.

https://www.sqlite.org/uri.html
"""

from omnidb_cli.topology.urls.parameters import Parameters, never, number, switch, text, whole, word

_ON, _OFF = ("1", "true", "on", "yes"), ("0", "false", "off", "no")
_AS_IT_IS = "a file is opened as it is, beside the programs that use it"

PARAMETERS = Parameters(
    "SQLite",
    (
        word("mode", "ro", "rw", unkept=("rwc",), why="no file is ever created"),
        word("cache", "private", unkept=("shared",), why="each connection is on its own", effect=False),
        *(word(name, *_OFF, unkept=_ON, why=_AS_IT_IS, effect=False) for name in ("immutable", "nolock")),
        *switch("psow", "uri", "check_same_thread", effect=False),
        *number("timeout", effect=False),
        *whole("cached_statements", "detect_types", effect=False),
        *text("isolation_level", "autocommit", effect=False),
        *never("files are read through the system's own file system", "vfs"),
        *never("the rights of files are the system's", "modeof"),
    ),
    fold_word=str.lower,
    switches={**dict.fromkeys(_ON, True), **dict.fromkeys(_OFF, False)},
)
