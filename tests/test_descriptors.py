"""Whether this process can open files."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from omnidb_cli.descriptors import LACKS, lack_of_descriptors


@contextmanager
def limit(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_is_found_out_by_trying() -> None:
    assert lack_of_descriptors(4) is None
    with limit(0):
        assert lack_of_descriptors() == errno.EMFILE
    assert errno.EMFILE in LACKS
