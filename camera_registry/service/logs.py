"""Logs: one line a record on standard error, as text or JSON, with every secret taken out at the one door."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from probes.redaction import redact


class _Lines(logging.Formatter):
    """Text or JSON of one record. Line breaks in a message can't forge a second record, nor can control characters
    drive the terminal of who reads it."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = redact(record.getMessage())
        trace = redact(self.formatException(record.exc_info)) if record.exc_info else ""
        if self._as_json:
            told = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message}
            return json.dumps(told | ({"trace": trace} if trace else {}), ensure_ascii=False)
        line = f"{at} {record.levelname.lower():7} {record.name}: {_one_line(message)}"
        return "\n".join((line, *map(_one_line, trace.splitlines())))


def set_up(level: str, layout: str) -> None:
    """Send all records of ``level`` and above to standard error; ``layout``: "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(as_json=layout == "json"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The access log of the web server would repeat each request; the console keeps its own, without secrets.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_without_strangers_traces)
    # Its plug-ins announce themselves at every start; that a database was migrated is told by the store.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _without_strangers_traces(record: logging.LogRecord) -> bool:
    """What is no HTTP at all is a stranger's fault: one short line, without the trace and without what was sent, which
    may hold a secret."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and type(error).__module__ == "aiohttp.http_exceptions":
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = "a request could not be read: %s", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
