"""POST over HTTP for channels: follows no redirect, and tells what a refusal means for the message."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from exporters.base import DeliveryError

_REFUSED = frozenset({400, 410, 413, 415, 422})
"""The receiver understood, and does not want this message. Any other failure may be mended at either end meanwhile: a
wrong address or secret loses nothing."""
_MOST_ANSWER = 1024 * 1024


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that trusts whom the system trusts, or whoever ``ca_file`` holds."""
    return ssl.create_default_context(cafile=ca_file)


class Poster:
    """Asks one receiver. Its session is opened with the first request."""

    def __init__(self, ca_file: Path | None = None, timeout: float = 15) -> None:
        self._ca_file = ca_file
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send JSON; the answer's body. Raises DeliveryError."""
        return await self._ask("POST", url, body, {"Content-Type": "application/json; charset=utf-8", **headers})

    async def get(self, url: str) -> bytes:
        """What stands there. Raises DeliveryError."""
        return await self._ask("GET", url, None, {})

    async def _ask(self, method: str, url: str, sent: bytes | None, headers: Mapping[str, str]) -> bytes:
        try:
            if self._session is None:
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=await asyncio.to_thread(trusting, self._ca_file), limit=4),
                    timeout=aiohttp.ClientTimeout(total=self._timeout),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers={"User-Agent": "camera-registry"},
                )
            async with self._session.request(method, url, data=sent, headers=headers, allow_redirects=False) as answer:
                if answer.status >= 300:
                    raise _refusal(answer)
                body = bytearray()
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > _MOST_ANSWER:
                        break
                return bytes(body)
        except TimeoutError as error:
            raise DeliveryError(f"no answer within {self._timeout:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise DeliveryError(f"its certificate is not trusted: {error.certificate_error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryError(f"it can't be reached: {_reason(error)}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _refusal(answer: aiohttp.ClientResponse) -> DeliveryError:
    detail = f"it answered {answer.status} {answer.reason or ''}".strip()
    if answer.status < 400:
        detail += "; redirects are not followed, give the address it has now"
    return DeliveryError(
        detail, permanent=answer.status in _REFUSED, retry_after=retry_after(answer.headers.get("Retry-After", ""))
    )


def retry_after(header: str) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, section 10.2.3); None: it says nothing readable."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _reason(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
