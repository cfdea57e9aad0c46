"""Draws maps without tiles: sites, fields of view and what is blind, as paths of an SVG in metres."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from camera_registry.console.survey import Surveyed, standing
from camera_registry.model.place import Site
from camera_registry.rules.coverage.standing import SiteSeen
from camera_registry.rules.geometry import geojson
from camera_registry.rules.geometry.projection import middle_of, plane

_MOST = 4000
"""Fields of view drawn on the map of a city: beyond that they could not be told apart."""
_MARGIN = 0.06


@dataclass(frozen=True, slots=True)
class Dot:
    """A site on the map of a city: where, how large, and its class; the link is its identifier."""

    x: float
    y: float
    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``box`` is the SVG's viewBox; ``dot`` a radius that can be pointed at; ``scale`` the length of the drawn scale in
    metres, and ``scale_name`` how it is told. Paths are SVG path data."""

    box: str
    width: float
    dot: float
    dots: tuple[Dot, ...]
    places: tuple[tuple[str, str], ...]
    sectors: tuple[tuple[str, str], ...]
    blind: tuple[str, ...]
    scale: float
    scale_x: float
    scale_y: float
    scale_name: str


def city(sites: Sequence[SiteSeen], surveyed: Surveyed) -> Chart | None:
    """Every site that has a position, with fields of view and blind areas. None: no site has one."""
    spots = {one.site.id: spot for one in sites if (spot := _spot(one.site)) is not None}
    return _draw([one for one in sites if one.site.id in spots], spots, surveyed, None)


def plot(seen: SiteSeen, surveyed: Surveyed) -> Chart | None:
    """One site with what sees it."""
    spot = _spot(seen.site)
    if spot is None:
        return None
    extent = surveyed.extents.get(seen.site.id)
    devices = {one.device for view in seen.views for one in view.channels}
    return _draw([seen], {seen.site.id: spot}, surveyed, devices | set(extent.devices if extent else ()))


def _draw(
    sites: Sequence[SiteSeen], spots: dict[str, tuple[float, float]], surveyed: Surveyed, only: set[str] | None
) -> Chart | None:
    if not sites:
        return None
    flat = plane(middle_of(*next(iter(spots.values()))))
    fields = {id: shape for id, shape in surveyed.fields.shapes.items() if only is None or id in only}
    drawn = dict(list(fields.items())[:_MOST])
    sectors = {id: flat.shape(shape) for id, shape in drawn.items()}
    places = {one.site.id: flat.shape(shape) for one in sites if (shape := _place(one.site)) is not None}
    points = {id: flat.shape(shapely.Point(spot)) for id, spot in spots.items()}
    blind = [
        flat.shape(extent.blind)
        for one in sites
        if (extent := surveyed.extents.get(one.site.id)) is not None and extent.blind is not None
    ]
    bounds = _bounds([*points.values(), *places.values(), *(sectors.values() if only is not None else ())])
    west, south, east, north = bounds
    span = max(east - west, north - south, 60.0)
    # Wider than high, as screens are, and with room for names at the edge.
    margin = span * _MARGIN
    width, height = max(east - west, span * 0.8) + 2 * margin, max(north - south, span * 0.5) + 2 * margin
    left, top = (west + east - width) / 2, -(south + north + height) / 2
    scale = 10 ** math.floor(math.log10(width / 4))
    return Chart(
        f"{left:.1f} {top:.1f} {width:.1f} {height:.1f}",
        width,
        width / 130,
        tuple(
            Dot(
                round(points[one.site.id].x, 1),
                round(-points[one.site.id].y, 1),
                standing(one),
                one.site.id,
                one.site.name,
            )
            # The worst last, so that nothing good hides it.
            for one in reversed(sites)
        ),
        tuple((standing(one), _path(places[one.site.id])) for one in sites if one.site.id in places),
        tuple(("works" if id in surveyed.working else "lost", _path(shape)) for id, shape in sectors.items()),
        tuple(_path(shape) for shape in blind),
        scale,
        left + margin / 2,
        top + height - margin / 2,
        f"{scale / 1000:g} km" if scale >= 1000 else f"{scale:g} m",
    )


def _spot(site: Site) -> tuple[float, float] | None:
    if site.longitude is not None and site.latitude is not None:
        return site.longitude, site.latitude
    shape = _place(site)
    return None if shape is None else tuple(shapely.get_coordinates(shape.centroid)[0])


def _place(site: Site) -> Any | None:
    try:
        return geojson.read(site.polygon) if site.polygon else None
    except geojson.BadShape:
        return None


def _bounds(shapes: Iterable[Any]) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(list(shapes))
    return float(west), float(south), float(east), float(north)


def _path(shape: Any) -> str:
    """SVG path data; north is up, so what grows northwards shrinks downwards."""
    parts = []
    for part in shapely.get_parts(shape):
        closed = part.geom_type == "Polygon"
        for line in shapely.get_rings(part) if closed else [part]:
            corners = " ".join(f"{x:.1f},{-y:.1f}" for x, y in shapely.get_coordinates(line))
            parts.append(f"M{corners}{'Z' if closed else ''}")
    return "".join(parts)
