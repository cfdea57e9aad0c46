"""This file reads and writes shapes as GeoJSON (RFC 7946), and says where one that can't be used is wrong.

The library for shapes is loaded by whoever first has one: most of the time of a service, and most commands, go by
without, and it weighs as much as the health of a thousand devices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

AREAS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")


class BadShape(ValueError):
    """What is wrong with a shape: ``what`` is a key (``crossing``, ``ring``, ``kind``, ``position``, ``empty``,
    ``not_json``), ``where`` its place in the shape, or empty."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(f"{what} {where}".strip())
        self.what = what
        self.where = where


def read(text: str, kinds: Sequence[str] = AREAS + LINES) -> Any:
    """A geometry as a shape of longitudes and latitudes in degrees. Raises BadShape."""
    import shapely  # noqa: PLC0415 - see above

    try:
        geometry = json.loads(text)
    except (ValueError, RecursionError):
        raise BadShape("not_json") from None
    if not isinstance(geometry, dict) or geometry.get("type") not in kinds:
        raise BadShape("kind", ", ".join(kinds))
    for ring in _lines(geometry):
        _check_line(ring, closed=geometry["type"] in AREAS)
    try:
        shape = shapely.from_geojson(json.dumps({"type": geometry["type"], "coordinates": geometry["coordinates"]}))
    except (shapely.errors.GEOSException, ValueError):
        raise BadShape("kind", ", ".join(kinds)) from None
    if shape.is_empty:
        raise BadShape("empty")
    _check(shape)
    return shapely.force_2d(shape)


def check_outline(corners: Sequence[tuple[float, float]]) -> None:
    """Raise BadShape where these corners enclose nothing (``empty``), or their sides cross each other."""
    import shapely  # noqa: PLC0415 - see above

    shape = shapely.Polygon(corners)
    if shape.convex_hull.area <= 0:
        raise BadShape("empty")
    _check(shape)


def geometry(shape: Any) -> dict[str, Any]:
    """A shape as a GeoJSON geometry: outer rings run counter-clockwise (RFC 7946, section 3.1.6)."""
    import shapely.geometry  # noqa: PLC0415 - see above

    found: dict[str, Any] = json.loads(json.dumps(shapely.geometry.mapping(shapely.orient_polygons(shape))))
    return found


def feature(shape: Any, properties: Mapping[str, object]) -> dict[str, Any]:
    """A shape with what is known of it."""
    return {"type": "Feature", "geometry": None if shape is None else geometry(shape), "properties": dict(properties)}


def collection(features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several features as one document."""
    return {"type": "FeatureCollection", "features": list(features)}


def _check(shape: Any) -> None:
    import shapely.validation  # noqa: PLC0415 - see above

    if not shape.is_valid:
        place = str(shapely.validation.explain_validity(shape)).partition("[")[2]
        raise BadShape("crossing", place.rstrip("]"))


def _lines(geometry: Mapping[str, Any]) -> list[Any]:
    """Every ring or line of a geometry."""
    depth = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}[geometry["type"]]
    found: list[Any] = [geometry.get("coordinates")]
    for _ in range(depth):
        if not all(isinstance(part, list) for part in found):
            raise BadShape("kind", geometry["type"])
        found = [inner for part in found for inner in part]
    if not found:
        raise BadShape("empty")
    return found


def _check_line(line: Any, *, closed: bool) -> None:
    if not isinstance(line, list) or len(line) < (4 if closed else 2):
        raise BadShape("ring")
    for position in line:
        if not (
            isinstance(position, list)
            and len(position) >= 2
            and all(isinstance(part, int | float) and not isinstance(part, bool) for part in position[:2])
            and -180 <= position[0] <= 180
            and -90 <= position[1] <= 90
        ):
            raise BadShape("position", str(position)[:60])
    if closed and line[0] != line[-1]:
        raise BadShape("ring", f"{line[0]} ... {line[-1]}"[:80])
