"""This file measures one picture: pure functions of arrays, in units that a policy can be written in.

A picture is an array of height x width x 3 bytes, blue-green-red as OpenCV decodes it. Luminance is that of ITU-R
BT.601 (what JPEG itself stores), 0 (black) to 255 (white). Shares are 0 to 1. Nothing here knows what is bad.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

BLOCK = 8
"""Edge of a block in pixels."""
CLIPPED_BELOW, CLIPPED_ABOVE = 16, 239
"""Where every channel is beyond these, a healthy sensor clips and shows no noise (BT.601: black 16, white 235)."""
TEST_CARD_COLOURS = 8
"""Colour bars have at most this many colours (SMPTE ECR 1: seven bars and black)."""
APART = 12
"""Colours of a test card differ by more than this in some channel; shades of a compressed sky do not."""
LEAST_JUDGED = 2 / 3
"""At least this share of all blocks is the whole that ``flat_share`` is a share of."""


def measure(picture: Picture) -> dict[str, float]:
    """Everything this file can say of one picture, by the names used in facts.

    ``luma_p95`` is the level that 95 % of the pixels do not exceed; ``deviation`` is the standard deviation of the
    luminance over the picture.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    levels = np.arange(256)
    mean = float(np.average(levels, weights=counts))
    reached = np.cumsum(counts) / counts.sum()
    return {
        "mean_luma": round(mean, 2),
        "luma_p5": float(np.searchsorted(reached, 0.05)),
        "luma_p50": float(np.searchsorted(reached, 0.50)),
        "luma_p95": float(np.searchsorted(reached, 0.95)),
        "deviation": round(float(np.sqrt(np.average((levels - mean) ** 2, weights=counts))), 2),
        # A block of one colour is one of one luminance.
        "flat_share": round(flat_share(picture), 4) if flat_blocks(grey) else 0.0,
        "dominant_share": round(dominant_share(picture), 4),
        "saturation": round(saturation(picture), 4),
    }


def flat_share(picture: Picture) -> float:
    """Share of the blocks that hold one colour exactly, as a generated picture does and a sensor never does. 0 to 1.

    Four things are kept out. Compression flattens single JPEG blocks: the grid lies half a block off theirs, so that
    each block here spans four of them. Sensors clip: black and white blocks never count (a picture that is all black
    shows in ``luma_p95``). Coarse compression turns a smooth wall into flat steps: shades close to each other speak
    against a generated picture, and a test card has few colours. An edge hides noise: blocks with one are left out of
    the whole, unless too little would be left to judge by.
    """
    darkest, brightest = (reached.reshape(-1, 3) for reached in _reach(picture))
    blocks = len(darkest)
    if blocks == 0:
        return 0.0
    contrast = (brightest - darkest).max(axis=1)
    clipped = (brightest < CLIPPED_BELOW).all(axis=1) | (darkest > CLIPPED_ABOVE).all(axis=1)
    without_edge = int(np.count_nonzero(contrast <= APART))
    judged = max(without_edge, blocks * LEAST_JUDGED)
    return max(0, _test_card_blocks(darkest[(contrast == 0) & ~clipped])) / judged


def flat_blocks(grey: Picture) -> float:
    """Share of the same blocks that hold one luminance. 0 to 1."""
    darkest, brightest = _reach(grey)
    return float(np.count_nonzero(darkest == brightest)) / max(1, darkest.size)


def _reach(picture: Picture) -> tuple[Picture, Picture]:
    """The least and the most of each channel in each block of a grid that lies half a block off."""
    off = picture[BLOCK // 2 :, BLOCK // 2 :]
    rows, columns = (side // BLOCK * BLOCK for side in off.shape[:2])
    lines = off[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns, *picture.shape[2:])
    least, most = np.minimum.reduce(lines, axis=1), np.maximum.reduce(lines, axis=1)
    return (
        np.minimum.reduce([least[:, n::BLOCK] for n in range(BLOCK)]),
        np.maximum.reduce([most[:, n::BLOCK] for n in range(BLOCK)]),
    )


def _test_card_blocks(colours: Picture) -> int:
    """How many of these blocks are in a few colours well apart, less those in shades close to one of them."""
    if len(colours) == 0:
        return 0
    found, counts = np.unique(colours, axis=0, return_counts=True)
    taken: list[NDArray[np.int16]] = []
    blocks = 0
    for index in np.argsort(counts)[::-1]:
        colour = found[index].astype(np.int16)
        if any(int(np.abs(colour - other).max()) <= APART for other in taken):
            blocks -= int(counts[index])
        elif len(taken) < TEST_CARD_COLOURS:
            taken.append(colour)
            blocks += int(counts[index])
    return blocks


def dominant_share(picture: Picture) -> float:
    """Share of the pixels in the most common of 4,096 colours (16 steps a channel), of one pixel in four. 0 to 1."""
    # Five bits a channel in one word, of which the lowest is left out.
    words = cv2.cvtColor(picture, cv2.COLOR_BGR2BGR555).view(np.uint16)[::2, ::2, 0]
    codes = words & 0b0_11110_11110_11110
    return float(np.bincount(codes.ravel()).max()) / codes.size


def saturation(picture: Picture) -> float:
    """Mean saturation of the HSV model: 0 (grey, infrared) to 1 (pure colours)."""
    return float(cv2.mean(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))[1]) / 255


def thumbnail(picture: Picture, width: int) -> bytes:
    """The picture as a JPEG at most ``width`` pixels wide: evidence for people, never enlarged."""
    height, given = picture.shape[:2]
    if given > width:
        size = (width, max(1, round(height * width / given)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    written, jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 80))
    if not written:
        raise ValueError("the thumbnail could not be encoded")
    return jpeg.tobytes()
