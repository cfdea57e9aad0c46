"""The table of probes. With a module in ``probes/``, an entry here is all that a new probe needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_registry.model.health import Aspect


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """What the rest of the house must know of a probe.

    ``module`` holds ``async def probe(target, options, context)``. ``port`` names the port in ``Target.ports``.
    ``aspects`` are those it feeds; the first is what its own success or failure speaks of (none: only reach).
    ``per_channel``: it measures a channel, not the device. ``needs`` is a field of the device file without which it is
    asked only where the register names the probe. ``place`` is the field of a channel that says where to ask,
    ``told`` the fact by which another probe, one that ``tells`` it, says so where the register does not. ``options``
    are what it is always asked. ``costly``: it takes more of a device or a line than a look, so that neither its kind
    nor its site has it asked more often. ``interval`` and ``timeout`` are seconds, if the settings say nothing else.
    """

    module: str
    port: str
    aspects: tuple[Aspect, ...] = ()
    per_channel: bool = False
    needs: str = ""
    place: str = ""
    told: str = ""
    tells: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    costly: bool = False
    interval: float = 60.0
    timeout: float = 5.0


PROBES: Mapping[str, ProbeKind] = {
    "tcp": ProbeKind("probes.tcp", port="tcp"),
    "icmp": ProbeKind("probes.icmp", port=""),
    "onvif": ProbeKind(
        "probes.onvif",
        port="onvif",
        aspects=(Aspect.CONTROL, Aspect.CLOCK, Aspect.IDENTITY),
        tells=("stream_uri", "snapshot_uri"),
        timeout=8,
    ),
    "rtsp": ProbeKind(
        "probes.rtsp",
        port="rtsp",
        aspects=(Aspect.STREAM,),
        per_channel=True,
        place="rtsp_path",
        told="stream_uri",
        timeout=8,
    ),
    "snapshot": ProbeKind(
        "probes.snapshot",
        port="http",
        aspects=(Aspect.PICTURE,),
        per_channel=True,
        place="snapshot_path",
        told="snapshot_uri",
        costly=True,
        interval=900,
        timeout=10,
    ),
    "key_frame": ProbeKind(
        "probes.rtsp",
        port="rtsp",
        aspects=(Aspect.PICTURE,),
        per_channel=True,
        place="rtsp_path",
        told="stream_uri",
        options={"picture": True},
        costly=True,
        interval=900,
        timeout=15,
    ),
    "recording": ProbeKind(
        "probes.recording",
        port="onvif",
        aspects=(Aspect.RECORDING,),
        costly=True,
        interval=900,
        timeout=20,
    ),
    "tls": ProbeKind("probes.tls", port="tls", aspects=(Aspect.CONTROL, Aspect.IDENTITY), costly=True, interval=300),
    "http": ProbeKind("probes.http", port="http", aspects=(Aspect.CONTROL,), needs="http_path"),
    "snmp": ProbeKind("probes.snmp", port="snmp", aspects=(Aspect.CONTROL,)),
}
"""Reach is fed by the first of these that a device is asked, other aspects by all that name them (`rules.opinions`).
Whichever sees a certificate feeds identity too."""
