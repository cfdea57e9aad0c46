"""The whole of it: sheets and a register in; items, credentials and every problem out. Nothing is written by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.people import Credential
from camera_registry.model.place import Site, View
from camera_registry.model.register import KINDS, Item, Register, kind_of
from camera_registry.rules.geometry.datum import Datum
from camera_registry.rules.inventory.drafts import Draft, drafts
from camera_registry.rules.inventory.loops import above, loops
from camera_registry.rules.inventory.problems import Flaw, Problem, Severity
from camera_registry.rules.inventory.references import Names
from camera_registry.rules.inventory.sheets import Sheet
from camera_registry.rules.inventory.table import lines

_CODE_KINDS = {
    "111": Kind.RECORDER,
    "112": Kind.RECORDER,
    "113": Kind.RECORDER,
    "118": Kind.RECORDER,
    "131": Kind.CAMERA,
    "132": Kind.CAMERA,
}
"""GB/T 28181 type digits that name a kind of ours: recorders and encoders, cameras."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a file means. ``items`` are whole records, also those that do not differ from the register, and ``before``
    how each stands in that (None: not at all)."""

    items: tuple[Item, ...]
    credentials: tuple[Credential, ...]
    problems: tuple[Problem, ...]
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    before: tuple[Item | None, ...] = ()

    @property
    def differing(self) -> Iterator[tuple[Item | None, Item]]:
        """The items that are new or differ, each after what it was."""
        return ((old, new) for old, new in zip(self.before, self.items, strict=True) if old != new)

    @property
    def sound(self) -> bool:
        """Whether it may be written: it has warnings at most."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


def own_credential(device: str) -> str:
    """The name of the credential that a device has to itself."""
    return f"device/{device}"


def examine(
    sheets: Sequence[Sheet],
    register: Register,
    *,
    credentials: Collection[str] = (),
    networks: Sequence[str] | None = None,
    datum: Datum = Datum.WGS84,
) -> Inventory:
    """Read an inventory against a register. ``credentials`` are the names of those that exist; ``networks`` the
    device networks (CIDR): a literal address outside them is a problem; None: addresses are not compared; ``datum``
    which coordinates rows hold that do not say so themselves."""
    problems: list[Problem] = []
    found = _without_duplicates(drafts(lines(sheets, problems), problems, datum), problems)
    names = Names(register, found, credentials)
    present = _by_record(register)
    items: list[Item] = []
    for draft in found:
        names.resolve(draft, problems)
        item = _item(draft, present[draft.record].get(draft.id), problems)
        if item is not None:
            items.append(item)
    by_key = {(draft.record, draft.id): draft for draft in found}
    problems += _loop_problems(items, present, by_key)
    devices = {device.id: device for device in items if isinstance(device, Device)}
    merged = {**register.devices, **devices}
    problems += _code_problems(devices, merged, by_key)
    problems += _address_problems(devices, merged, by_key, networks)
    problems += _site_problems(items, register, by_key)
    own = [
        Credential(own_credential(draft.id), draft.username, draft.password, 0)
        for draft in found
        if _is_whole(draft, present[draft.record].get(draft.id))
    ]
    before = tuple(present[kind_of(item)].get(item.id) for item in items)
    created = sum(1 for old in before if old is None)
    changed = sum(1 for old, new in zip(before, items, strict=True) if old is not None and old != new)
    problems.sort(key=lambda problem: (problem.severity is Severity.WARNING, problem.sheet, problem.row))
    unchanged = len(items) - created - changed
    return Inventory(tuple(items), tuple(own), tuple(problems), created, changed, unchanged, before)


def _by_record(register: Register) -> Mapping[str, Mapping[str, Item]]:
    return {record: getattr(register, f"{record}s") for record in KINDS}


def _without_duplicates(found: Iterable[Draft], problems: list[Problem]) -> list[Draft]:
    first: dict[tuple[str, str], Draft] = {}
    for draft in found:
        other = first.setdefault((draft.record, draft.id), draft)
        if other is not draft:
            problems.append(draft.problem(Flaw.DUPLICATE, "id", id=draft.id, place=_place(other)))
    return list(first.values())


def _place(draft: Draft) -> str:
    """A row as it is said: with its sheet, where there are several."""
    return f"{draft.line.sheet}:{draft.line.row}" if draft.line.sheet else str(draft.line.row)


def _item(draft: Draft, present: Item | None, problems: list[Problem]) -> Item | None:
    """The record as it will be, or None with a problem that says what is missing."""
    values, cls = draft.values, KINDS[draft.record]
    if draft.record == "device":
        _complete_device(draft, present, problems)
    if present is None:
        missing = [field.name for field in fields(cls) if field.default is MISSING and field.name not in values]
        # A cell that could not be read has been told already.
        absent = [name for name in missing if name not in draft.line.cells]
        problems += [draft.problem(Flaw.MISSING_FIELD, name, field=name) for name in absent]
        if missing:
            return None
    item = cls(**values) if present is None else replace(present, **values)
    if isinstance(item, Site | Device) and (item.longitude is None) != (item.latitude is None):
        given, other = ("longitude", "latitude") if item.latitude is None else ("latitude", "longitude")
        if other not in draft.line.cells:
            problems.append(draft.problem(Flaw.HALF_POSITION, given, missing=other))
    return item


def _complete_device(draft: Draft, present: Item | None, problems: list[Problem]) -> None:
    values = draft.values
    if present is None and "kind" not in draft.line.cells:
        code = str(values.get("national_code", ""))
        kind = draft.line.device_kind or _CODE_KINDS.get(code[10:13])
        if kind is not None:
            values["kind"] = kind
    if _is_whole(draft, present):
        if values.get("credential") not in (None, "", own_credential(draft.id)):
            problems.append(draft.problem(Flaw.CREDENTIAL_TWICE, "credential"))
        values["credential"] = own_credential(draft.id)
    elif draft.username or draft.password:
        given, missing = ("username", "password") if draft.username else ("password", "username")
        problems.append(draft.problem(Flaw.HALF_CREDENTIAL, given, missing=missing))


def _is_whole(draft: Draft, present: Item | None) -> bool:
    """Whether a row's login can be used: an SNMP agent may have a community alone."""
    port = draft.values.get("snmp_port", getattr(present, "snmp_port", 0))
    return bool(draft.password) and bool(draft.username or port)


def _loop_problems(
    items: Sequence[Item], present: Mapping[str, Mapping[str, Item]], by_key: Mapping[tuple[str, str], Draft]
) -> list[Problem]:
    problems = []
    for record in ("area", "device"):
        edited = {item.id: above(item) for item in items if kind_of(item) == record}
        parents = {id: above(item) for id, item in present[record].items()} | edited
        for chain in loops(parents, edited):
            rows = [draft for id in chain if (draft := by_key.get((record, id))) is not None]
            places = ", ".join(sorted({_place(draft) for draft in rows}, key=lambda place: (len(place), place)))
            ring = " > ".join((*chain, chain[0]))
            if rows:
                problems.append(rows[0].problem(Flaw.LOOP, "parent", chain=ring, places=places))
    return problems


def _site_problems(items: Sequence[Item], register: Register, by_key: Mapping[tuple[str, str], Draft]) -> list[Problem]:
    """Sites that nothing would be required of: their coverage could never be told."""
    views = {view.id: view.site for view in register.views.values()}
    views |= {item.id: item.site for item in items if isinstance(item, View)}
    viewed = set(views.values())
    bare = [item for item in items if isinstance(item, Site) and item.id not in viewed]
    return [by_key["site", item.id].problem(Flaw.SITE_WITHOUT_VIEWS, "id", id=item.id) for item in bare]


def _code_problems(
    devices: Mapping[str, Device], merged: Mapping[str, Device], by_key: Mapping[tuple[str, str], Draft]
) -> list[Problem]:
    problems = []
    first: dict[str, str] = {device.national_code: id for id, device in merged.items() if id not in devices}
    for id, device in devices.items():
        code, draft = device.national_code, by_key["device", id]
        if not code:
            continue
        other = first.setdefault(code, id)
        if other != id:
            there = by_key.get(("device", other))
            problems.append(
                draft.problem(Flaw.DUPLICATE_CODE, "national_code", other=other, place=_place(there) if there else "-")
            )
        if "national_code" in draft.line.cells:
            if code.endswith("000000"):
                problems.append(draft.problem(Flaw.CODE_LOOKS_ROUNDED, "national_code"))
            meant = _CODE_KINDS.get(code[10:13])
            if meant is not None and meant is not device.kind and device.kind is not Kind.TRAFFIC_UNIT:
                details = {"type": code[10:13], "meant": meant.value, "kind": device.kind.value}
                problems.append(draft.problem(Flaw.CODE_OF_OTHER_KIND, "national_code", **details))
    return problems


def _address_problems(
    devices: Mapping[str, Device],
    merged: Mapping[str, Device],
    by_key: Mapping[tuple[str, str], Draft],
    networks: Sequence[str] | None,
) -> list[Problem]:
    problems = []
    allowed = None if networks is None else [ip_network(network, strict=False) for network in networks]
    if allowed is not None and not allowed and any(device.host for device in devices.values()):
        problems.append(Problem(Flaw.NO_NETWORKS))
    first = {_address(device): id for id, device in merged.items() if id not in devices}
    for id, device in devices.items():
        draft = by_key["device", id]
        if not device.host:
            # Forgotten, in a file that speaks of addresses; one that could not be read has been told already.
            if device.life is Life.ACTIVE and "host" in draft.line.headers and "host" not in draft.line.cells:
                problems.append(draft.problem(Flaw.NO_HOST, "host"))
            continue
        if allowed and not inside(device.host, allowed):
            shown = ", ".join(str(network) for network in allowed)
            problems.append(draft.problem(Flaw.OUTSIDE_NETWORKS, "host", networks=shown))
        other = first.setdefault(_address(device), id)
        if other != id:
            there = by_key.get(("device", other))
            details = {"other": other, "place": _place(there) if there else "-"}
            problems.append(draft.problem(Flaw.SHARED_ADDRESS, "host", **details))
    return problems


def _address(device: Device) -> tuple[object, ...]:
    return device.host, device.onvif_port, device.rtsp_port, device.http_port, device.tcp_port


def inside(host: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether a literal address lies inside; of a host name that is known only when it is looked up to be polled."""
    try:
        address = ip_address(host)
    except ValueError:
        return True
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks if network.version == address.version)
