"""Who reports from a ticket platform: whoever signs the body with the secret of ``[callback]``, as our webhooks do."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from aiohttp import web

from camera_registry.console.deps import Deps
from camera_registry.console.identity import Identity
from camera_registry.console.problems import Problem
from camera_registry.model.people import Role, User
from exporters import webhook

_FRESH = 300.0
"""Seconds by which the time of a signature may differ from ours."""


async def find(request: web.Request, deps: Deps) -> Identity | None:
    """The platform, or None where nothing is signed. What it may do is what an operator may. Raises Problem."""
    given = request.headers.get(webhook.SIGNATURE, "")
    if not given:
        return None
    settings = deps.settings()
    secret = settings.callback.secret()
    timestamp = request.headers.get(webhook.TIMESTAMP, "")
    expected = f"sha256={webhook.signature(secret, timestamp, await request.read())}"
    fresh = timestamp.isascii() and timestamp.isdigit() and abs(deps.now().timestamp() - int(timestamp[:12])) < _FRESH
    if not (secret and fresh and hmac.compare_digest(given.encode(), expected.encode())):
        raise Problem(HTTPStatus.UNAUTHORIZED, "signature")
    return Identity(User(f"callback/{settings.callback.name}", Role.OPERATOR, settings.language))
