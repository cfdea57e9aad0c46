"""This file makes a recording of what a tape holds: exchanges, scrubbed, with all that playing it back needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from camera_registry import __version__
from camera_registry.capture.exchanges import cut
from camera_registry.capture.pseudonyms import Given
from camera_registry.capture.recording import Port, Recording
from camera_registry.capture.scrub import Scrubber
from camera_registry.capture.tape import Tape


def make(
    tape: Tape,
    given: Given,
    *,
    probes: tuple[str, ...],
    ports: Mapping[str, int],
    options: Mapping[str, Mapping[str, object]],
    onvif_path: str,
    clock_offset: float | None,
    media: bool,
) -> Recording:
    """The scrubbed recording, without what it is expected to show. ``ports`` are those that people named."""
    roles = _roles(tape, ports)
    exchanges = tuple(cut(tape, roles, media=media))
    scrubber = Scrubber(given, exchanges, media=media)
    scrubbed = scrubber.scrub(exchanges)
    shown = {
        name: {key: scrubber.text(value) if isinstance(value, str) else value for key, value in chosen.items()}
        for name, chosen in options.items()
    }
    tls = {reel.port for reel in tape.reels if reel.tls}
    return Recording(
        made=datetime.now(UTC).date().isoformat(),
        by=f"camera-registry {__version__}",
        origin="captured",
        probes=probes,
        ports={role: Port(number, number in tls) for number, role in roles.items()},
        exchanges=scrubbed,
        onvif_path=scrubber.text(onvif_path),
        login=bool(given.user),
        options=shown,
        clock_offset=clock_offset,
        notes={"media": "kept" if media else "no picture and no stream was kept; what stands for them is drawn anew"},
        redactions=dict(sorted(scrubber.counts.items())),
    )


def _roles(tape: Tape, ports: Mapping[str, int]) -> dict[int, str]:
    """What each port is called: as people named it, else by what was spoken there."""
    roles = {number: role for role, number in reversed(list(ports.items())) if number and role != "tcp"}
    for reel in tape.reels:
        if reel.port not in roles:
            first = next((passed.data for passed in reel.passed if passed.sent), b"")
            wanted = "rtsp" if b" RTSP/1" in first else "http" if first else "tcp"
            taken = sum(role.startswith(wanted) for role in roles.values())
            roles[reel.port] = f"{wanted}-{taken + 1}" if taken else wanted
    return {number: roles[number] for number in dict.fromkeys(reel.port for reel in tape.reels)}
