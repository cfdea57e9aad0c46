"""What the snapshot probe takes for a picture, and what it says of everything else."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode

import cv2
import numpy as np
import pytest

from camera_registry.model.observation import Facts, FailureKind, Stage
from tests.probes.loopback import (
    PASSWORD,
    USER,
    digest_is_right,
    http_answer,
    listening,
    probe,
    read_http,
    target,
    tools,
)


def picture(width: int = 320, height: int = 200) -> bytes:
    ok, encoded = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8))
    assert ok
    return encoded.tobytes()


def serving(body: bytes, status: str = "200 OK", content_type: str = "image/jpeg", *headers: str):
    async def serve(reader, writer):
        while True:
            await read_http(reader)
            writer.write(http_answer(body, status, *headers, content_type=content_type))

    return serve


class Measured:
    """A picture judge that answers at once."""

    async def measure(
        self, picture: bytes, timeout: float, codec: str = "JPEG", known: object = None
    ) -> tuple[Facts, bytes]:
        assert timeout > 0
        return {"luma_mean": 7.0}, picture[:10]


async def test_a_picture_is_checked_measured_and_kept_as_evidence():
    body = picture()
    async with listening(serving(body)) as port:
        where = {"snapshot_uri": f"http://192.168.1.64:{port}/cgi/snap?channel=1&user=x&pwd=y"}
        seen = await probe("snapshot", target(http=port), where, using=tools(pictures=Measured()))
    assert seen.failure is None
    assert seen.facts["bytes"] == len(body)
    assert (seen.facts["width"], seen.facts["height"]) == (320, 200)
    assert seen.facts["content_type"] == "image/jpeg"
    assert seen.facts["sha256"] == hashlib.sha256(body).hexdigest()
    assert seen.facts["picture"] == {"luma_mean": 7.0}
    assert seen.picture == body[:10]


class Busy(Measured):
    """A picture judge that is too busy, and does not even say so in time."""

    async def measure(
        self, picture: bytes, timeout: float, codec: str = "JPEG", known: object = None
    ) -> tuple[Facts, bytes]:
        await asyncio.sleep(60)
        raise AssertionError


async def test_a_picture_that_came_and_was_not_measured_in_time_is_our_failure_and_not_the_cameras():
    async with listening(serving(picture())) as port:
        where = {"snapshot_uri": f"http://192.168.1.64:{port}/cgi/snap"}
        seen = await probe("snapshot", target(http=port), where, using=tools(pictures=Busy()), timeout=2)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.INTERNAL, Stage.DECODE)
    assert "busy" in seen.failure.detail


@pytest.mark.parametrize("padding", [b"", b"\x00" * 100, b"\r\n"])
async def test_bytes_behind_the_picture_do_no_harm(padding: bytes):
    async with listening(serving(picture() + padding)) as port:
        seen = await probe("snapshot", target(http=port), {"path": "/"})
    assert seen.ok


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>login</html>", "200 OK", FailureKind.PROTOCOL),
        (b"", "200 OK", FailureKind.UNDECODABLE),
        (picture()[:-500], "200 OK", FailureKind.UNDECODABLE),
        (b"\xff\xd8\xff\xd9", "200 OK", FailureKind.UNDECODABLE),
        (b"gone", "404 Not Found", FailureKind.NO_STREAM),
        (b"no", "403 Forbidden", FailureKind.AUTH),
        (b"later", "503 Busy", FailureKind.BUSY),
        (b"oops", "500 Error", FailureKind.PROTOCOL),
    ],
)
async def test_what_is_no_picture_says_why(body: bytes, status: str, kind: FailureKind):
    async with listening(serving(body, status)) as port:
        seen = await probe("snapshot", target(http=port), {"path": "/snap.jpg"})
    assert seen.failure is not None
    assert seen.failure.kind is kind
    assert seen.picture is None


async def test_a_picture_too_large_to_decode_is_refused_by_its_header():
    body = bytearray(picture())
    start = body.index(b"\xff\xc0")
    body[start + 5 : start + 9] = (30_000).to_bytes(2, "big") * 2
    async with listening(serving(bytes(body))) as port:
        seen = await probe("snapshot", target(http=port), {"path": "/"}, using=tools(pictures=Measured()))
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.UNDECODABLE, Stage.DECODE)
    assert "30000 x 30000" in seen.failure.detail
    assert "picture" not in seen.facts


async def test_basic_authentication_is_spoken_where_nothing_better_is_offered():
    async def basic(reader, writer):
        while True:
            request = await read_http(reader)
            wanted = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if request.headers.get("authorization") == wanted:
                writer.write(http_answer(picture()))
            else:
                writer.write(http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"'))

    async with listening(basic) as port:
        seen = await probe("snapshot", target(http=port), {"path": "/"})
    assert seen.ok
    assert PASSWORD not in repr(seen)


@pytest.mark.parametrize("one_header", [True, False])
async def test_the_strongest_of_several_challenges_is_answered(one_header: bool):
    offered = [
        'Basic realm="b"',
        'Digest realm="weak, really", qop="auth", algorithm=MD5, nonce="n5"',
        'Digest realm="strong", qop="auth,auth-int", algorithm=SHA-256, nonce="n256", opaque=""',
    ]
    seen_headers = []

    async def choosy(reader, writer):
        while True:
            request = await read_http(reader)
            given = request.headers.get("authorization", "")
            seen_headers.append(given)
            if digest_is_right(given, "GET", "strong", "n256", "SHA-256") if given else False:
                writer.write(http_answer(picture()))
            else:
                lines = [", ".join(offered)] if one_header else offered
                writer.write(http_answer(b"", "401 Unauthorized", *(f"WWW-Authenticate: {line}" for line in lines)))

    using = tools()
    async with listening(choosy) as port:
        first = await probe("snapshot", target(http=port), {"path": "/a b?x=1"}, using=using)
        asked = len(seen_headers)
        second = await probe("snapshot", target(http=port), {"path": "/a b?x=1"}, using=using)
    assert first.ok
    assert second.ok
    assert (asked, len(seen_headers)) == (2, 3), "the second run authenticates its first request"
    assert "nc=00000002" in seen_headers[-1]


async def test_a_stale_nonce_is_answered_anew_and_counts_as_no_refusal():
    nonces = iter(range(100))
    current = "start"
    refused = 0

    async def forgetful(reader, writer):
        nonlocal current, refused
        while True:
            request = await read_http(reader)
            given = request.headers.get("authorization", "")
            if given and digest_is_right(given, "GET", "r", current):
                current = f"used-{next(nonces)}"  # every nonce serves once
                writer.write(http_answer(picture()))
            else:
                refused += bool(given)
                challenge = f'WWW-Authenticate: Digest realm="r", nonce="{current}", qop="auth"'
                writer.write(http_answer(b"", "401 Unauthorized", challenge))

    using = tools()
    async with listening(forgetful) as port:
        for _ in range(6):
            assert (await probe("snapshot", target(http=port), {"path": "/"}, using=using)).ok
    assert refused == 2, "two misses in a row, and remembered nonces are not tried again"


async def test_without_any_address_it_says_how_to_get_one():
    seen = await probe("snapshot", target(http=80))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM
    assert "snapshot_path" in seen.failure.detail
