"""This file holds one run's ONVIF questions to a device, and what it would not answer: one operation that fails never
fails the device.

Services are asked on the registered host alone, whatever host their address names; where one answered is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from lxml import etree

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.onvif_device import OnvifDevice, Place
from probes.wire import onvif, soap
from probes.wire.onvif import Information
from probes.wire.refusal import Refusal
from probes.wire.soap import Operation, SoapError

PATIENCE = 2.0
"""Seconds for an answer that is good to know, and no more."""
RESERVE = 1.0
"""Seconds before the deadline after which no such question is asked."""
SILENCE = 86_400.0
"""Seconds for which a question is not asked again that was met with silence."""
CUT_SHORT = 5
"""So many rounds in a row that ended before the answer to a question came are the device's silence, and neither the
hurry of this machine nor a disk that had to wake up."""

_MEMORY = "onvif.services"
_KINDS = {Refusal.AUTH: FailureKind.AUTH, Refusal.BUSY: FailureKind.BUSY}


@dataclass(slots=True)
class _Known:
    """What is remembered of a device's services: where each answered, until when (loop time) what was met with silence
    is not asked again, and how many rounds in a row have ended before the answer to a question came."""

    places: dict[str, Place] = field(default_factory=dict)
    silent: dict[tuple[str, Operation], float] = field(default_factory=dict)
    cut: dict[tuple[str, Operation], int] = field(default_factory=dict)


class Round:
    """The questions of one run, the facts they give, and what was refused."""

    def __init__(self, device: OnvifDevice, target: Target, context: Context) -> None:
        self.context = context
        self.facts = context.facts
        self.services: dict[str, str] = {}
        self._device = device
        self._target = target
        self._memory = context.tools.memory.of(target.device)
        known = self._memory.kept.get(_MEMORY)
        self._known = known if isinstance(known, _Known) else _Known()
        self._memory.kept[_MEMORY] = self._known
        self._refused: dict[Operation, SoapError] = {}
        self._late: set[tuple[str, Operation]] = set()
        """What was met with silence in this run."""

    async def ask_time(self) -> None:
        """What the device thinks the time is."""
        try:
            clock = await self._device.ask_clock()
        except SoapError as error:
            self.note(Operation.TIME, error)
            return
        if clock is None:
            self.note(Operation.TIME, SoapError(Refusal.PROTOCOL, "the answer holds no time"))
            return
        offset = self.clock_offset
        self.facts["clock_offset_seconds"] = round(offset, 1)
        self.facts["device_time"] = clock.moment.isoformat()
        if clock.source:
            self.facts["time_source"] = clock.source
        self.context.step("onvif.time", offset=f"{offset:+.1f}")

    async def ask_information(self) -> Information | None:
        """What the device is, or None when it refuses to say."""
        try:
            return await self._device.ask_information()
        except SoapError as error:
            self.note(Operation.INFORMATION, error)
            return None

    @property
    def clock_offset(self) -> float:
        """How far the device's clock is ahead of ours, seconds; 0 where it does not tell."""
        return self._memory.clock_offset or 0.0

    async def ask_services(self) -> None:
        """Learn the addresses of the device's services; none if it does not tell."""
        for operation in (Operation.SERVICES, Operation.CAPABILITIES):
            answer = await self.ask(soap.DEVICE, operation)
            self.services = onvif.read_services(answer) if answer is not None else {}
            if self.services:
                return

    async def ask(self, namespace: str, operation: Operation) -> etree._Element | None:
        """The answer of the device service, or None when it refuses this one question."""
        try:
            return await self._device.ask(namespace, operation)
        except SoapError as error:
            self.note(operation, error)
            return None

    async def ask_service(
        self, namespace: str, operation: Operation, tokens: Sequence[str] = (), at: datetime | None = None
    ) -> etree._Element | None:
        """The answer of a service, at the first of its possible places that has one; None when it refuses.

        Devices tell wrong addresses (of their LAN, of themselves, of another path), so: the path told, on the
        registered host and port; then its own port; then the path of the device service. Never another host.
        """
        places = self._places(namespace)
        for place in places:
            try:
                answer = await self._device.ask(namespace, operation, place=place, tokens=tokens, at=at)
            except SoapError as error:
                self.note(operation, error)
                if namespace in self._known.places and error.refusal is not Refusal.PROTOCOL:
                    return None  # the service is there, and would not answer this
            except ProbeError as error:
                if error.kind is FailureKind.AUTH or place[0] == self._device.home[0]:
                    raise
            else:
                self._known.places[namespace] = _alike(place)
                if self._refused.pop(operation, None):
                    self._tell_refused()
                return answer
        self._known.places.pop(namespace, None)
        return None

    async def ask_aside(
        self,
        namespace: str,
        operation: Operation,
        tokens: Sequence[str] = (),
        at: datetime | None = None,
        *,
        patience: float = PATIENCE,
        needed: bool = False,
    ) -> etree._Element | None:
        """As ``ask_service``, for what is good to know: neither silence nor a lost connection fails the device, and
        what it was silent about for ``patience`` seconds is not asked again soon. What is ``needed`` is asked again by
        the next runs, until CUT_SHORT in a row have ended without an answer. A password refused is no such thing."""
        now, key = asyncio.get_running_loop().time(), (namespace, operation)
        if not self.has_time or self._known.silent.get(key, 0.0) > now:
            return None
        until = min(now + patience, self.context.deadline - RESERVE / 2)
        try:
            async with asyncio.timeout_at(until):
                answer = await self.ask_service(namespace, operation, tokens, at)
        except TimeoutError:
            # Of a run that asks of many channels it counts once: a device that hangs for one run is not silent.
            cut = self._known.cut.pop(key, 0) + (key not in self._late)
            self._late.add(key)
            if needed and cut < CUT_SHORT:
                self._known.cut[key] = cut
            else:
                self._known.silent[key] = now + SILENCE
            self.note(operation, SoapError(Refusal.PROTOCOL, "no answer came"))
        except ProbeError as error:
            if error.stage is Stage.AUTHENTICATE:
                raise
            self.note(operation, SoapError(Refusal.PROTOCOL, error.detail))
        else:
            self._known.cut.pop(key, None)
            return answer
        self._device.hang_up()
        return None

    @property
    def has_time(self) -> bool:
        """Whether there is time for one more question that could be left out."""
        return self.context.remaining() > RESERVE

    @property
    def home(self) -> Place:
        """Port and path of the device service."""
        return self._device.home

    def refusal(self, operation: Operation) -> Refusal | None:
        """Why the device would not answer this, if it was asked in this run and would not."""
        error = self._refused.get(operation)
        return error.refusal if error is not None else None

    def note(self, operation: Operation, error: SoapError) -> None:
        """Keep what the device would not answer."""
        self._refused[operation] = error
        self._tell_refused()
        self.context.step("onvif.refused", operation=str(operation), detail=str(error))

    def nothing_known(self) -> ProbeError:
        """The error of a device that answered none of the questions that matter."""
        kinds = [_KINDS.get(error.refusal, FailureKind.PROTOCOL) for error in self._refused.values()]
        kind = next((kind for kind in kinds if kind is not FailureKind.PROTOCOL), FailureKind.PROTOCOL)
        told = "; ".join(f"{operation}: {error}" for operation, error in self._refused.items())
        path = self.home[1]
        return ProbeError(kind, Stage.ANSWER, f"nothing learned over ONVIF at {path} ({told}); check port and path")

    def _tell_refused(self) -> None:
        self.facts["refused"] = {str(name): str(reason) for name, reason in self._refused.items()}

    def _places(self, namespace: str) -> tuple[Place, ...]:
        if namespace == soap.DEVICE:
            return (self.home,)
        port, path = self.home
        known = self._known.places.get(namespace)
        address = onvif.read_address(self.services.get(namespace, ""))
        told = [(port, address.path), (address.port or port, address.path)] if address is not None else []
        first = [known] if known is not None else []
        return tuple(dict.fromkeys((*first, *told, (port, path))))


@lru_cache(1024)
def _alike(place: Place) -> Place:
    """One for all devices of a model."""
    return place
