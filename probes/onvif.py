"""This file probes a device's control interface over ONVIF: its clock, what it is, its profiles, where its stream and
still picture are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from lxml import etree

from camera_registry.model.observation import Facts, FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.memory import DeviceMemory
from probes.onvif_device import OnvifDevice
from probes.wire import onvif, soap
from probes.wire.onvif import Address, Profile
from probes.wire.soap import Operation, Refusal, SoapError

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_KINDS = {Refusal.AUTH: FailureKind.AUTH, Refusal.BUSY: FailureKind.BUSY}


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Ask the device about itself. Options: ``full`` (false asks only the time and what the device is, which tells
    control, clock and identity at a third of the cost), ``refresh`` (where ``full`` is not given: a full round only
    when the last one is so many seconds old; default: always), ``token`` of the media profile.

    Facts: ``clock_offset_seconds`` (device minus ours), ``device_time``, ``manufacturer``, ``model``, ``firmware``,
    ``serial``, ``hardware``, ``profiles``, ``stream_profile`` (the token of the one asked for its addresses),
    ``stream_uri``, ``snapshot_uri``, and ``refused`` (operation to reason) for
    what the device would not answer: one operation that fails never fails the device.
    """
    with OnvifDevice(context, target) as device:
        round_ = _Round(device, target, context)
        await round_.ask_time()
        known = await round_.ask_information()
        if _wants_media(options, context.tools.memory.of(target.device)):
            token = options.get("token")
            known = await round_.ask_media(token if isinstance(token, str) else "") or known
    if not known:
        raise round_.nothing_known()
    return context.facts


def _wants_media(options: Mapping[str, object], memory: DeviceMemory) -> bool:
    full, refresh = options.get("full"), options.get("refresh")
    if isinstance(full, bool):
        return full
    if not isinstance(refresh, int | float) or memory.media_at is None:
        return True
    return asyncio.get_running_loop().time() - memory.media_at >= refresh


class _Round:
    """The questions of one run, and the facts they give."""

    def __init__(self, device: OnvifDevice, target: Target, context: Context) -> None:
        self._device = device
        self._target = target
        self._context = context
        self._facts = context.facts
        self._refused: dict[Operation, SoapError] = {}

    async def ask_time(self) -> None:
        """What the device thinks the time is."""
        begun = self._context.tools.now()
        try:
            moment = await self._device.ask_time()
        except SoapError as error:
            self._note(Operation.TIME, error)
            return
        if moment is None:
            self._note(Operation.TIME, SoapError(Refusal.PROTOCOL, "the answer holds no time"))
            return
        memory = self._context.tools.memory.of(self._target.device)
        offset = memory.clock_offset if memory.clock_offset is not None else (moment - begun).total_seconds()
        self._facts["clock_offset_seconds"] = round(offset, 1)
        self._facts["device_time"] = moment.isoformat()
        self._context.step("onvif.time", offset=f"{offset:+.1f}")

    async def ask_information(self) -> bool:
        """Who made the device; whether it answered."""
        answer = await self._ask(soap.DEVICE, Operation.INFORMATION)
        if answer is None:
            return False
        told = onvif.read_information(answer)
        names = ("manufacturer", "model", "firmware", "serial", "hardware")
        values = (told.manufacturer, told.model, told.firmware, told.serial, told.hardware)
        self._facts |= {name: value for name, value in zip(names, values, strict=True) if value}
        self._context.step(
            "onvif.information",
            manufacturer=told.manufacturer or "?",
            model=told.model or "?",
            firmware=told.firmware or "?",
            serial=told.serial or "?",
        )
        return True

    async def ask_media(self, token: str) -> bool:
        """Profiles, stream and still picture; whether the media service answered."""
        services = await self._ask_services()
        namespaces = [name for name in (soap.MEDIA, soap.MEDIA2) if name in services] or [soap.MEDIA]
        answered = False
        for namespace in namespaces:
            found = await self._ask_profiles(namespace, services.get(namespace, ""))
            if found is None:
                continue
            answered = True
            place, profiles = found
            self._facts["profiles"] = [profile.facts() for profile in profiles]
            self._context.step("onvif.profiles", count=len(profiles), first=_shown(profiles))
            usable = [profile for profile in profiles if profile.encoding] or list(profiles)
            if not any(profile.encoding for profile in profiles) and namespace is not namespaces[-1]:
                continue  # H.265 profiles are told by Media2 only
            if usable:
                chosen = next((profile for profile in usable if profile.token == token), usable[0])
                self._facts["stream_profile"] = chosen.token
                await self._ask_uri(namespace, Operation.STREAM_URI, place, chosen.token)
                await self._ask_uri(namespace, Operation.SNAPSHOT_URI, place, chosen.token)
            break
        if answered:
            self._context.tools.memory.of(self._target.device).media_at = asyncio.get_running_loop().time()
        return answered

    def nothing_known(self) -> ProbeError:
        """The error of a device that answered none of the questions that matter."""
        kinds = [_KINDS.get(error.refusal, FailureKind.PROTOCOL) for error in self._refused.values()]
        kind = next((kind for kind in kinds if kind is not FailureKind.PROTOCOL), FailureKind.PROTOCOL)
        told = "; ".join(f"{operation}: {error}" for operation, error in self._refused.items())
        path = self._device.home[1]
        return ProbeError(kind, Stage.ANSWER, f"nothing learned over ONVIF at {path} ({told}); check port and path")

    async def _ask_services(self) -> dict[str, str]:
        """The addresses of the device's services by namespace; empty if it does not tell."""
        for operation in (Operation.SERVICES, Operation.CAPABILITIES):
            answer = await self._ask(soap.DEVICE, operation)
            services = onvif.read_services(answer) if answer is not None else {}
            if services:
                return services
        return {}

    async def _ask_profiles(self, namespace: str, told: str) -> tuple[tuple[int, str], tuple[Profile, ...]] | None:
        """The profiles, and the place (port and path) that told them.

        Devices tell wrong addresses (of their LAN, of themselves, of another path), so: the path told, on the
        registered host and port; then its own port; then the path of the device service. Never another host.
        """
        port, path = self._device.home
        address = onvif.read_address(told)
        places = [(port, address.path), (address.port or port, address.path)] if address is not None else []
        for place in dict.fromkeys((*places, (port, path))):
            try:
                answer = await self._device.ask(namespace, Operation.PROFILES, place=place)
            except SoapError as error:
                self._note(Operation.PROFILES, error)
            except ProbeError as error:
                if error.kind is FailureKind.AUTH or place[0] == port:
                    raise
            else:
                self._refused.pop(Operation.PROFILES, None)
                return place, onvif.read_profiles(answer)
        return None

    async def _ask_uri(self, namespace: str, operation: Operation, place: tuple[int, str], token: str) -> None:
        answer = await self._ask(namespace, operation, place=place, token=token)
        if answer is None:
            return
        address = onvif.read_uri(answer)
        name, schemes = (
            ("stream_uri", ("rtsp", "rtsps"))
            if operation is Operation.STREAM_URI
            else ("snapshot_uri", ("http", "https"))
        )
        if address is None or address.scheme not in schemes:
            said = f"an address of {address.scheme}" if address is not None else "no address"
            self._note(operation, SoapError(Refusal.PROTOCOL, f"the answer holds {said}"))
            return
        uri = onvif.write_uri(address.scheme, self._target.host, self._port(address), address.path)
        self._facts[name] = uri
        self._context.step(f"onvif.{name}", uri=uri)

    def _port(self, address: Address) -> int:
        """The port of an address that the device told, on the registered host.

        A device that names itself by the registered host knows its port. One that names another (it stands behind
        address translation, or tells its LAN address) does not: a port that people registered on purpose counts first.
        """
        default = _DEFAULT_PORTS[address.scheme]
        if address.host in (self._target.host.lower(), self._context.address):
            return address.port or default
        registered = self._target.ports.get("rtsp" if address.scheme.startswith("rtsp") else "http", 0)
        if registered not in (0, default):
            return registered
        if address.port not in (None, default):
            return address.port or default
        if registered == 0 and address.scheme == "http":
            return self._device.home[0]
        return default

    async def _ask(
        self, namespace: str, operation: Operation, *, place: tuple[int, str] | None = None, token: str = ""
    ) -> etree._Element | None:
        """The answer, or None when the device refuses this one question."""
        try:
            return await self._device.ask(namespace, operation, place=place, token=token)
        except SoapError as error:
            self._note(operation, error)
            return None

    def _note(self, operation: Operation, error: SoapError) -> None:
        self._refused[operation] = error
        self._facts["refused"] = {str(name): str(reason) for name, reason in self._refused.items()}
        self._context.step("onvif.refused", operation=str(operation), detail=str(error))


def _shown(profiles: tuple[Profile, ...]) -> str:
    if not profiles:
        return "-"
    first = profiles[0]
    size = f" {first.width}x{first.height}" if first.width and first.height else ""
    return f"{first.name or first.token} {first.encoding or ''}{size}".strip()
