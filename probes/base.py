"""The seam of all probes: what a probe is given, how it fails, and the one place that times and catches it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from camera_registry.model.observation import Facts, Failure, FailureKind, Observation, Stage
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.redaction import redact

log = logging.getLogger(__name__)


class ProbeError(Exception):
    """A probe could not measure. ``detail`` is for people and must not hold a secret."""

    def __init__(self, kind: FailureKind, stage: Stage, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.stage = stage
        self.detail = detail


class Pictures(Protocol):
    """Measures pictures somewhere a hostile one can do no harm."""

    async def measure(self, jpeg: bytes, timeout: float) -> tuple[Facts, bytes]:
        """Facts of ``probes.picture.measures`` and a small JPEG for evidence. Raises ProbeError(UNDECODABLE)."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What all runs share."""

    guard: AddressGuard
    memory: Memory
    credential: Callable[[str], Credential | None] = lambda name: None
    pictures: Pictures | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(slots=True)
class Context:
    """What one run is given, and where it leaves what it finds.

    ``facts`` are kept even if the run fails later; ``stage`` says how far it came; ``steps`` collects sentences for
    people when somebody asked for an explanation; ``deadline`` is the loop's time by which all must be over.
    """

    tools: Tools
    deadline: float
    facts: dict[str, object] = field(default_factory=dict)
    stage: Stage = Stage.ADDRESS
    steps: list[str] | None = None
    picture: bytes | None = None

    def step(self, text: str) -> None:
        if self.steps is not None:
            self.steps.append(redact(text))

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())


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
    steps: list[str] | None = None,
) -> Observation:
    """Run one probe within ``timeout`` seconds and return what came of it; only cancellation escapes.

    An exception that no probe should raise becomes ``internal``: our own bug turns nothing red.
    """
    context = Context(tools, asyncio.get_running_loop().time() + timeout, steps=steps)
    at = tools.now()
    begun = time.perf_counter()
    failure: Failure | None = None
    facts: Facts
    try:
        async with asyncio.timeout_at(context.deadline):
            facts = await probe(target, options, context)
    except ProbeError as error:
        facts, failure = context.facts, Failure(error.kind, error.stage, redact(error.detail))
    except TimeoutError:
        detail = f"no answer within {timeout:g} s (stage: {context.stage})"
        facts, failure = context.facts, Failure(FailureKind.TIMEOUT, context.stage, detail)
    except Exception as error:
        log.exception("probe %s failed on our side for %s", name, target.device)
        detail = redact(f"{type(error).__name__}: {error}")
        facts, failure = context.facts, Failure(FailureKind.INTERNAL, context.stage, detail)
    took = time.perf_counter() - begun
    return Observation(target.device, name, at, took, channel, facts, failure, context.picture)
