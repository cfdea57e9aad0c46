"""What is written to the log, and what never is."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
from aiohttp import web

from camera_registry.service import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The root logger as it was: pytest's own handlers hang there."""
    root, server = logging.getLogger(), logging.getLogger("aiohttp.server")
    handlers, level, filters = root.handlers[:], root.level, server.filters[:]
    yield
    root.handlers[:], server.filters[:] = handlers, filters
    root.setLevel(level)


def test_a_line_break_in_a_message_forges_no_record(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "text")
    logging.getLogger("x").warning("serial %s", "A1\r\n2026-01-01 info: all is well")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_secret_is_taken_out_of_message_and_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "json")
    failed = ValueError("rtsp://admin:canary@10.0.0.1/ failed")
    logging.getLogger("x").error("password=canary", exc_info=failed)
    told = json.loads(capsys.readouterr().err)
    assert told["level"] == "error"
    assert "ValueError" in told["trace"]
    assert "canary" not in json.dumps(told)


def test_control_characters_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "text")
    failed = ValueError("serial \x1b[31mA1\x00")
    logging.getLogger("x").error("名称 %s", "\x1b]0;t\x07\x9b2J\u2028\udc80", exc_info=failed)
    told = capsys.readouterr().err
    assert "名称" in told
    assert "\\x1b[31mA1\\x00" in told
    assert all(line.isprintable() for line in told.splitlines())


async def test_what_is_no_http_leaves_one_line_without_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "text")
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Key: canary\x00\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
    finally:
        await runner.cleanup()
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "a request could not be read" in told
    assert "canary" not in told
