"""How a request fails: with a code of the catalogue, so that each failure says where, why and what to do in zh and en.

Scripts get it as problem+json (RFC 9457), people as a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import orjson
from aiohttp import web
from pydantic import ValidationError

from camera_registry.rules.access import Denied
from camera_registry.texts import Texts
from camera_registry.texts.errors import TellableError
from probes.redaction import redact


@dataclass(frozen=True, slots=True)
class Place:
    """One thing wrong with what was sent: where it stands, what is wrong with it, and what to do."""

    place: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that a failure is about: ``thing.KIND`` is what people call its kind."""

    kind: str
    id: str


class Problem(Exception):
    """A request that can't be answered as asked. ``code`` names its texts: ``refusal.CODE.detail`` and ``.remedy``."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        *,
        places: Sequence[Place] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.places = tuple(places)
        self.headers = dict(headers or {})
        self.values = values

    def detail(self, words: Texts) -> str:
        return words(f"refusal.{self.code}.detail", **self._values(words))

    def remedy(self, words: Texts) -> str:
        return words(f"refusal.{self.code}.remedy", **self._values(words))

    def _values(self, words: Texts) -> Mapping[str, object]:
        """The values as people call them: members of the vocabulary, and kinds of things, by their names."""
        return {name: _called(value, words) for name, value in self.values.items()}

    def response(self, words: Texts, instance: str) -> web.Response:
        """problem+json; ``place``, ``remedy`` and ``problems`` are extension members."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail(words),
            "remedy": self.remedy(words),
            "instance": instance,
        }
        if self.places:
            body["place"] = self.places[0].place
            body["problems"] = [{"place": one.place, "detail": one.detail, "remedy": one.remedy} for one in self.places]
        return web.Response(
            status=self.status, body=orjson.dumps(body), content_type="application/problem+json", headers=self.headers
        )


def _called(value: object, words: Texts) -> object:
    match value:
        case Named():
            return f"{words(f'thing.{value.kind}')} {value.id}"
        case StrEnum():
            return words.name(value)
        case TellableError():
            return redact(value.told(words))
        case str():
            return words.retold(value)
        case _:
            return value


def invalid(error: ValidationError, where: str, words: Texts, known: Iterable[str] = ()) -> Problem:
    """What pydantic found wrong with a query or a body, each with its place (``where`` is its root). ``known`` are the
    names of parameters that the query may have."""
    of_query = where == "query"
    places = []
    for one in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in one["loc"])
        detail, remedy = one["msg"].removeprefix("Value error, "), ""
        if f"wrong_value.{one['type']}" in words.entries:
            values = {name: str(value).replace(" or ", ", ") for name, value in one.get("ctx", {}).items()}
            detail = words(f"wrong_value.{one['type']}", **values)
        elif one["type"] == "extra_forbidden":
            detail, remedy = words("refusal.unknown_name"), words("refusal.unknown_name_remedy")
            if of_query:
                names = ", ".join(known)
                remedy = words("unknown_parameter.others", names=names) if names else words("unknown_parameter.none")
        elif one["type"] == "flaw":
            detail, remedy = words.problem(one["ctx"]["flaw"], one["ctx"])
        places.append(Place(f"{where}.{path}" if path else where, detail, remedy))
    status = HTTPStatus.BAD_REQUEST if of_query else HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(status, "invalid", places=places, n=len(places))


def refused(denied: Denied) -> Problem:
    """Somebody may not do what they asked for."""
    if denied.foreign:
        return Problem(HTTPStatus.FORBIDDEN, "foreign_order")
    return Problem(HTTPStatus.FORBIDDEN, "denied", action=denied.action, role=denied.role)


def not_found(kind: str, id: object) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "not_found", what=Named(kind, str(id)))
