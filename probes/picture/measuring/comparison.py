"""This file compares a picture with a reference of the same view: registered first, then structure tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from probes.picture.measuring import light, pattern, registration, sharpness
from probes.picture.measuring.sheet import TILES, Mask, Plane, Sheet, share, tiles

_TEXTURED = 3.0
"""Root mean square of middle structure, in levels, from which on a tile has something that can go missing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sheet with what every comparison needs of it."""

    sheet: Sheet
    edges: Plane
    bands: tuple[Plane, Plane, Plane]
    means: Plane
    channels: Plane
    noise: float
    clear_tiles: Plane


def prepare(sheet: Sheet, noise: float) -> Prepared:
    return Prepared(
        sheet,
        registration.structure(sheet.half),
        sharpness.bands(sheet.luma),
        tiles(sheet.luma),
        light.channel_tiles(sheet),
        noise,
        tiles(sheet.clear.astype(np.float32)),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """``measures`` of the whole, and ``tiles``: where, row by row of the tile map, "1" for a tile that is concerned."""

    measures: dict[str, float]
    tiles: dict[str, tuple[str, ...]]


def compare(ours: Prepared, theirs: Prepared) -> Change:
    """What has changed from ``theirs``, the reference, to ``ours``; ``tiles`` shows ``hidden`` and ``patchy`` ones.

    displacement, agreement, still_agreement: see ``registration.Registration``.
    gain: median ratio of brightness, tile by tile. contrast: by how much the coarse pattern of light is stretched
    (1 as before), contrast_fit: its correlation, spread: ratio of its deviations.
    cast: change of blue (``blue``) and red (``red``) against green as a log ratio, all that is not mere paleness;
    cast_share: share of the tiles that changed that way, cast_tiles: share that could be told.
    bands: swing of the brightness over the height, as a log ratio, seen in all three thirds of the width.

    Only where the view stands still, as shares of the tiles that had structure and could be told (``textured``):
    sharpness, middle_sharpness: median ratio of fine, and of middle to coarse structure, against the reference's.
    structure, structure_high: ratio of structure to the reference's, median and upper quartile. weak: less than 0.55 of
    the latter. hidden: weak and not alike; hidden_dark: of these, those that have not become brighter. foreign: not
    alike. patchy: weaker than the tiles around; patchy_dark: of these, those that have not become brighter; ``_parts``
    parts: how many connected ones there are, patch: the largest. local: median correlation of the edges in a tile.
    """
    moved = registration.register(
        ours.sheet, theirs.sheet, ours.edges, theirs.edges, features=not _hopeless(ours) and not _hopeless(theirs)
    )
    found = {
        "displacement": moved.displacement,
        "agreement": moved.agreement,
        "still_agreement": moved.before,
        "matches": float(moved.matches),
    }
    means, channels, bands = theirs.means, theirs.channels, theirs.bands
    found |= _light(ours, means) | _cast(ours.channels, channels)
    if moved.displacement > 0.03:
        return Change(found, {})
    structure, maps = _structure(ours, theirs, bands, moved)
    found |= structure | {"bands": _bands(ours.sheet, theirs.sheet)}
    return Change(found, {name: _rows(mask) for name, mask in maps.items()})


def _rows(mask: Mask) -> tuple[str, ...]:
    return tuple("".join("01"[tile] for tile in row) for row in mask.astype(int).tolist())


def _hopeless(one: Prepared) -> bool:
    """Whether there is too little structure for features to be found."""
    return float(one.bands[1].mean()) < 1.5


def _light(ours: Prepared, means: Plane) -> dict[str, float]:
    a, b = means.ravel(), ours.means.ravel()
    a_off, b_off = a - a.mean(), b - b.mean()
    slope = float(np.dot(a_off, b_off) / (np.dot(a_off, a_off) + 1e-6))
    fit = float(np.dot(a_off, b_off) / (np.sqrt(float(np.dot(a_off, a_off)) * float(np.dot(b_off, b_off))) + 1e-6))
    return {
        "gain": float(np.median((b + 2) / (a + 2))),
        "contrast": slope,
        "contrast_fit": fit,
        "spread": float(b.std() / max(a.std(), 1.0)),
    }


def _cast(ours: Plane, theirs: Plane) -> dict[str, float]:
    change = (ours - theirs).reshape(-1, 2)
    told = ~np.isnan(change).any(axis=1)
    change = change[told]
    if len(change) < 12:
        return {"blue": 0.0, "red": 0.0, "cast": 0.0, "cast_share": 0.0}
    # Haze and rain pull all colours towards grey, in proportion to their colour; only what is left is a cast.
    coloured = theirs.reshape(-1, 2)[told]
    away = coloured - coloured.mean(axis=0)
    paler = float((away * (change - change.mean(axis=0))).sum() / ((away**2).sum() + 0.02 * len(change)))
    change = change - min(0.0, max(-1.0, paler)) * coloured
    blue, red = np.median(change, axis=0)
    size = float(np.hypot(blue, red))
    along = change @ (np.array((blue, red)) / max(size, 1e-6))
    return {
        "blue": float(blue),
        "red": float(red),
        "cast": size,
        "cast_share": float(np.count_nonzero(along > 0.5 * size)) / len(change),
        "cast_tiles": len(change) / (TILES[0] * TILES[1]),
    }


def _structure(
    ours: Prepared, theirs: Prepared, bands: tuple[Plane, Plane, Plane], moved: registration.Registration
) -> tuple[dict[str, float], dict[str, Mask]]:
    our = [
        np.maximum(band - part * ours.noise**2, 1e-3)
        for band, part in zip(ours.bands, sharpness.BAND_NOISE, strict=True)
    ]
    their = [
        np.maximum(band - part * theirs.noise**2, 1e-3) for band, part in zip(bands, sharpness.BAND_NOISE, strict=True)
    ]
    outside = np.minimum(ours.clear_tiles, theirs.clear_tiles) > 0.9
    seen = (ours.means > 18) & (ours.means < 246)
    textured = outside & (np.sqrt(their[1]) > _TEXTURED * 0.6) & (np.sqrt(their[0]) > 1.2 * theirs.noise)
    told = textured & (theirs.means > 18) & (theirs.means < 246)
    # The light may have changed: contrast of a tile is held against how the whole picture's structure has changed.
    found: dict[str, float] = {"textured": share(told)}
    if np.count_nonzero(told) < 10:
        return found, {}
    middle = np.sqrt((our[1] + our[2]) / (their[1] + their[2]))
    fine = np.sqrt((our[0] / our[2]) / (their[0] / their[2]))
    medium = np.sqrt((our[1] / our[2]) / (their[1] / their[2]))
    good = told & seen
    if np.count_nonzero(good) >= 8:
        found |= {
            "sharpness": float(np.median(fine[good])),
            "middle_sharpness": float(np.median(medium[good])),
        }
    usual = float(np.percentile(middle[told], 75))
    local = _local_correlation(ours.edges, theirs.edges, moved)
    lit = np.log((ours.means + 4) / (theirs.means + 4))
    lit = lit - np.median(lit)
    weaker = middle < 0.55 * max(usual, 0.4)
    hidden = told & weaker & (local < 0.6)
    # Dirt is patchy: a tile is held against those around it, so that haze, which grows with the distance, is not dirt.
    log = np.log(np.maximum(middle, 0.02)).astype(np.float32)
    weight = told.astype(np.float32)
    around = cv2.blur(log * weight, (5, 5)) / np.maximum(cv2.blur(weight, (5, 5)), 1e-3)
    patches = told & (log - around < -0.3) & (middle < 0.75 * max(usual, 0.4))
    found |= (
        {
            "structure": float(np.median(middle[told])),
            "structure_high": usual,
            "weak": share(told & weaker) / share(told),
            "hidden": share(hidden) / share(told),
            "hidden_dark": share(hidden & (lit < 0.35)) / share(told),
            "foreign": share(told & (local < 0.6)) / share(told),
            "patchy": share(patches) / share(told),
            "patchy_dark": share(patches & (lit < 0.25)) / share(told),
            "local": float(np.median(local[told])),
        }
        | _parts(hidden, told, "hidden_")
        | _parts(patches, told, "patchy_")
    )
    return found, {"hidden": hidden, "patchy": patches}


def _local_correlation(ours: Plane, theirs: Plane, moved: registration.Registration) -> Plane:
    """Correlation of the edges of each tile, after registration."""
    height, width = ours.shape
    if moved.displacement > 0:
        theirs = np.asarray(
            cv2.warpAffine(theirs, moved.matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), dtype=np.float32
        )
    a, b = tiles(ours), tiles(theirs)
    product = tiles(cv2.multiply(ours, theirs)) - a * b
    ours_spread = np.maximum(tiles(cv2.multiply(ours, ours)) - a * a, 1e-4)
    spread = np.sqrt(ours_spread * np.maximum(tiles(cv2.multiply(theirs, theirs)) - b * b, 1e-4))
    return np.asarray(product / spread, dtype=np.float32)


def _parts(gone: Mask, told: Mask, name: str) -> dict[str, float]:
    """The largest connected part of these tiles, as a share of those told, and how many parts there are."""
    count, labels = cv2.connectedComponents(gone.astype(np.uint8), connectivity=4)
    sizes = np.bincount(labels.ravel(), minlength=count)[1:]
    return {
        f"{name}patch": float(sizes.max() / np.count_nonzero(told)) if len(sizes) else 0.0,
        f"{name}parts": float(len(sizes)),
    }


def _bands(ours: Sheet, theirs: Sheet) -> float:
    """Bands across the picture that the reference has not: their least swing in the three thirds of the width."""
    swings = []
    profiles = []
    for n in range(3):
        rows = []
        for sheet in (ours, theirs):
            width = sheet.shape[1]
            part = sheet.luma[:, n * width // 3 : (n + 1) * width // 3].mean(axis=1)
            rows.append(np.interp(np.linspace(0, 1, 90), np.linspace(0, 1, len(part)), part))
        profile = np.log((rows[0] + 8) / (rows[1] + 8)).astype(np.float32)
        profiles.append(profile)
        swings.append(pattern.bands_of(profile))
    alike = min(registration.correlation(profiles[0], profiles[n]) for n in (1, 2))
    return min(swings) * max(0.0, alike)
