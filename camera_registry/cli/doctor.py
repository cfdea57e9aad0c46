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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from zoneinfo import ZoneInfo

from camera_registry.cli.outcome import FAULT, GOOD, MISUSE
from camera_registry.cli.shape import Commands
from camera_registry.model.register import Register
from camera_registry.rules.capacity import part
from camera_registry.rules.coverage.standing import without_views
from camera_registry.settings import Settings, SettingsError, Storage, load, too_wide
from camera_registry.settings_dispatch import strangers
from camera_registry.store import Shape, Store, StoreError, register
from camera_registry.store.connection import SQLITE_FILE
from camera_registry.store.keys import read_keys
from camera_registry.texts import Texts, texts
from camera_registry.texts.errors import in_words
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
    """One thing looked at. ``key`` of [doctor] in the texts, with its values, says what was found, and if it is not
    good, what to do."""

    name: str
    good: bool
    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, words: Texts) -> str:
        """What was found, in a language."""
        return words(f"doctor.{self.key}", **in_words(words, self.values))


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    doctor = commands.add_parser("doctor", parents=[common])
    doctor.set_defaults(func=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    settings, words = None, texts(args.lang)
    try:
        settings = load(args.config).settings
        checks = list(look(settings))
    except SettingsError as error:
        whys = [f"{error.place}: {words.wrong(problem)}" for problem in error.problems]
        checks = [_foreign("settings", why, good=False) for why in whys]
    if args.json:
        told = [{"name": check.name, "good": check.good, "detail": check.told(words)} for check in checks]
        print(json.dumps(told, ensure_ascii=False))
    else:
        for check in checks:
            line = "doctor_line.good" if check.good else "doctor_line.fault"
            print(words(line, name=words(f"doctor_check.{check.name}"), told=check.told(words)))
    if settings is None:
        return MISUSE
    return GOOD if all(check.good for check in checks) else FAULT


def look(settings: Settings) -> Iterator[Check]:
    """Everything that the service needs of this machine, one check each."""
    yield Check("settings", good=True, key="settings")
    yield _networks(settings)
    yield _channels(settings)
    yield _disk(settings)
    yield from _database(settings)
    yield _port(settings)
    yield _descriptors(settings)
    yield _clock(settings)
    yield _pings(settings)
    yield _libraries()


def _foreign(name: str, told: str, *, good: bool) -> Check:
    """What comes from elsewhere in words of its own."""
    return Check(name, good, "told", {"told": told})


def _networks(settings: Settings) -> Check:
    networks = settings.devices.networks
    if not networks:
        return Check("devices", good=False, key="no_networks")
    cut_off = [f"{network} ({reason})" for network in networks if (reason := _unreachable(network))]
    if cut_off:
        return Check("devices", good=False, key="cut_off", values={"networks": ", ".join(cut_off)})
    wide = too_wide(networks)
    values = {"networks": ", ".join(networks), "wide": ", ".join(wide)}
    return Check("devices", good=True, key="wide" if wide else "networks", values=values)


def _channels(settings: Settings) -> Check:
    named = ", ".join(channel.name for channel in settings.channels)
    return Check("channels", good=True, key="channels" if named else "no_channels", values={"named": named})


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
        return Check("disk", good=False, key="not_writable", values={"place": place})
    free = shutil.disk_usage(place).free
    good = free >= DISK_BYTES
    values = {"free": f"{free / 2**30:.1f}", "place": place, "least": f"{DISK_BYTES / 2**30:.0f}"}
    return Check("disk", good, "disk" if good else "full", values)


def _database(settings: Settings) -> Iterator[Check]:
    storage = settings.storage
    if not _exists(storage):
        yield Check("database", good=True, key="no_database", values={"place": storage.directory})
        return
    try:
        with Store.open(storage.url, storage.directory, Shape.KEPT) as store:
            yield Check("database", good=True, key="database", values={"dialect": store.dialect})
            known = store.read_now(register.load_register)
            yield _dispatch(settings, known)
            yield _sites(known)
        assert storage.key_file is not None
        read_keys(storage.key_file)
        yield Check("key", good=True, key="key", values={"file": storage.key_file})
    except StoreError as error:
        yield Check("database", good=False, key="told", values={"told": error})


def _dispatch(settings: Settings, known: Register) -> Check:
    """Whether the rules by which crews are sent name what the register knows."""
    unknown = tuple(strangers(settings.dispatch, known))
    if unknown:
        return Check("dispatch", good=False, key="told", values={"told": unknown})
    return Check(
        "dispatch", good=True, key="dispatch", values={"rules": len(settings.dispatch.rules), "crews": len(known.crews)}
    )


def _sites(known: Register) -> Check:
    bare = [site.id for site in without_views(known.sites.values(), known.views.values())]
    if not bare:
        return Check("sites", good=True, key="sites" if known.sites else "no_sites", values={"n": len(known.sites)})
    named = ", ".join(bare[:20]) + (", ..." if len(bare) > 20 else "")
    return Check("sites", good=False, key="bare_sites", values={"n": len(bare), "sites": named})


def _exists(storage: Storage) -> bool:
    return bool(storage.url) or (storage.directory / SQLITE_FILE).exists()


def _port(settings: Settings) -> Check:
    web = settings.web
    address = f"{web.listen}:{web.port}"
    family = socket.AF_INET6 if ":" in web.listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((web.listen, web.port))
        except OSError as error:
            holder = _service(settings) if error.errno == errno.EADDRINUSE else ""
            if holder:
                return Check("port", good=True, key="port_ours", values={"address": address, "holder": holder})
            return Check("port", good=False, key="port_taken", values={"address": address, "why": error.strerror})
    return Check("port", good=True, key="port", values={"address": address})


def _service(settings: Settings) -> str:
    """Who runs the service on this database, or an empty text."""
    storage = settings.storage
    if not _exists(storage):
        return ""
    try:
        with Store.open(storage.url, storage.directory, Shape.ANY) as store:
            return store.held_by()
    except StoreError:
        return ""


def _descriptors(settings: Settings) -> Check:
    """Whether each process that polls may have as many as its share of the slots takes: the limit is that of one."""
    has, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes = max(1, settings.poller.processes)
    slots = part(settings.poller.slots, processes)
    needs = 2 * slots + OUR_DESCRIPTORS
    values = {"needs": needs, "slots": slots, "has": has, "processes": processes}
    key = ("descriptors" if has >= needs else "few_descriptors") + ("_each" if processes > 1 else "")
    return Check("descriptors", has >= needs, key, values)


def _clock(settings: Settings) -> Check:
    now = datetime.now(UTC)
    if now > BUILT:
        there = now.astimezone(ZoneInfo(settings.time_zone))
        return _foreign("clock", f"{there:%Y-%m-%d %H:%M:%S} ({settings.time_zone})", good=True)
    return Check("clock", good=False, key="clock_never_set", values={"day": f"{now:%F}"})


def _pings(settings: Settings) -> Check:
    """Whether the probe icmp may send what it has to. It matters to nobody who does not use it."""
    try:
        for version in (4, 6) if socket.has_ipv6 else (4,):
            open_socket(version).close()
    except ProbeError as error:
        asked = {name for names in settings.probes.by_kind.values() for name in names}
        asked |= {name for names in settings.probes.by_traffic_kind.values() for name in names}
        return _foreign("pings", error.detail, good="icmp" not in asked)
    except OSError as error:
        return Check("pings", good=True, key="pings_v4", values={"why": error.strerror})
    return Check("pings", good=True, key="pings")


def _libraries() -> Check:
    broken: list[str] = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            broken.append(f"{name} ({error})")
    if broken:
        return Check("libraries", good=False, key="broken_libraries", values={"broken": ", ".join(broken)})
    return _foreign("libraries", ", ".join(LIBRARIES), good=True)
