"""What the probes of encryption and of web pages measure."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from camera_registry.model.observation import FailureKind
from tests.certificates import self_signed
from tests.probes.loopback import HttpRequest, digest_is_right, http_answer, listening, probe, read_http, target, tools

CHALLENGE = 'WWW-Authenticate: Digest realm="unit", qop="auth", nonce="n-1", algorithm=MD5'


async def test_encryption_is_measured(tmp_path: Path):
    async def listen(reader, writer):
        writer.transport.abort()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        seen = await probe("tls", target(tls=server.sockets[0].getsockname()[1]))
    assert seen.ok
    assert seen.facts["version"] == "TLSv1.3"
    assert seen.facts["cipher"].startswith("TLS_")
    assert 0 < seen.facts["handshake_seconds"] < 8
    assert seen.facts["certificate"]["subject"] == "CN=camera"


def answering(*answers: bytes, asked: list[HttpRequest]):
    async def answer(reader, writer):
        for given in answers:
            asked.append(await read_http(reader))
            writer.write(given)
            await writer.drain()

    return answer


async def test_a_page_is_measured(tmp_path: Path):
    asked: list[HttpRequest] = []
    async with listening(answering(http_answer(b"all is well", "200 OK", "Server: sign/1"), asked=asked)) as port:
        seen = await probe("http", replace(target("", http=port), http_path="/status?lamp=1"))
    assert asked[0].path == "/status?lamp=1"
    assert {**seen.facts, "seconds": 0} == {
        "status": 200,
        "server": "sign/1",
        "bytes": 11,
        "seconds": 0,
        "path": "/status",
    }


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "302 Found", "500 Oh no"])
async def test_any_answer_is_a_measurement_and_no_redirect_is_followed(status):
    asked: list[HttpRequest] = []
    async with listening(answering(http_answer(b"", status, "Location: http://127.0.0.9/"), asked=asked)) as port:
        seen = await probe("http", target("", http=port))
    assert seen.ok
    assert seen.facts["status"] == int(status[:3])
    assert len(asked) == 1


async def test_a_question_for_the_password_is_answered():
    asked: list[HttpRequest] = []
    answers = (http_answer(b"", "401 Unauthorized", CHALLENGE), http_answer(b"lamps: 3"))
    async with listening(answering(*answers, asked=asked)) as port:
        seen = await probe("http", target(http=port))
    assert seen.facts["status"] == 200
    assert digest_is_right(asked[1].headers["authorization"], "GET", "unit", "n-1")


async def test_a_refused_password_leaves_the_device_alone():
    asked: list[HttpRequest] = []
    refusal = http_answer(b"", "401 Unauthorized", CHALLENGE)
    using = tools()
    async with listening(answering(*[refusal] * 9, asked=asked)) as port:
        kinds = [(await probe("http", target(http=port), using=using)).failure.kind for _ in range(3)]
    assert kinds == [FailureKind.AUTH] * 3
    assert sum("authorization" in request.headers for request in asked) == 1
