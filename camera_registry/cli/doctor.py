"""The command that looks whether the service can run on this machine: doctor."""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import os
import resource
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from camera_registry.cli.outcome import FAULT, GOOD, MISUSE
from camera_registry.cli.shape import Commands
from camera_registry.model.register import Register
from camera_registry.rules.coverage.standing import without_views
from camera_registry.settings import Settings, SettingsError, Storage, load, too_wide
from camera_registry.settings_dispatch import strangers
from camera_registry.store import Store, StoreError, register
from camera_registry.store.connection import SQLITE_FILE
from camera_registry.store.keys import read_keys
from camera_registry.texts import texts
from probes.base import ProbeError
from probes.icmp import open_socket

DISK_BYTES = 2 * 2**30
"""Free space below which a database and its pictures run out within days."""

OUR_DESCRIPTORS = 200
"""Files and sockets that the service needs besides its probes."""

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set."""

LIBRARIES = ("cv2", "av", "zeep", "lxml", "cryptography", "argon2")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``detail`` says what was found, and if it is not good, what to do."""

    name: str
    good: bool
    detail: str


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    doctor = commands.add_parser("doctor", parents=[common], help="look whether the service can run on this machine")
    doctor.set_defaults(func=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    settings, words = None, texts(args.lang)
    try:
        settings = load(args.config).settings
        checks = list(look(settings))
    except SettingsError as error:
        told = [f"{error.place}: {words.wrong(problem)}" for problem in error.problems]
        checks = [Check("settings", good=False, detail=detail) for detail in told]
    if args.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            print(f"{'ok   ' if check.good else 'FAULT'} {check.name}: {check.detail}")
    if settings is None:
        return MISUSE
    return GOOD if all(check.good for check in checks) else FAULT


def look(settings: Settings) -> Iterator[Check]:
    """Everything that the service needs of this machine, one check each."""
    yield Check("settings", good=True, detail="every key is known and of its type")
    yield _networks(settings)
    yield _disk(settings)
    yield from _database(settings)
    yield _port(settings)
    yield _descriptors(settings)
    yield _clock()
    yield _pings(settings)
    yield _libraries()


def _networks(settings: Settings) -> Check:
    networks = settings.devices.networks
    if not networks:
        detail = "[devices] networks is empty, so no device may be contacted; name your camera networks there"
        return Check("devices", good=False, detail=detail)
    cut_off = [f"{network} ({reason})" for network in networks if (reason := _unreachable(network))]
    if cut_off:
        detail = (
            f"[devices] networks: no way from this machine to {', '.join(cut_off)}; "
            "add a route or an interface, or correct the network"
        )
        return Check("devices", good=False, detail=detail)
    wide = too_wide(networks)
    doubt = f"; {', '.join(wide)} is much wider than a network of cameras: name yours alone" if wide else ""
    return Check("devices", good=True, detail=f"{', '.join(networks)}{doubt}")


def _unreachable(network: str) -> str:
    """Why the system has no route to a network, or an empty text. Connecting a datagram socket sends nothing."""
    parsed = ip_network(network)
    address = str(parsed.network_address if parsed.num_addresses < 4 else parsed.network_address + 1)
    with socket.socket(socket.AF_INET if parsed.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _disk(settings: Settings) -> Check:
    place = settings.storage.directory
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return Check("disk", good=False, detail=f"{place} can't be written by this user; change its owner")
    free = shutil.disk_usage(place).free
    good = free >= DISK_BYTES
    remedy = "" if good else f"; make room, at least {DISK_BYTES / 2**30:.0f} GiB"
    return Check("disk", good, f"{free / 2**30:.1f} GiB free at {place}{remedy}")


def _database(settings: Settings) -> Iterator[Check]:
    storage = settings.storage
    if not _exists(storage):
        yield Check("database", good=True, detail=f"none yet in {storage.directory}; it is made at the first start")
        return
    try:
        with Store.open(storage.url, storage.directory) as store:
            yield Check("database", good=True, detail=f"{store.dialect} answers")
            known = store.read_now(register.load_register)
            yield _dispatch(settings, known)
            yield _sites(known)
        assert storage.key_file is not None
        read_keys(storage.key_file)
        yield Check("key", good=True, detail=f"{storage.key_file} is there, for its owner alone")
    except StoreError as error:
        yield Check("database", good=False, detail=str(error))


def _dispatch(settings: Settings, known: Register) -> Check:
    """Whether the rules by which crews are sent name what the register knows."""
    unknown = tuple(strangers(settings.dispatch, known))
    if unknown:
        return Check("dispatch", good=False, detail="; ".join(unknown))
    rules = len(settings.dispatch.rules)
    return Check("dispatch", good=True, detail=f"{rules} rules, {len(known.crews)} crews in the register")


def _sites(known: Register) -> Check:
    bare = [site.id for site in without_views(known.sites.values(), known.views.values())]
    if not bare:
        return Check("sites", good=True, detail=f"{len(known.sites)} sites, each with the views that it needs")
    named = ", ".join(bare[:20]) + (", ..." if len(bare) > 20 else "")
    detail = f"{len(bare)} sites have no views, so their coverage can't be told: {named}; import a view for each thing"
    return Check("sites", good=False, detail=f"{detail} that must be seen there")


def _exists(storage: Storage) -> bool:
    return bool(storage.url) or (storage.directory / SQLITE_FILE).exists()


def _port(settings: Settings) -> Check:
    web = settings.web
    family = socket.AF_INET6 if ":" in web.listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((web.listen, web.port))
        except OSError as error:
            holder = _service(settings) if error.errno == errno.EADDRINUSE else ""
            if holder:
                return Check(
                    "port", good=True, detail=f"{web.listen}:{web.port} is taken while the service runs: {holder}"
                )
            detail = f"{web.listen}:{web.port}: {error.strerror}; stop what listens there, or change [web] port"
            return Check("port", good=False, detail=detail)
    return Check("port", good=True, detail=f"{web.listen}:{web.port} is free")


def _service(settings: Settings) -> str:
    """Who runs the service on this database, or an empty text."""
    storage = settings.storage
    if not _exists(storage):
        return ""
    try:
        with Store.open(storage.url, storage.directory) as store:
            return store.held_by()
    except StoreError:
        return ""


def _descriptors(settings: Settings) -> Check:
    has, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needs = 2 * settings.poller.slots + OUR_DESCRIPTORS
    remedy = "" if has >= needs else "; raise LimitNOFILE (systemd) or ulimit -n, or lower [poller] slots"
    return Check(
        "descriptors", has >= needs, f"{needs} needed for {settings.poller.slots} slots, {has} allowed{remedy}"
    )


def _clock() -> Check:
    now = datetime.now(UTC)
    if now > BUILT:
        return Check("clock", good=True, detail=now.isoformat(timespec="seconds"))
    detail = f"it shows {now:%F}; set it and keep it by NTP: times in reports would be wrong"
    return Check("clock", good=False, detail=detail)


def _pings(settings: Settings) -> Check:
    """Whether the probe icmp may send what it has to. It matters to nobody who does not use it."""
    try:
        for version in (4, 6) if socket.has_ipv6 else (4,):
            open_socket(version).close()
    except ProbeError as error:
        asked = {name for names in settings.probes.by_kind.values() for name in names}
        asked |= {name for names in settings.probes.by_traffic_kind.values() for name in names}
        return Check("pings", good="icmp" not in asked, detail=error.detail)
    except OSError as error:
        return Check("pings", good=True, detail=f"over IPv4 alone ({error.strerror})")
    return Check("pings", good=True, detail="may be sent")


def _libraries() -> Check:
    broken: list[str] = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            broken.append(f"{name} ({error})")
    if broken:
        return Check("libraries", good=False, detail=f"can't be imported: {', '.join(broken)}; run `make setup` again")
    return Check("libraries", good=True, detail=", ".join(LIBRARIES))
