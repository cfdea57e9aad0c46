"""This file probes a page that a device's web server must have: what does it answer, and how fast?"""

from __future__ import annotations

import time
from collections.abc import Mapping

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes.base import Context
from probes.http_client import fetch
from probes.wire.text import clean

PAGE_LIMIT = 2 * 1024 * 1024
"""Bytes of a page."""


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Ask for one page; no redirect is followed, and a question for the password is answered where there is one.
    Options: ``path`` (default: the registered one).

    Facts: ``status``, ``server``, ``bytes``, ``seconds`` until the whole answer was there, ``location`` of a redirect,
    and ``certificate`` where it came encrypted. Whether a status is a good one is not decided here.
    """
    path = str(options.get("path") or target.http_path)
    port = target.web_port("http")
    begun = time.perf_counter()
    answer = await fetch(context, target, port, path, limit=PAGE_LIMIT, tls=target.tls, guarded=False)
    context.facts |= {
        "status": answer.status,
        "bytes": len(answer.body),
        "seconds": round(time.perf_counter() - begun, 4),
        "path": clean(path.partition("?")[0], 80),
    }
    for name, header in (("server", "server"), ("location", "location")):
        if told := clean(answer.head.get(header), 120):
            context.facts[name] = told
    context.step("http.answered", status=answer.status, reason=answer.head.reason, bytes=len(answer.body))
    return context.facts
