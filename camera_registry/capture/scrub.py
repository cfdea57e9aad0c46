"""This file takes out of exchanges what belongs to a site or a person, whether text, header, picture or certificate."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from camera_registry.capture import certificates
from camera_registry.capture.media import bare
from camera_registry.capture.pseudonyms import Given, Pseudonyms
from camera_registry.capture.recording import Answer, Body, Exchange, Size
from camera_registry.capture.redactors import KEPT_HEADERS
from probes.wire import WireError, jpeg

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/\s]{200,}={0,2}")
_TEXTS = ("utf-8", "gb18030", "latin-1")


class Scrubber:
    """Scrubs the exchanges of one device; with ``media``, pictures and packets are kept."""

    def __init__(self, given: Given, exchanges: Sequence[Exchange], *, media: bool = False) -> None:
        self._names = Pseudonyms(given, [text for exchange in exchanges for text in _texts(exchange)])
        self._media = media

    @property
    def counts(self) -> Counter[str]:
        """How often each redactor wrote, by its name."""
        return self._names.counts

    def text(self, text: str) -> str:
        """``text`` without anything that is known or recognised."""
        return self._names.text(text)

    def scrub(self, exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
        """The same exchanges without what belongs to the site."""
        return tuple(self._exchange(exchange) for exchange in exchanges)

    def _exchange(self, exchange: Exchange) -> Exchange:
        asked = replace(
            exchange.asked, path=self._names.text(exchange.asked.path), token=self._names.token(exchange.asked.token)
        )
        answer, garbage = exchange.answer, exchange.garbage
        if garbage:
            text, encoding = _decoded(garbage)
            garbage = self._names.text(text).encode(encoding, "replace")
        media = exchange.media
        if media is not None and media.packets and not self._media:
            media = replace(media, packets=())
        return replace(exchange, asked=asked, answer=answer and self._answer(answer), garbage=garbage, media=media)

    def _answer(self, answer: Answer) -> Answer:
        headers = []
        for name, value in answer.headers:
            if name in KEPT_HEADERS:
                shown = self._names.session(value) if name == "session" else self._names.text(value)
                headers.append((name, shown))
            else:
                self.counts["header"] += 1
        return Answer(answer.status, self._names.text(answer.reason), tuple(headers), self._body(answer.body))

    def _body(self, body: Body) -> Body:
        content = body.content
        start = content.lstrip(b"\xef\xbb\xbf\x00 \t\r\n")[:200].lower()
        if not content:
            return body
        if start.startswith(b"\xff\xd8"):
            return self._picture(content)
        if b"envelope" in content[:4096].lower() or start.startswith(b"v="):
            text, encoding = _decoded(content)
            return Body(self._names.text(self._certificates(text)).encode(encoding, "replace"))
        self.counts["page"] += 1
        if start.startswith((b"<!doctype html", b"<html")):
            doctype = b"<!DOCTYPE html>" if start.startswith(b"<!doctype") else b""
            return Body(doctype + b"<html><body>A page stood here.</body></html>")
        return Body(omitted=len(content))

    def _picture(self, content: bytes) -> Body:
        """The size of a picture, or, where media are kept, the picture without what its camera wrote beside it."""
        if self._media:
            return Body(bare(content))
        self.counts["picture"] += 1
        try:
            picture = jpeg.read(content)
        except WireError:
            return Body(omitted=len(content))
        return Body(picture=Size(picture.width, picture.height))

    def _certificates(self, text: str) -> str:
        def another(found: re.Match[str]) -> str:
            self.counts["certificate"] += 1
            try:
                made = certificates.another(b64decode(found[0]))
            except ValueError:
                made = None
            return b64encode(made or b"certificate").decode()

        return _BASE64.sub(another, text)


def _texts(exchange: Exchange) -> Iterator[str]:
    yield exchange.asked.path
    if exchange.answer is not None:
        for name, value in exchange.answer.headers:
            if name in KEPT_HEADERS:
                yield value
        content = exchange.answer.body.content
        if not content.startswith(b"\xff\xd8"):
            yield _decoded(content)[0]


def _decoded(raw: bytes) -> tuple[str, str]:
    """Bytes as text, and the encoding that gives the same bytes back."""
    for encoding in _TEXTS:
        try:
            text = raw.decode(encoding)
            if text.encode(encoding) == raw:
                return text, encoding
        except UnicodeError:
            continue
    return raw.decode("latin-1"), "latin-1"
