"""The seam of all probes: what a probe is given, how it fails, and the one place that times and catches it."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, Self

from camera_registry.model.observation import Facts, Failure, FailureKind, Observation, Stage
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from camera_registry.texts import texts
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.redaction import facts_without_secrets, redact, without_secrets

log = logging.getLogger(__name__)


class ProbeError(Exception):
    """A probe could not measure. ``detail`` is for people and must not hold a secret, and neither must ``values``."""

    def __init__(
        self,
        kind: FailureKind,
        stage: Stage,
        detail: str,
        key: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.stage = stage
        self.detail = detail
        self.key = key
        self.values = values or {}

    @classmethod
    def told(cls, kind: FailureKind, stage: Stage, key: str, **values: object) -> Self:
        """An error that people are told by the text ``failure.KEY``; its detail is the English one."""
        return cls(kind, stage, _english(kind, stage, key, values), key, values)


@dataclass(frozen=True, slots=True)
class References:
    """Pictures of a channel that were accepted as good, each with when it was taken (aware UTC). ``version`` changes
    whenever another one is accepted, or one is taken back."""

    version: str = ""
    pictures: Sequence[bytes] = ()
    times: Sequence[datetime] = ()
    masks: Sequence[str] = ()
    """What is painted over in any of them, as the register writes it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What is registered of a view's picture. ``masks`` are outlines of what nobody may see, in shares of the picture;
    ``blind`` those of what can't be compared besides, being masked in a reference; ``osd`` says where a clock is burnt
    in, {"box": shares, "format": "YYYY-MM-DD HH:MM:SS"}; ``times`` are what it should show, in ISO 8601: when the
    picture was taken, then the references."""

    masks: Sequence[Sequence[tuple[float, float]]] = ()
    blind: Sequence[Sequence[tuple[float, float]]] = ()
    osd: Mapping[str, object] | None = None
    times: Sequence[str] = ()


NOTHING_REGISTERED = Registered()


class Pictures(Protocol):
    """Measures pictures somewhere a hostile one can do no harm."""

    async def measure(
        self, picture: bytes, timeout: float, codec: str = "JPEG", known: Registered = NOTHING_REGISTERED
    ) -> tuple[Facts, bytes]:
        """Facts of ``probes.picture.measures`` and a small JPEG for evidence. Raises ProbeError(UNDECODABLE).

        ``picture`` is a JPEG, or one key frame of H264 or H265 with its parameter sets and start codes.
        """
        ...

    async def compare(
        self,
        picture: bytes,
        references: Sequence[bytes],
        timeout: float,
        codec: str = "JPEG",
        known: Registered = NOTHING_REGISTERED,
    ) -> tuple[Facts, bytes]:
        """The same in full, and what changed from each reference: ``probes.picture.examination``, with the facts of
        ``measure`` as ``picture``."""
        ...


class Tap(Protocol):
    """Hears all that passes between us and a device, encryption taken off, for a recording of it. A stream's packets
    that come over UDP are told as if they were interleaved on the connection that they were asked for on."""

    def opened(self, connection: object, port: int, *, tls: bool) -> None: ...

    def sent(self, connection: object, data: bytes) -> None: ...

    def received(self, connection: object, data: bytes) -> None:
        """``data`` is empty when the device has closed."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What all runs share."""

    guard: AddressGuard
    memory: Memory
    credential: Callable[[str], Credential | None] = lambda name: None
    pictures: Pictures | None = None
    references: Callable[[str, str], Awaitable[References]] | None = field(default=None, kw_only=True)
    """Accepted pictures of a device's channel, where pictures are to be compared with them."""
    tap: Tap | None = field(default=None, kw_only=True)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    auth_quiet: float = 1800.0
    """Seconds for which a device that refused a password is left alone."""
    lasting: bool = True
    """Whether ``memory`` outlives what is being done; else nobody is told until when a device is left alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a probe did or learned, for people: the key of a text (``step.*`` in the catalogue) and its values."""

    key: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has a run made. ``steps`` is filled with what happens, for somebody who wants to be told; ``leave`` is called
    once the device has done its part, and others may ask it while the run goes on."""

    steps: list[Step] | None = None
    leave: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Context:
    """What one run is given, and where it leaves what it finds.

    ``facts`` are kept even if the run fails later; ``stage`` says how far it came; ``deadline`` is the loop's time by
    which all must be over; ``secrets`` are texts that this run sent or could have sent, which must not come back in
    anything it reports; ``address`` is the resolved address that was connected to.
    """

    tools: Tools
    deadline: float
    device: str = ""
    channel: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    stage: Stage = Stage.ADDRESS
    caller: Caller = Caller()
    picture: bytes | None = None
    secrets: tuple[str, ...] = ()
    address: str = ""

    def step(self, key: str, **values: object) -> None:
        """Tell what happened, if anybody asked."""
        if self.caller.steps is not None:
            self.caller.steps.append(Step(key, self._concealed(values)))

    def conceal(self, text: str) -> str:
        """``text`` without this run's secrets and without anything that looks like one."""
        return redact(without_secrets(text, self.secrets))

    def failure(self, error: ProbeError) -> Failure:
        """What a run that ended so is told by, without this run's secrets."""
        return Failure(error.kind, error.stage, self.conceal(error.detail), error.key, self._concealed(error.values))

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    def _concealed(self, values: Mapping[str, object]) -> dict[str, object]:
        return {name: self.conceal(value) if isinstance(value, str) else value for name, value in values.items()}


def _english(kind: FailureKind, stage: Stage, key: str, values: Mapping[str, object]) -> str:
    return texts("en").failure(Failure(kind, stage, key, key, values))


Probe = Callable[[Target, Mapping[str, object], Context], Awaitable[Facts]]
"""``async def probe(target, options, context) -> Facts``, or raises ProbeError."""


async def observe(
    name: str,
    probe: Probe,
    target: Target,
    options: Mapping[str, object],
    tools: Tools,
    *,
    timeout: float,
    channel: str = "",
    caller: Caller = Caller(),
) -> Observation:
    """Run one probe within ``timeout`` seconds and return what came of it; only cancellation escapes.

    An exception that no probe should raise becomes ``internal``: our own bug turns nothing red.
    """
    context = Context(tools, asyncio.get_running_loop().time() + timeout, target.device, channel, caller=caller)
    at = tools.now()
    begun = time.perf_counter()
    failure: Failure | None = None
    facts: Facts
    try:
        async with asyncio.timeout_at(context.deadline):
            facts = await probe(target, options, context)
    except ProbeError as error:
        facts, failure = context.facts, context.failure(error)
    except TimeoutError:
        # Of a picture that is there it is we who are late.
        ours = context.stage is Stage.DECODE
        kind, key = (FailureKind.INTERNAL, "unmeasured") if ours else (FailureKind.TIMEOUT, "late")
        late = ProbeError.told(kind, context.stage, key, seconds=f"{timeout:g}")
        facts, failure = context.facts, context.failure(late)
    except Exception as error:  # noqa: BLE001 - the one catch: our own bug must not end the poller
        detail = context.conceal(f"{type(error).__name__}: {error}")
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)[-8:]))
        # A traceback would print the exception's own text, and that of its causes, with whatever they hold.
        log.error("probe %s of %s failed on our side: %s\n%s", name, target.device, detail, frames)  # noqa: TRY400
        facts, failure = context.facts, Failure(FailureKind.INTERNAL, context.stage, detail)
    took = time.perf_counter() - begun
    if context.secrets:
        facts = facts_without_secrets(facts, context.secrets)
    return Observation(target.device, name, at, took, channel, facts, failure, context.picture)
