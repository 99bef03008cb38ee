"""Spares asyncmy the reading of its own package's metadata: two thirds of its import, for a word that it sends along.

To be imported before asyncmy. What the server then shows as `_client_version` is empty; the program's name is ours.
"""

import sys
from types import ModuleType

_VERSION = "asyncmy.version"


class _Version(ModuleType):
    __VERSION__ = __version__ = ""


if _VERSION not in sys.modules:  # somebody else's asyncmy in the same process keeps what it has
    sys.modules[_VERSION] = _Version(_VERSION)
