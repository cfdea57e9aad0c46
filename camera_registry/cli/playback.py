"""Plays a recording back through the real probes, and holds what they find against what the recording expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from camera_registry.capture import replay
from camera_registry.capture.recording import HOST, PASSWORD, USER, Recording
from camera_registry.cli import probe
from camera_registry.cli.probe import Asked, Result
from camera_registry.cli.probe_target import Named
from camera_registry.model.people import Credential
from camera_registry.model.probe import PROBES

PATIENCE = 5.0
"""Seconds for each probe of a device that plays on this machine."""
_MEASURED = re.compile(
    r"(?:.*_)?(?:seconds|time|at|rate|ratio|bytes|bitrate|jitter|frames|packets|lost|loss|octets|gaps?|sha256|picture|refused)"
)
"""Facts of the moment and of the network, of a picture that is drawn anew, and texts for people."""


async def play_back(recording: Recording) -> Result:
    """One round of the real probes against the recording, over sockets."""
    async with replay.playing(recording) as playing:
        ports = {role: port for role, port in playing.ports.items() if role in {kind.port for kind in PROBES.values()}}
        named = Named(
            shown=recording.origin,
            host=replay.LOOPBACK,
            probes=recording.probes,
            ports={**ports, "tcp": next(iter(playing.ports.values()), 0)},
            options=json.loads(playing.localise(json.dumps(recording.options).encode())),
            onvif_path=recording.onvif_path,
        )
        credential = Credential("given", USER, PASSWORD) if recording.login else None
        asked = Asked(named, recording.probes, credential, None, PATIENCE)
        result = await probe.look(asked, now=playing.now, explain=False)
        return _at_home(result, playing.numbers())


def expectation(result: Result) -> dict[str, Any]:
    """What a recording expects: status, reasons, and of each probe its failure and the facts that are the device's."""
    return {
        "status": result.status.value,
        "reasons": [{"aspect": reason.aspect.value, "cause": reason.cause.value} for reason in result.reasons],
        "observations": {
            seen.probe: {
                "failure": None
                if seen.failure is None
                else {"kind": seen.failure.kind.value, "stage": seen.failure.stage.value},
                "facts": {name: value for name, value in seen.facts.items() if not _MEASURED.fullmatch(name)},
            }
            for seen in result.observations
        },
    }


def told_otherwise(expect: object, found: object, place: str = "") -> Iterator[str]:
    """Where ``found`` does not hold what ``expect`` says; more facts than expected are welcome."""
    if isinstance(expect, Mapping) and isinstance(found, Mapping):
        for name, value in expect.items():
            yield from told_otherwise(value, found.get(name), f"{place}.{name}" if place else name)
    elif isinstance(expect, list) and isinstance(found, list) and len(expect) == len(found):
        for number, (one, other) in enumerate(zip(expect, found, strict=True)):
            yield from told_otherwise(one, other, f"{place}[{number}]")
    elif expect != found:
        yield f"{place}: expected {expect!r}, found {found!r}"


def _at_home(result: Result, numbers: Mapping[int, int]) -> Result:
    """The result with the addresses of loopback as the recording has them."""

    def home(value: object) -> object:
        if isinstance(value, str):
            return re.sub(rf"{re.escape(replay.LOOPBACK)}:(\d+)", lambda found: f"{HOST}:{_number(found[1])}", value)
        if isinstance(value, Mapping):
            return {name: home(inner) for name, inner in value.items()}
        return [home(inner) for inner in value] if isinstance(value, list) else value

    def _number(port: str) -> int:
        return numbers.get(int(port), int(port))

    observations = (
        replace(seen, facts={name: home(value) for name, value in seen.facts.items()}) for seen in result.observations
    )
    return replace(result, observations=tuple(observations))
