"""Still pictures for a whole fleet: real JPEG with a running clock and noise, at the price of joining bytes.

An encoder runs only when a scene is first asked for. Scenes are encoded with a restart marker after every block of
16 x 16 pixels (DRI, ITU-T T.81 B.2.4.4), which makes each block's bytes independent of its neighbours. So a picture is
put together from ready-made bytes: each row of blocks from one of several encodings that differ in sensor noise, and
over it the clock and the device's name, a ready-made block for each half of each letter.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from camera_registry.simulator.scene import Look, Picture, draw, noisy
from camera_registry.simulator.sizes import SIZES

BLOCK = 16
"""Pixels of one side of a block at 4:2:0."""
QUALITY = 75
TURNS = 4
"""Positions of the cars."""
NOISES = 3
"""Encodings of one position that differ in their noise; each row of blocks is taken from any of them."""
LETTERS = "0123456789-: abcdefghijklmnopqrstuvwxyz"
CLOCK_ROW = 1
TEXT_COLUMN = 1
"""Where the texts begin, in blocks; a letter is two blocks high."""
NAME_ROWS_FROM_BELOW = 4


class UnexpectedEncoder(Exception):
    """The JPEG encoder doesn't do what is asked of it; then no picture can be put together."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A JPEG in pieces. ``rows``: for each row of blocks, its blocks' bytes without restart markers."""

    head: bytes
    rows: tuple[tuple[bytes, ...], ...]


def encode(picture: Picture) -> Encoded:
    """Encode and take apart. Raises UnexpectedEncoder."""
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_RST_INTERVAL, 1]
    done, buffer = cv2.imencode(".jpg", picture, options)
    if not done:
        raise UnexpectedEncoder("OpenCV could not encode a JPEG")
    jpeg = buffer.tobytes()
    scan = jpeg.index(b"\xff\xda")
    begin = scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], "big")
    across, down = -(-picture.shape[1] // BLOCK), -(-picture.shape[0] // BLOCK)
    blocks = _split(jpeg[begin:-2])
    if len(blocks) != across * down or not jpeg.endswith(b"\xff\xd9"):
        raise UnexpectedEncoder(
            f"{len(blocks)} blocks between restart markers where {across * down} were expected; "
            f"OpenCV {cv2.__version__} was built with an encoder that has no 4:2:0 or no restart intervals"
        )
    return Encoded(jpeg[:begin], tuple(tuple(blocks[row * across : (row + 1) * across]) for row in range(down)))


def _split(scan: bytes) -> list[bytes]:
    """The scan at its restart markers, FFD0 to FFD7 (a data byte FF is followed by 00)."""
    blocks: list[bytes] = []
    begin = place = 0
    while (place := scan.find(b"\xff", place)) >= 0:
        if 0xD0 <= scan[place + 1] <= 0xD7:
            blocks.append(scan[begin:place])
            begin = place + 2
        place += 2
    blocks.append(scan[begin:])
    return blocks


_MARKERS = tuple(bytes((0xFF, 0xD0 + number)) for number in range(8))
"""The restart markers."""
END = b"\xff\xd9"


class Still:
    """One scene with one look, ready to be put together."""

    def __init__(self, variant: int, look: Look) -> None:
        width, height = SIZES[1]
        self._across, self._down = -(-width // BLOCK), -(-height // BLOCK)
        self._head = b""
        self._rows: list[list[tuple[bytes, ...]]] = []
        """By turn, by noise, by row: the row's bytes with markers."""
        self._encodings: list[list[Encoded]] = []
        self._tails: dict[tuple[int, int, int, int], bytes] = {}
        for turn in range(TURNS):
            picture = draw(variant, look, width, height, turn / TURNS)
            encodings = [encode(noisy(picture, look, 10 * turn + noise)) for noise in range(NOISES)]
            self._encodings.append(encodings)
            self._rows.append([tuple(self._marked(each, row, 0) for row in range(self._down)) for each in encodings])
            self._head = encodings[0].head

    def picture(self, clock: str, name: str, rng: random.Random) -> bytes:
        """A JPEG of this moment with both texts burnt in; they may hold digits, small letters, ``-``, ``:``, blanks."""
        turn, noise = rng.randrange(TURNS), rng.randrange(NOISES)
        rows = [noisy[row] for row, noisy in enumerate(rng.choices(self._rows[turn], k=self._down))]
        for at, text in ((CLOCK_ROW, clock), (self._down - NAME_ROWS_FROM_BELOW, name)):
            for half in (0, 1):
                rows[at + half] = self._with_text(turn, noise, at + half, half, text)
        # The last block has no marker behind it, but the end of the picture.
        return b"".join((self._head, *rows))[:-2] + END

    def _with_text(self, turn: int, noise: int, row: int, half: int, text: str) -> bytes:
        """A row of blocks with one half of a text over it."""
        first = row * self._across
        plain = self._encodings[turn][noise].rows[row][:TEXT_COLUMN]
        cells = [*plain, *(_letters()[letter][half] for letter in text)][: self._across]
        key = (turn, noise, row, len(cells))
        if key not in self._tails:
            self._tails[key] = self._marked(self._encodings[turn][noise], row, len(cells))
        marked = [cell + _MARKERS[(first + place) & 7] for place, cell in enumerate(cells)]
        return b"".join((*marked, self._tails[key]))

    def _marked(self, encoded: Encoded, row: int, begin: int) -> bytes:
        """The blocks of a row from column ``begin`` on, each with its marker; they count modulo 8 over the picture."""
        first = row * self._across
        blocks = encoded.rows[row]
        return b"".join(blocks[place] + _MARKERS[(first + place) & 7] for place in range(begin, self._across))


@cache
def _letters() -> dict[str, tuple[bytes, bytes]]:
    """Each letter as an upper and a lower block, white on black."""
    canvas = np.zeros((2 * BLOCK, len(LETTERS) * BLOCK, 3), np.uint8)
    for place, letter in enumerate(LETTERS):
        cell = np.zeros((2 * BLOCK, BLOCK, 3), np.uint8)
        cv2.putText(cell, letter, (1, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.68, (235, 235, 235), 2, cv2.LINE_AA)
        canvas[:, place * BLOCK : (place + 1) * BLOCK] = cell
    upper, lower = encode(canvas).rows
    return {letter: (upper[place], lower[place]) for place, letter in enumerate(LETTERS)}


@cache
def still_of(variant: int, look: Look) -> Still:
    """What this scene looks like, drawn and encoded when first asked for (about 0.1 s of CPU)."""
    return Still(variant, look)
