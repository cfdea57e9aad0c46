"""Requests that no browser and no program of ours sends: they are the asker's fault, and told so, not ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from camera_registry.model.people import Role
from tests.console.conftest import Browser, Script, Site

HEADS = (
    b"Host: [::1",
    b"Origin: http://[",
    b"Referer: http://[",
    b"Authorization: Bearer \xff",
    b"Cookie: camera_registry=\xff",
    b"X-Camera-Registry-Signature: \xff\r\nX-Camera-Registry-Timestamp: \xff",
    b"Content-Type: application/x-www-form-urlencoded; charset=none",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: multipart/form-data",
)
LINES = (b"GET / HTTP/1.1", b"POST /sign-in HTTP/1.1", b"POST /api/v1/orders/callback HTTP/1.1")


async def answered(site: Site, request: bytes) -> bytes:
    """What comes back for bytes that are sent as they stand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("site", [True, False], indirect=True, ids=["loopback", "anywhere"])
async def test_a_head_or_form_that_cant_be_read_is_refused(site: Site) -> None:
    site.user("lee", Role.VIEWER)
    for line in LINES:
        for head in HEADS:
            host = b"" if head.startswith(b"Host") else b"Host: 127.0.0.1\r\n"
            fixed = b"\r\nContent-Length: 4\r\nConnection: close\r\n"
            answer = await answered(site, line + fixed + host + head + b"\r\n\r\na=\xff\xff")
            assert int(answer.split()[1]) < 500, (line, head, answer)


async def test_no_link_of_a_page_leads_to_another_host(site: Site) -> None:
    answer = await answered(site, b"GET //evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert b" 404 " in answer
    assert b'href="//' not in answer


async def test_numbers_and_times_beyond_all_bounds_are_refused(script: Script) -> None:
    period = {"report": "availability", "begins": "0001-01-01T00:00:00+08:00", "ends": "9999-12-31T23:59:59"}
    asked: list[tuple[str, str, Any, str]] = [
        ("PUT", "/api/v1/areas/510104", {"name": "x"}, "9" * 5000),
        ("GET", f"/api/v1/notices?incident={10**30}", None, ""),
        ("GET", f"/incidents?before={10**30}", None, ""),
        ("GET", f"/orders?before={10**30}", None, ""),
        ("GET", f"/notices?before={10**30}", None, ""),
        ("POST", "/api/v1/orders/callback", {"event": "1", "status": "noted", "order": 10**30}, ""),
        ("POST", "/api/v1/reports", period, ""),
        ("POST", "/api/v1/reports", {"report": "availability", "month": "0001-01"}, ""),
        ("GET", "/api/v1/coverage/period?month=0001-01", None, ""),
    ]
    for method, path, body, version in asked:
        status, told, _ = await script.ask(method, path, body, **({"If-Match": f'"{version}"'} if version else {}))
        assert 400 <= status < 500, (path, told)


@pytest.mark.parametrize("path", ["/api/v1/import", "/api/v1/orders/1/attachments"])
async def test_a_broken_form_of_files_is_refused(script: Script, path: str) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        headers = {**script.headers, "Content-Type": kind}
        async with script.session.post(script.site.url + path, data=b"abc", headers=headers) as answer:
            assert 400 <= answer.status < 500, await answer.text()


async def test_maintenance_is_planned_at_times_that_every_zone_has(admin: Browser) -> None:
    form = {"csrf": await admin.csrf(), "reason": "x", "devices": "cam-00002"}
    for begins in ("0001-01-01T00:00", "9999-12-31T23:59", "2026-01-01T00:00Z"):
        assert (await admin.submit("/windows", {**form, "begins": begins, "ends": begins}))[0] == 422
