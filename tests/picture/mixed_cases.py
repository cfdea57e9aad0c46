"""Cases of one scene by the laws of ``mixed``, with the causes that are right for each; and healthy ones beside them.

The scenes, the camera, its clock and its references are those of ``other_cases``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import av
import cv2
import numpy as np

from tests.picture import mixed, other_cases, worn
from tests.picture.camera import Case, Light
from tests.picture.cases import NOON, SEVERITIES, Scene
from tests.picture.weather import _glow

_PACKET = 1380
"""Bytes of a stream that go with one lost packet."""
_NIGHT = NOON.replace(hour=2)
_SCREENS = ("blue_logo", "camera_sign", "checkered", "connecting", "framed", "smpte")
RIGHT: dict[str, frozenset[str]] = {
    **{kind: right for kind, (_, right) in (mixed.LENS | mixed.AT_NIGHT).items()},
    **{kind: right for kind, (_, right) in (worn.LENS | worn.SENSOR | worn.WIRE).items()},
    "parallax": frozenset({"moved"}),
    "lost_packets": frozenset({"corrupt"}),
    **{screen: frozenset({"no_signal"}) for screen in _SCREENS},
    **{screen: right for screen, (_, right) in worn.SCREENS.items()},
}
"""The causes that are right, by the kind of a case."""


def cases(scene: Scene) -> Iterator[Case]:
    """Every case of this scene; the same ones each time."""
    yield from _Maker(scene).all()


class _Maker(other_cases._Maker):
    def all(self) -> Iterator[Case]:
        camera, random = self._camera, self._random
        for severity, strength in SEVERITIES.items():
            for kind, (law, _) in mixed.LENS.items():
                light = law(self._light(), strength, random)
                yield self._of(kind, severity, camera.take(light, NOON, random, random.uniform(0.85, 1.15)))
            yield self._of("parallax", severity, camera.take(self._aside(strength), NOON, random))
            yield self._of("lost_packets", severity, camera.code(self._received(strength)))
        for kind in _SCREENS:
            shown = screen(kind, self._size)
            yield self._of(kind, "severe", camera.code(camera.burn_in(shown, NOON)))
        yield from self._worn()
        yield from self._night()

    def _worn(self) -> Iterator[Case]:
        # Chance of their own: what follows stays as it was before there were any of these.
        camera, kept = self._camera, self._random
        random = self._random = np.random.default_rng(zlib.crc32(b"worn" + self._scene.name.encode()))
        for severity, strength in SEVERITIES.items():
            for kind, (law, _) in worn.LENS.items():
                light = law(self._light(), strength, random)
                yield self._of(kind, severity, camera.take(light, NOON, random, random.uniform(0.85, 1.15)))
            for kind, (law, _) in worn.SENSOR.items():
                levels = law(camera.expose(self._light(), random), strength, random)
                yield self._of(kind, severity, camera.code(camera.burn_in(levels, NOON)))
            for kind, (law, _) in worn.WIRE.items():
                levels = law(camera.burn_in(camera.expose(self._light(), random), NOON), strength, random)
                yield self._of(kind, severity, camera.code(levels))
        for kind, (draw, _) in worn.SCREENS.items():
            shown = draw(self._size, random)
            yield self._of(kind, "severe", camera.code(camera.burn_in(shown, NOON)))
        self._random = kept

    def _night(self) -> Iterator[Case]:
        """Under the camera's own lamp, with references of such nights."""
        random = self._random
        self._camera = camera = replace(self._camera, mono=True)
        self._reference_at = [_NIGHT - timedelta(days=2 + n, minutes=41 * n, seconds=17 * n) for n in range(3)]
        self._references = tuple(camera.take(self._lamplit(), at, random, noise=2.0) for at in self._reference_at)
        for severity, strength in SEVERITIES.items():
            for kind, (law, _) in mixed.AT_NIGHT.items():
                frame = camera.take(law(self._lamplit(), strength, random), _NIGHT, random, noise=2.0)
                yield self._of(kind, severity, frame, at_night=True)
        for n in range(3):
            frame = camera.take(self._lamplit(), _NIGHT, random, random.uniform(0.8, 1.2), noise=2.0)
            yield self._case("", "lamplit", f"{n}", [frame], [_NIGHT])

    def _of(self, kind: str, severity: str, frame: bytes, *, at_night: bool = False) -> Case:
        (first, *_) = sorted(RIGHT[kind])
        return self._case(first, kind, severity, [frame], [_NIGHT if at_night else NOON])

    def _lamplit(self) -> Light:
        grey = self._light() @ np.array((0.3, 0.3, 0.4), np.float32)
        lamp = _glow(grey.shape, 0.5, 0.6, 0.5)
        return np.repeat((grey * lamp * np.float32(0.9))[:, :, None], 3, axis=2)

    def _aside(self, severity: float) -> Light:
        """The mast has been hit: the camera looks from elsewhere, near things have gone further than far ones."""
        random = self._random
        reach = 0.08 * 4**severity * random.choice((-1, 1))
        turn = random.uniform(1, 4) * random.choice((-1, 1))
        far, near = (self._seen(self._lights[-1], x=reach * part, turn=turn) for part in (0.6, 1.0))
        share = np.linspace(0, 1, far.shape[0], dtype=np.float32)[:, None, None]
        share = (share > 0.55).astype(np.float32)
        return np.asarray(far * (1 - share) + near * share, dtype=np.float32)

    def _received(self, severity: float) -> Light:
        """A picture of a stream that has lost packets for some frames, as a decoder conceals it."""
        random, camera = self._random, self._camera
        light, frames = self._light(), 12
        shift = random.uniform(-3, 3, 2)
        pictures = []
        for n in range(frames):
            matrix = np.array(((1, 0, 0.3 * shift[0] * n), (0, 1, 0.3 * shift[1] * n)), np.float64)
            warped = cv2.warpAffine(light, matrix, self._size, borderMode=cv2.BORDER_REFLECT)
            moved = np.asarray(warped, dtype=np.float32)
            at = NOON + timedelta(seconds=n / 5)
            pictures.append(np.clip(camera.burn_in(camera.expose(moved, random), at), 0, 255).astype(np.uint8))
        packets = _coded(pictures)
        lost = 0.12 * 4**severity
        while True:
            broken = [b"".join(_lossy(packet, lost, random)) if n else packet for n, packet in enumerate(packets)]
            shown = _shown(broken, pictures[0])
            if lost >= 1 or _differs(shown, pictures[-1]) > 0.02 + 0.15 * severity:
                return shown
            lost *= 1.3


def _differs(shown: Light, sent: np.ndarray) -> float:
    """Share of the macroblocks that show something else than was sent."""
    apart = cv2.absdiff(shown, sent.astype(np.float32)).mean(axis=2)
    blocks = cv2.resize(apart, (apart.shape[1] // 16, apart.shape[0] // 16), interpolation=cv2.INTER_AREA)
    return float(np.count_nonzero(blocks > 25) / blocks.size)


def _coded(pictures: list[np.ndarray]) -> list[bytes]:
    height, width = pictures[0].shape[:2]
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
    coder.time_base = Fraction(1, 5)
    coder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "crf": "26",
        "x264-params": "slice-max-size=1300:keyint=60",
    }
    packets = [
        bytes(packet)
        for picture in pictures
        for packet in coder.encode(av.VideoFrame.from_ndarray(picture, format="bgr24"))
    ]
    return packets + [bytes(packet) for packet in coder.encode(None)]


def _lossy(packet: bytes, share: float, random: np.random.Generator) -> Iterator[bytes]:
    """What arrives: each slice went in packets of its own, and is lost as a whole."""
    for slice_ in packet.split(b"\x00\x00\x01")[1:]:
        if random.random() >= share * max(1, len(slice_) / _PACKET):
            yield b"\x00\x00\x01" + slice_


def _shown(packets: list[bytes], whole: np.ndarray) -> Light:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = {"flags": "+output_corrupt"}
    shown = whole
    for packet in packets:
        if not packet:
            continue
        try:
            for frame in decoder.decode(av.Packet(packet)):
                shown = frame.to_ndarray(format="bgr24")
        except av.error.FFmpegError:
            continue
    return shown.astype(np.float32)


def screen(kind: str, size: tuple[int, int]) -> Light:
    """What recorders and encoders show without a signal, drawn in the manner of several makers."""
    width, height = size
    shown = np.full((height, width, 3), 40, np.uint8)
    middle = width // 2, height // 2
    if kind == "camera_sign":
        shown[:] = (24, 22, 20)
        cv2.rectangle(
            shown, (width * 42 // 100, height * 42 // 100), (width * 54 // 100, height * 56 // 100), (140, 140, 140), 3
        )
        cv2.line(
            shown, (width * 40 // 100, height * 60 // 100), (width * 60 // 100, height * 38 // 100), (60, 60, 220), 4
        )
    elif kind == "checkered":
        y, x = np.mgrid[0:height, 0:width] // max(8, height // 12)
        shown[(y + x) % 2 == 0] = 70
    elif kind == "framed":
        shown[:] = (90, 60, 30)
        cv2.rectangle(shown, (width // 10, height // 10), (width * 9 // 10, height * 9 // 10), (160, 130, 90), 2)
        _write(shown, "Camera offline", 0.5)
    elif kind == "smpte":
        colours = ((192, 192, 192), (0, 192, 192), (192, 192, 0), (0, 192, 0), (192, 0, 192), (0, 0, 192), (192, 0, 0))
        for n, colour in enumerate(colours):
            left, right = n * width // 7, (n + 1) * width // 7
            shown[: height * 2 // 3, left:right] = colour
            shown[height * 2 // 3 : height * 3 // 4, left:right] = colours[-1 - n] if n % 2 == 0 else (19, 19, 19)
        shown[height * 3 // 4 :] = (19, 19, 19)
        shown[height * 3 // 4 :, width // 6 : width // 3] = 255
    elif kind == "blue_logo":
        shown[:] = (170, 40, 10)
        for n in range(3):
            cv2.circle(shown, middle, height // 10 + n * height // 20, (255, 255, 255), 2, cv2.LINE_AA)
        _write(shown, "NO VIDEO", 0.8)
    elif kind == "connecting":
        shown[:] = 0
        _write(shown, "Connecting... 3", 0.5)
    return shown.astype(np.float32)


def _write(shown: np.ndarray, text: str, down: float) -> None:
    height, width = shown.shape[:2]
    at = width // 4, round(height * down)
    cv2.putText(shown, text, at, cv2.FONT_HERSHEY_SIMPLEX, height / 350, (225, 225, 225), 2, cv2.LINE_AA)
