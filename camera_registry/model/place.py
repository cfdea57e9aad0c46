"""Places: the administrative tree, the sites to be covered and the views they need."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SiteCategory(StrEnum):
    """A class of a place, by its function; never of who lives or meets there."""

    CHECKPOINT = "checkpoint"
    PUBLIC_OFFICE = "public_office"
    STATION_PORT = "station_port"
    SQUARE = "square"
    STADIUM = "stadium"
    COMMERCIAL_CENTRE = "commercial_centre"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    FINANCIAL_OUTLET = "financial_outlet"
    HAZARDOUS_STORE = "hazardous_store"
    UTILITY = "utility"
    TRAFFIC_ARTERY = "traffic_artery"
    INTERSECTION = "intersection"
    VILLAGE = "village"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Area:
    """A node of the administrative tree: city > district > sub-district > community > grid."""

    id: str
    name: str = ""
    parent: str = ""
    level: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A place to be covered. Positions are WGS-84 degrees; ``polygon`` is a GeoJSON geometry as text, or empty.

    ``required_availability`` is a share from 0 to 1; ``hours`` the hours in force as ``HH:MM-HH:MM``, empty: always;
    ``interval`` how often what shows it is to be asked at least, in seconds, None: as settings say.
    """

    id: str
    name: str = ""
    category: SiteCategory = SiteCategory.OTHER
    area: str = ""
    longitude: float | None = None
    latitude: float | None = None
    polygon: str = ""
    required_availability: float | None = None
    hours: str = ""
    interval: float | None = None


@dataclass(frozen=True, slots=True)
class Building:
    """Something that hides what lies behind it. ``polygon`` is a GeoJSON geometry as text, WGS-84 degrees."""

    id: str
    name: str = ""
    polygon: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A named thing that a site needs seen, and the channels that can show it."""

    id: str
    site: str
    name: str = ""
    channels: tuple[str, ...] = ()
