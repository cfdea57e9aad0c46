"""The API's description says what is served, all of it, and is valid."""

from __future__ import annotations

import re
from typing import Any

from camera_registry.console.app import ROUTES
from camera_registry.console.routing import Surface
from tests.console.conftest import Script

API = [route for route in ROUTES if route.path.startswith("/api/v1")]


async def described(script: Script) -> dict[str, Any]:
    status, document, _ = await script.ask("GET", "/api/v1/openapi.json")
    assert status == 200
    assert isinstance(document, dict)
    return document


def references(node: object) -> list[str]:
    match node:
        case dict():
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        case list():
            return [found for value in node for found in references(value)]
        case _:
            return []


async def test_every_route_is_described_and_nothing_else(script: Script) -> None:
    document = await described(script)
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(route.method, route.path) for route in API}


async def test_every_reference_leads_somewhere(script: Script) -> None:
    document = await described(script)
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


async def test_every_parameter_of_a_path_is_described(script: Script) -> None:
    document = await described(script)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


async def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(script: Script) -> None:
    document = await described(script)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations)


async def test_what_needs_no_sign_in_says_so(script: Script) -> None:
    document = await described(script)
    open_ones = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") == []
    }
    assert open_ones == {(route.method, route.path) for route in API if route.surface is Surface.OPEN}


async def test_the_description_names_the_fields_that_are_served(script: Script) -> None:
    """An answer is compared with its schema: the same names, no more and no fewer."""
    document = await described(script)
    for path in ("/api/v1/status", "/api/v1/devices/{id}", "/api/v1/devices", "/api/v1/session"):
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        name = schema["$ref"].rsplit("/", 1)[1]
        _, answer, _ = await script.ask("GET", path.replace("{id}", "cam-00001"))
        assert set(answer) == set(document["components"]["schemas"][name]["properties"])


async def test_edits_that_need_a_version_say_so(script: Script) -> None:
    document = await described(script)
    parameters = document["paths"]["/api/v1/devices/{id}"]["patch"]["parameters"]
    assert {"If-Match": True}.items() <= {one["name"]: one["required"] for one in parameters}.items()
