"""This file lays WGS-84 positions out in metres: an azimuthal equidistant projection about a point nearby.

Distances from the middle are exact, and across them too long by r^2 / 6R^2 at r metres from it (Snyder, Map
Projections: A Working Manual, USGS Professional Paper 1395, chapter 25). Middles stand on a lattice of 1/5 degree, so
nothing is further than 16 km from one: lengths and areas are good to 1e-6 of themselves. No grid of pyproj's is used,
and its network stays off.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # documented, but not in __all__

Floats = NDArray[np.float64]

_STEP = 0.2
"""Degrees between the middles of projections."""
_NORTH = 1e-4
"""Degrees that are gone north to see where north is: 11 m."""

set_network_enabled(active=False)


class Plane:
    """Metres east and north of a middle."""

    def __init__(self, longitude: float, latitude: float) -> None:
        plane = CRS.from_proj4(
            f"+proj=aeqd +lon_0={longitude!r} +lat_0={latitude!r} +datum=WGS84 +units=m +no_defs +type=crs"
        )
        self._there = Transformer.from_crs("OGC:CRS84", plane, always_xy=True)

    def points(self, positions: Floats) -> Floats:
        """Longitudes and latitudes (n x 2, degrees) in metres."""
        return np.column_stack(self._there.transform(positions[:, 0], positions[:, 1]))

    def north(self, positions: Floats) -> Floats:
        """The direction of true north at each position, in radians from the plane's own north, clockwise."""
        there = self.points(positions + np.array([0.0, _NORTH])) - self.points(positions)
        return np.arctan2(there[:, 0], there[:, 1])

    def shape(self, shape: Any) -> Any:
        """A shape of longitudes and latitudes in metres."""
        return shapely.transform(shape, self.points)

    def back(self, shape: Any) -> Any:
        """A shape in metres as longitudes and latitudes, to 1e-8 degrees (1 mm)."""

        def positions(points: Floats) -> Floats:
            found = self._there.transform(points[:, 0], points[:, 1], direction="INVERSE")
            return np.round(np.column_stack(found), 8)

        return shapely.transform(shape, positions)


def middle_of(longitude: float, latitude: float) -> tuple[float, float]:
    """The middle of the plane that a position is laid out in."""
    return round(round(longitude / _STEP) * _STEP, 1), round(round(latitude / _STEP) * _STEP, 1)


@lru_cache(maxsize=256)
def plane(middle: tuple[float, float]) -> Plane:
    """The plane about a middle."""
    return Plane(*middle)
