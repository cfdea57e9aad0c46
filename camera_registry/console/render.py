"""Pages from templates: autoescape is on for every file, there is no inline script or style, and every word shown comes
from the texts. Times appear in the configured time zone beside how long ago they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web

from camera_registry.console.identity import Identity
from camera_registry.model.chain import LinkSeen, LinkState, first_broken
from camera_registry.model.health import State, Status
from camera_registry.model.observation import Failure
from camera_registry.model.people import User
from camera_registry.rules.access import Action, may
from camera_registry.texts import LANGUAGES, Texts
from exporters.report.cells import percent

_HERE = Path(__file__).resolve().parent
"""Where this really is: what is asked for must lie beneath it, whatever links lead here."""
STATIC = _HERE / "static"
_TEMPLATES = _HERE / "templates"

_MARKS: Mapping[Status | State | LinkState, str] = {
    Status.DOWN: "✕", Status.DEGRADED: "▲", Status.UNKNOWN: "?", Status.OK: "✓",
    State.DOWN: "✕", State.FLAPPING: "⇅", State.SUSPECT: "▲", State.STALE: "?", State.UNKNOWN: "?", State.OK: "✓",
    LinkState.OK: "✓", LinkState.BROKEN: "✕", LinkState.NOT_ASKED: "–",
}  # fmt: skip
"""A sign of its own for each state, for eyes and screens that tell no colours apart."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every template may use, beside its own values."""

    t: Texts
    now: datetime
    zone: ZoneInfo
    path: str
    query: Mapping[str, str]
    user: User | None
    csrf: str
    alarms: Sequence[str]
    """What people must know of the service itself, as keys of texts."""
    live: bool
    """Only the part that changes is wanted, by a page that is open already."""

    def may(self, action: str) -> bool:
        return self.user is not None and may(self.user, Action(action))

    def stamp(self, at: datetime | None) -> str:
        """A time in the configured zone, without the year while it is this year's."""
        if at is None:
            return "–"
        local = at.astimezone(self.zone)
        same_year = local.year == self.now.astimezone(self.zone).year
        return local.strftime("%m-%d %H:%M:%S" if same_year else "%Y-%m-%d %H:%M")

    def minute(self, at: datetime) -> str:
        """The same of a time that is not known to the second."""
        local = at.astimezone(self.zone)
        same_year = local.year == self.now.astimezone(self.zone).year
        return local.strftime("%m-%d %H:%M" if same_year else "%Y-%m-%d %H:%M")

    def iso(self, at: datetime) -> str:
        return at.astimezone(self.zone).isoformat(timespec="seconds")

    def ago(self, at: datetime | None) -> str:
        return "" if at is None else self.t.ago(self.now - at)

    def lasted(self, begin: datetime, end: datetime) -> str:
        return self.t.duration(end - begin)

    def told(self, failure: Failure) -> str:
        """What a failure says, in the reader's language and time zone."""
        return self.t.failure(failure, self.zone)

    def retold(self, said: str, at: datetime) -> str:
        """What was said at a time, in the reader's language and time zone."""
        return self.t.retold(said, at.astimezone(self.zone))

    def found(self, seen: LinkSeen) -> str:
        """What was found of one link of the chain."""
        return self.t.link(seen, self.zone)

    def link(self, path: str, **changes: object) -> str:
        """``path`` with this page's query, some of it changed; None or empty takes a parameter out."""
        query = {key: value for key, value in self.query.items() if key not in changes}
        query |= {key: str(value) for key, value in changes.items() if value not in (None, "")}
        return f"{path}?{urlencode(query)}" if query else path

    def place(self, place: str) -> str:
        """What people call a field or parameter (``body.area``); empty where it has no name of theirs."""
        name = place.rpartition(".")[2]
        return next((self.t(key) for key in (f"field.{name}", f"list.{name}") if key in self.t.entries), "")

    def home(self) -> str:
        """Where to begin: the overview for those who may see it, for a crew its orders."""
        return "/" if self.user is None else home(self.user)

    def languages(self) -> list[str]:
        return [language for language in LANGUAGES if language != self.t.language]


def home(user: User) -> str:
    """Where somebody begins."""
    return "/" if may(user, Action.SEE) else "/m" if may(user, Action.SEE_ORDERS) else "/account"


def render(template: str, words: Texts, values: Mapping[str, object], common: Page) -> str:
    """A whole page, or only its live part when htmx asks for that."""
    wanted = [template.replace(".html", ".live.html"), template] if common.live else [template]
    return _environment().select_template(wanted).render(page=common, t=words, **values)


def page(
    request: web.Request,
    template: str,
    *,
    words: Texts,
    zone: ZoneInfo,
    now: datetime,
    who: Identity | None,
    alarms: Sequence[str],
    status: HTTPStatus = HTTPStatus.OK,
    **values: object,
) -> web.Response:
    """The answer that shows ``template``."""
    common = Page(
        words,
        now,
        zone,
        # Two slashes would make it the name of another host in a link.
        "/" + request.rel_url.raw_path.lstrip("/"),
        {key: value for key, value in request.query.items() if key not in ("lang", "after")},
        who.user if who else None,
        who.csrf if who else "",
        alarms if who else (),
        request.headers.get("HX-Request") == "true",
    )
    text = render(template, words, values, common)
    response = web.Response(text=text, status=status, content_type="text/html", charset="utf-8")
    response.headers["Vary"] = "Accept-Language, Cookie, HX-Request"
    return response


@cache
def static(name: str) -> str:
    """The address of a file in ``static/`` with the hash of its content, so that browsers may keep it for ever."""
    content = (STATIC / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # Jinja's own leaves "/" as it is, and an id may hold one.
    environment.filters["urlencode"] = lambda text: quote(str(text), safe="")
    environment.filters["percent"] = percent
    environment.globals.update(static=static, mark=_mark, first_broken=first_broken)
    return environment


def _mark(state: Status | State | LinkState) -> str:
    return _MARKS[state]
