"""The clients that people use otherwise, each in a process of its own: it asks devices one by one and counts.

python -m bench.clients CLIENT FILE

CLIENT is a key of CLIENTS, FILE a JSON list of devices (host, port, user, password, uri). Prints a JSON list: for each
device null if the client got nowhere, else its seconds of processor time and by the clock. onvif-zeep changes the
process that imports it (logging, proxies), OpenCV and FFmpeg keep threads: nothing of that comes near what is measured.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SECONDS = 30
"""What one device may take; onvif-zeep itself would wait for ever."""

Device = Mapping[str, str]


def onvif_zeep(device: Device) -> bool:
    """A client, who it is, and where its stream and picture are, as in every example of that library."""
    from onvif import ONVIFCamera  # noqa: PLC0415 - importing it is part of what this client does to a process

    camera = ONVIFCamera(device["host"], int(device["port"]), device["user"], device["password"])
    camera.devicemgmt.GetDeviceInformation()
    media = camera.create_media_service()
    profile = media.GetProfiles()[0]
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token})
    media.GetSnapshotUri({"ProfileToken": profile.token})
    return True


def opencv(device: Device) -> bool:
    """The first frame of a stream."""
    import cv2  # noqa: PLC0415

    capture = cv2.VideoCapture(device["uri"], cv2.CAP_FFMPEG)
    got, _ = capture.read()
    capture.release()
    return bool(got)


def ffprobe(device: Device) -> bool:
    """What a stream is."""
    command = [os.environ["FFPROBE"], "-v", "error", "-rtsp_transport", "tcp", "-show_streams", "-of", "json"]
    done = subprocess.run([*command, device["uri"]], capture_output=True, text=True, check=False, timeout=SECONDS)
    return done.returncode == 0 and bool(json.loads(done.stdout)["streams"])


CLIENTS: Mapping[str, Callable[[Device], bool]] = {
    "onvif-zeep": onvif_zeep,
    "cv2.VideoCapture": opencv,
    "ffprobe": ffprobe,
}


def measure(client: Callable[[Device], bool], devices: list[Device]) -> list[tuple[float, float] | None]:
    """Processor and clock seconds for each device; the first one is asked twice, for what is loaded but once."""
    signal.signal(signal.SIGALRM, _too_late)
    found: list[tuple[float, float] | None] = []
    for device in (devices[0], *devices):
        cpu, begun = _used(), time.monotonic()
        signal.alarm(SECONDS)
        try:
            got = client(device)
        except Exception:  # noqa: BLE001 - whatever a client raises, it got nowhere
            got = False
        signal.alarm(0)
        found.append((_used() - cpu, time.monotonic() - begun) if got else None)
    return found[1:]


def _too_late(*_: object) -> None:
    raise TimeoutError


def _used() -> float:
    """Processor seconds of this process and of the children that ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    name, file = sys.argv[1:]
    print(json.dumps(measure(CLIENTS[name], json.loads(Path(file).read_text(encoding="utf-8")))))
