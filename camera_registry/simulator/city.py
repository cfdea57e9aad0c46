"""Builds the invented city: its areas, key sites and their views, and the devices that a fleet plan puts there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from ipaddress import IPv4Address

from camera_registry.model.device import Device, Kind, TlsUse, TrafficKind
from camera_registry.model.people import Contractor, Crew
from camera_registry.model.place import Area, Site, View
from camera_registry.simulator import geography, places
from camera_registry.simulator.geography import SITE_CAMERAS
from camera_registry.simulator.makers import MAKERS
from camera_registry.simulator.member import BLOCK, WITHOUT_PICTURE, Member

BLOCKS_PER_DISTRICT = 3
GRID_UNITS = 8
"""Units of one grid."""
RECORDER_CHANNELS = 8
SHARES = (32, 26, 16, 14, 12)
"""How many of a hundred devices are of each maker, in their order."""
TYPE_CODES = {
    Kind.CAMERA: "132",
    Kind.TRAFFIC_UNIT: "132",
    Kind.RECORDER: "118",
}
"""Digits 11 to 13 of a national code (GB/T 28181, annex on identifiers). Other units carry no code."""
ENCRYPTED = 4
"""Each so-manyth camera of a maker who encrypts is set to do so."""
TRAFFIC = tuple(TrafficKind)


@dataclass
class City:
    """What has been built so far; ``city()`` of the plan freezes it."""

    rng: random.Random
    areas: list[Area] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    crews: list[Crew] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a device stands: its number in its block, its address, its grid, the middle of its block, its switch."""

    block: int
    number: int
    host: str
    district: int
    grid: str
    middle: tuple[float, float]
    parent: str


def build(devices: int, bases: tuple[int, ...], rng: random.Random) -> City:
    """A city with ``devices`` devices in blocks whose address ranges begin at ``bases``."""
    made = City(rng)
    made.areas.append(Area("city", places.CITY, "", "city", "0871-1000"))
    districts = min(len(places.DISTRICTS), -(-len(bases) // BLOCKS_PER_DISTRICT))
    for number, name in enumerate(places.DISTRICTS[:districts], 1):
        made.areas.append(Area(f"d{number:02}", name, "city", "district", f"0871-2{number:03}"))
        chinese, latin = name.split()
        crew = Crew(f"crew-d{number:02}", f"{chinese}抢修组 {latin} crew", _contractor(number), f"d{number:02}")
        made.crews.append(crew)
    uplinks: dict[int, str] = {}
    for block, base in enumerate(bases):
        district = block * districts // len(bases) + 1
        size = min(BLOCK, devices - block * BLOCK)
        switch = _block(made, block, base, size, district, uplinks.get(district, ""))
        uplinks.setdefault(district, switch)
    return made


def contractors() -> tuple[Contractor, ...]:
    return tuple(
        Contractor(id, name, f"400-810-{number:04}") for number, (id, name) in enumerate(places.CONTRACTORS, 1001)
    )


def _block(made: City, block: int, base: int, size: int, district: int, uplink: str) -> str:
    """One switch and the units beneath it; the first switch of a district links the others to the city. A block of
    one device is that device alone. Returns the switch's id."""
    community = _community(made, block, district)
    middle = geography.block_middle(block)
    switch = ""
    roles = _roles(size, block)
    for number, (kind, traffic) in enumerate(roles):
        grid = f"{community}-g{number // GRID_UNITS + 1:02}"
        if number % GRID_UNITS == 0:
            made.areas.append(
                Area(grid, f"{number // GRID_UNITS + 1}号网格 grid {number // GRID_UNITS + 1}", community, "grid")
            )
        parent = uplink if kind is Kind.NETWORK else switch
        spot = Spot(block, number, str(IPv4Address(base + number + 1)), district, grid, middle, parent)
        member = _member(made.rng, kind, traffic, spot)
        made.members.append(member)
        if kind is Kind.NETWORK:
            switch = member.id
    _sites(made, community, block, size, middle)
    return switch


def _roles(size: int, block: int) -> list[tuple[Kind, TrafficKind | None]]:
    """What stands in a block: a switch, in a big enough one a recorder, traffic units of each kind in turn and at times
    a mobile unit, and cameras."""
    roles: list[tuple[Kind, TrafficKind | None]] = [(Kind.CAMERA, None)] * size
    if size >= 2:
        roles[0] = (Kind.NETWORK, None)
    if size >= 6:
        roles[1] = (Kind.RECORDER, None)
        for number, place in enumerate(range(5, size, 9)):
            roles[place] = (Kind.TRAFFIC_UNIT, TRAFFIC[(block * 4 + number) % len(TRAFFIC)])
    if size >= 30 and block % 2 == 0:
        roles[-1] = (Kind.MOBILE_UNIT, None)
    return roles


def _community(made: City, block: int, district: int) -> str:
    """A sub-district with one community for each block. Returns the community's id."""
    name = places.COMMUNITIES[block % len(places.COMMUNITIES)]
    chinese, latin = name.split()
    street = f"d{district:02}-s{block + 1:03}"
    made.areas.append(Area(street, f"{chinese}街道 {latin} sub-district", f"d{district:02}", "sub-district"))
    community = f"{street}-c01"
    made.areas.append(Area(community, f"{chinese}社区 {latin} community", street, "community"))
    return community


def _national_code(kind: Kind, district: int, number: int) -> str:
    code = TYPE_CODES.get(kind)
    return f"{places.CITY_CODE}{district:02}0000{code}0{number:06}" if code else ""


def _member(rng: random.Random, kind: Kind, traffic: TrafficKind | None, spot: Spot) -> Member:
    number = spot.block * BLOCK + spot.number + 1
    maker = rng.choices(MAKERS, SHARES)[0]
    prefix, word = _word(kind, traffic)
    chinese, latin = rng.choice(places.STREETS).split(maxsplit=1)
    what, english = word.split(maxsplit=1)
    longitude, latitude = geography.camera_position(spot.middle, spot.number)
    installed = date(2019, 1, 1) + timedelta(days=rng.randrange(2000))
    indoors = kind in (Kind.NETWORK, Kind.RECORDER)
    watches = kind is Kind.CAMERA
    device = Device(
        id=f"{prefix}-{number:05}",
        kind=kind,
        name=f"{chinese}{what}{number} {latin} {english} {number}",
        host=spot.host,
        traffic_kind=traffic,
        national_code=_national_code(kind, spot.district, number),
        area=spot.grid,
        parent=spot.parent,
        parent_port=_port(kind, spot) if spot.parent else "",
        tls=TlsUse.PIN if watches and maker.encrypts and number % ENCRYPTED == 0 else TlsUse.OFF,
        probes=("tcp", "rtsp") if kind is Kind.MOBILE_UNIT else (),
        manufacturer=maker.name,
        model=maker.models[number % len(maker.models)],
        serial=f"{maker.name[:2].upper()}{rng.randrange(16**10):010X}",
        firmware=maker.firmware,
        mac=":".join(f"{byte:02x}" for byte in (2, 0x5E, *number.to_bytes(4, "big"))),
        longitude=longitude,
        latitude=latitude,
        mounting="cabinet" if indoors else rng.choice(("pole", "wall", "gantry")),
        height=None if indoors else round(rng.uniform(3.5, 7.5), 1),
        azimuth=geography.azimuth(spot.number) if watches else None,
        view_angle=rng.choice((54.0, 80.0, 103.0)) if watches else None,
        view_range=rng.choice((40.0, 60.0, 90.0)) if watches else None,
        pole=f"P{spot.block + 1:03}-{spot.number // SITE_CAMERAS + 1:02}",
        power_source=rng.choice(("mains", "street light", "PoE")),
        owner=places.OWNERS[1 if kind is Kind.TRAFFIC_UNIT else spot.district % len(places.OWNERS)],
        contractor=_contractor(spot.district),
        contract_end=date(2027, 12, 31),
        warranty_end=installed + timedelta(days=1096),
        installed=installed,
    )
    channels = _channel_count(kind, traffic)
    password = _password(rng) if channels else ""
    if kind is Kind.NETWORK:
        password = f"ro-{device.serial.lower()}"  # the community of its agent
    return Member(
        device=device,
        maker=maker,
        channels=channels,
        scene=number,
        drift=round(rng.uniform(-2.0, 2.0), 2),
        username=rng.choice(("admin", "operator", "tianwang")) if channels else "",
        password=password,
    )


def _contractor(district: int) -> str:
    return places.CONTRACTORS[district % len(places.CONTRACTORS)][0]


def _word(kind: Kind, traffic: TrafficKind | None) -> tuple[str, str]:
    """The beginning of the id, and the Chinese and the English word for such a device."""
    match kind:
        case Kind.CAMERA:
            return "cam", "摄像机 camera"
        case Kind.NETWORK:
            return "sw", "交换机 switch"
        case Kind.RECORDER:
            return "nvr", "录像机 recorder"
        case Kind.MOBILE_UNIT:
            return "mob", "移动单元 mobile unit"
        case Kind.TRAFFIC_UNIT:
            assert traffic is not None
            words = {
                TrafficKind.CHECKPOINT: "卡口 checkpoint",
                TrafficKind.ENFORCEMENT: "电子警察 enforcement unit",
                TrafficKind.SIGNAL: "信号机 signal",
                TrafficKind.FLOW: "流量检测器 flow detector",
                TrafficKind.GUIDANCE: "诱导屏 guidance sign",
            }
            return "its", words[traffic]


def _port(kind: Kind, spot: Spot) -> str:
    """The port of the switch above that it is plugged into; switches come in by fibre."""
    return f"XE{spot.block}" if kind is Kind.NETWORK else f"GE{spot.number}"


def _channel_count(kind: Kind, traffic: TrafficKind | None) -> int:
    if kind is Kind.NETWORK or traffic in WITHOUT_PICTURE:
        return 0
    return RECORDER_CHANNELS if kind is Kind.RECORDER else 1


def _password(rng: random.Random) -> str:
    """A password; one in four holds the characters that break addresses made by joining text."""
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
    word = "".join(rng.choice(alphabet) for _ in range(10))
    return f"{word[:5]}@#/?%:{word[5:]}" if rng.random() < 0.25 else word


def _sites(made: City, community: str, block: int, size: int, middle: tuple[float, float]) -> None:
    """Key sites of a block, each with the views that its cameras can show."""
    begin = len(made.members) - size
    for number in range(-(-size // SITE_CAMERAS)):
        start = begin + number * SITE_CAMERAS
        group = [
            (turn, member)
            for turn, member in enumerate(made.members[start : start + SITE_CAMERAS])
            if member.device.kind is Kind.CAMERA
        ]
        if len(group) < 2:
            continue
        category, word = places.SITES[(block * 10 + number) % len(places.SITES)]
        chinese, latin = places.COMMUNITIES[block % len(places.COMMUNITIES)].split()
        what, english = word.split(maxsplit=1)
        position = geography.site_middle(middle, number)
        site = f"site-{block + 1:03}-{number + 1:02}"
        made.sites.append(
            Site(
                id=site,
                name=f"{chinese}{what} {latin} {english}",
                category=category,
                area=community,
                longitude=position[0],
                latitude=position[1],
                polygon=geography.square(position),
                required_availability=0.99,
            )
        )
        for turn, member in group:
            made.views.append(View(f"{site}-{turn + 1}", site, places.VIEWS[turn], (f"{member.id}-1",)))
            made.members[start + turn] = replace(member, device=replace(member.device, site=site))
