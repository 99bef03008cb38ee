"""Shows, beside a test that failed, what the servers logged during it."""

from collections.abc import Generator

import pytest

from tests.servers.base import Server, running

_sizes: dict[Server, int] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _sizes.clear()
    _sizes.update({server: server.log.stat().st_size for server in running if server.log.exists()})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for server in running:
            said = server.log_tail(_sizes.get(server, 0))
            if said:
                report.sections.append((f"log of {server.name}", said))
    return report
