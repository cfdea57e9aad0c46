"""Notices by webhook: JSON by POST, signed, with a key by which the receiver knows what it has already.

What is sent is described in docs/webhook.md; keys are only ever added.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson

from camera_registry.channels import WebhookChannel
from camera_registry.model.notice import Notice
from exporters.base import Message
from exporters.posting import Poster

VERSION = 1
TIMESTAMP = "X-Camera-Registry-Timestamp"
SIGNATURE = "X-Camera-Registry-Signature"
"""Headers, of what is sent here and of what a ticket platform sends us."""


class Webhook:
    """One receiver of JSON."""

    def __init__(self, settings: WebhookChannel) -> None:
        self._url = settings.url
        self._secret = settings.secret_file.read_bytes().strip() if settings.secret_file else b""
        self._poster = Poster(settings.ca_file, settings.timeout)

    async def send(self, message: Message) -> None:
        body = orjson.dumps(payload(message))
        headers = {"Idempotency-Key": message.key}
        if self._secret:
            timestamp = str(int(message.sent_at.timestamp()))
            headers[TIMESTAMP] = timestamp
            headers[SIGNATURE] = f"sha256={signature(self._secret, timestamp, body)}"
        await self._poster.post(self._url, body, headers)

    async def close(self) -> None:
        await self._poster.close()


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over the time of sending, a full stop and the body, in hexadecimal."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def payload(message: Message) -> dict[str, Any]:
    """What the receiver is sent, as JSON values."""
    return {
        "version": VERSION,
        "key": message.key,
        "channel": message.channel,
        "sent_at": message.sent_at.isoformat(),
        "severity": message.severity.value,
        "digest": message.digest,
        "total": message.total,
        "counts": [
            {"occasion": occasion.value, "severity": severity.value, "count": n}
            for (occasion, severity), n in message.counts.items()
        ],
        "subject": message.subject,
        "text": "\n".join(message.lines),
        "link": message.link,
        "notices": [
            _notice(notice, headline) for notice, headline in zip(message.notices, message.headlines, strict=True)
        ],
    }


def _notice(notice: Notice, headline: str) -> dict[str, Any]:
    return {
        "key": notice.key,
        "occasion": notice.occasion.value,
        "at": notice.created_at.isoformat(),
        "incident": notice.incident,
        "headline": headline,
        **notice.values,
    }
