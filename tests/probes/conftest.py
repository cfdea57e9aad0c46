"""Runs the tests of the probes on both event loops: asyncio's own, and uvloop where the service runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from probes.wire import soap_requests


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Errors of the operating system and of the transports differ between the two."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def _requests_written() -> None:
    """zeep reads its documents once; a test's deadline should not pay for that."""
    soap_requests.prepare()
