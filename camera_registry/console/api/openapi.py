"""The API's description (OpenAPI 3.1), written from the route table itself, so that it says what is served."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from camera_registry.console import uploads
from camera_registry.console.api.answers import ProblemAnswer
from camera_registry.console.api.route import PREFIX
from camera_registry.console.routing import AnyRoute, Nothing

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)}")
_PICTURES = ("/snapshot", "/picture", "/attachments/{attachment}")
_IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "description": "the ETag that was read; * for any version. A PUT of what does not exist yet needs none.",
    "schema": {"type": "string"},
}


def describe(routes: Iterable[AnyRoute]) -> bytes:
    """The description of these routes as JSON."""
    routes = tuple(routes)
    bodies = {model for route in routes for model in (route.body,) if model is not Nothing}
    given = {model for route in routes for model in (route.query,) if model is not Nothing}
    answers = {route.answer for route in routes if route.answer is not None} | {ProblemAnswer}
    ordered = sorted(bodies | given, key=_name)
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in ordered]
    wanted += [(model, "serialization") for model in sorted(answers, key=_name)]
    references, schema = models_json_schema(wanted, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Camera registry",
            "version": "1",
            "description": (
                "Register and health of a city's cameras and traffic units. Lists are paged by cursor: hand `next` "
                "back as `cursor`. Failures are problem+json (RFC 9457) with a stable `code`. Edits of items carry "
                "If-Match with the ETag that was read."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "schemas": schema.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "camera_registry"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }
    return orjson.dumps(document)


def _name(model: type[BaseModel]) -> str:
    return f"{model.__name__} {model.__module__}"


def _operation(route: AnyRoute, references: Any) -> dict[str, Any]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    query = [
        {
            "name": name,
            "in": "query",
            "required": info.is_required(),
            "schema": _property(route.query, name, references),
        }
        for name, info in route.query.model_fields.items()
    ]
    described: dict[str, Any] = {
        "operationId": _identifier(route),
        "summary": route.summary,
        "tags": [route.path.removeprefix(PREFIX).split("/")[1].removesuffix(".json")],
        "responses": {str(route.status.value): _answer(route, references), "default": _problem()},
    }
    if route.action is None:
        described["security"] = []
    version = [_IF_MATCH | {"required": route.method != "PUT"}] if route.versioned else []
    if path or query or version:
        described["parameters"] = path + query + version
    if route.photographs:
        described["requestBody"] = {"required": True, "content": {kind: {} for kind in uploads.TYPES}}
    elif route.body is not Nothing:
        schema = references[route.body, "validation"]
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _property(model: type[BaseModel], name: str, references: Any) -> Any:
    """A parameter's schema, pointed at where the query's model has it."""
    return {"$ref": f"{references[model, 'validation']['$ref']}/properties/{name}"}


def _answer(route: AnyRoute, references: Any) -> dict[str, Any]:
    if route.answer is not None:
        schema = references[route.answer, "serialization"]
        return {"description": route.summary, "content": {"application/json": {"schema": schema}}}
    if route.path.endswith(_PICTURES):
        return {"description": route.summary, "content": {"image/jpeg": {}}}
    return {"description": route.summary}


def _problem() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=ProblemAnswer.__name__)}
    return {"description": "Why it could not be done", "content": {"application/problem+json": {"schema": schema}}}


def _identifier(route: AnyRoute) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub("one", route.path.removeprefix(PREFIX)))
    return "_".join([route.method.lower(), *words])
