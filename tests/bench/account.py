"""Runs the command in its arguments; prints its seconds and the most kilobytes that it ever had, as the kernel says.

It is a program of its own because the kernel counts for a child also what its parent had when it was made: a small
parent, a true account.
"""

import os
import sys
from time import perf_counter


def main(command: list[str]) -> None:
    """Prints two numbers."""
    began = perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, _, usage = os.wait4(child, 0)
    print(perf_counter() - began, usage.ru_maxrss)


if __name__ == "__main__":
    main(sys.argv[1:])
