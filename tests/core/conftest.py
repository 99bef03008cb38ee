"""The core's tests own their time."""

from tests.core.clock import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
