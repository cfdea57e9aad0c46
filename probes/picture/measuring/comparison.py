"""This file compares a picture with a reference of the same view: registered first, then structure tile by tile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from probes.picture.measuring import colours, light, pattern, registration, sharpness, whitening
from probes.picture.measuring.sheet import (
    SPOTS,
    TILES,
    Mask,
    Plane,
    Sheet,
    median,
    parts,
    percentile,
    percentiles,
    rows,
    share,
    tiles,
)

_TEXTURED = 3.0
"""Root mean square of middle structure, in levels, from which on a tile has something that can go missing."""

_CLEAR = 0.9
"""Share of a tile that must be free of text."""

_SOFT = 0.83
"""Ratio of middle to coarse structure, against the reference's, below which a tile has lost its sharpness."""

_BY_CHANCE = 0.12
"""Agreement of the edges after a movement that means nothing."""
_SWING, _ONE_SINE = 0.06, 0.5
"""Swing of bands from which on it is asked whether they are even; share of it that lies in one sine, where they are."""
_SPOTS_A_TILE = SPOTS[1] // TILES[1], SPOTS[0] // TILES[0]

_SAME_VIEW, _LEAST_REST = 0.8, 8
"""Median correlation of the edges in a tile, from which on two references show one view where nothing is missing; how
many tiles that must be."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What every comparison needs of a sheet, some 0.8 MB; the sheet itself is no part of it."""

    half: Plane
    profiles: Plane
    edges: _Textured
    bands: tuple[Plane, Plane, Plane]
    means: Plane
    channels: Plane
    noise: float
    clear: Mask
    fine: _Textured
    spots: tuple[Plane, Plane, Plane]
    spot_means: Plane


@dataclass(frozen=True, slots=True)
class _Textured:
    """A plane, and of each of its tiles the mean and the mean square."""

    plane: Plane
    size: tuple[int, int]
    means: Plane
    squares: Plane

    @classmethod
    def of(cls, plane: Plane, size: tuple[int, int]) -> _Textured:
        return cls(plane, size, tiles(plane, size), tiles(cv2.multiply(plane, plane), size))

    def moved(self, by: registration.Registration, border: int) -> _Textured:
        """The same after a movement; ``border``: how OpenCV fills what was not seen."""
        if by.displacement == 0:
            return self
        height, width = self.plane.shape
        plane = cv2.warpAffine(self.plane, by.matrix, (width, height), borderMode=border)
        return _Textured.of(np.asarray(plane, dtype=np.float32), self.size)


def prepare(sheet: Sheet, noise: float) -> Prepared:
    spots = sharpness.bands(sheet.luma, SPOTS)
    return Prepared(
        sheet.half,
        sheet.profiles,
        _Textured.of(registration.structure(sheet.half), TILES),
        (tiles(spots[0]), tiles(spots[1]), tiles(spots[2])),
        sheet.means,
        light.channel_tiles(sheet),
        noise,
        tiles(sheet.clear_spots) > _CLEAR,
        _Textured.of(_texture(sheet.half), SPOTS),
        spots,
        sheet.spot_means,
    )


def _texture(half: Plane) -> Plane:
    """Structure of about 2 to 6 pixels of the sheet."""
    fine, coarse = cv2.GaussianBlur(half, (3, 3), 0.7), cv2.GaussianBlur(half, (9, 9), 2.2)
    return np.asarray(cv2.subtract(fine, coarse), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Places:
    """Some of the tiles of a picture, and some of its small ones."""

    tiles: Mask
    spots: Mask


@dataclass(frozen=True, slots=True)
class Change:
    """``measures`` of the whole, and ``tiles``: where, row by row of the tile map, "1" for a tile that is concerned.
    ``missing``: where structure of the reference is gone from a place that is lit, while the rest is as it was; None
    where that can't be told."""

    measures: dict[str, float]
    tiles: dict[str, tuple[str, ...]]
    missing: Places | None = None


def passing(known: Prepared, others: Iterable[Prepared]) -> Places | None:
    """Where ``known``, a reference, shows what was there for a time only: another one, in which the rest of the view is
    as it is here, has nothing of it. None: nothing of the kind is known."""
    found: Places | None = None
    for other in others:
        here = compare(other, known).missing
        if here is None:
            continue
        found = here if found is None else Places(found.tiles | here.tiles, found.spots | here.spots)
    return found if found is not None and (found.tiles.any() or found.spots.any()) else None


def compare(ours: Prepared, theirs: Prepared, besides: Places | None = None) -> Change:
    """What has changed from ``theirs``, the reference, to ``ours``; ``tiles`` shows ``hidden`` and ``patchy`` ones.
    ``besides``: what of the reference is no part of the view, and can't go missing.

    displacement, agreement, still_agreement: see ``registration.Registration``.
    gain: median ratio of brightness, tile by tile; gain_low, gain_high: 20th and 80th percentiles. contrast: by how
    much the coarse pattern of light is stretched (1 as before), contrast_fit: its correlation, spread: ratio of its
    deviations.
    cast: change of blue (``blue``) and red (``red``) against green as a log ratio, all that is not mere paleness;
    cast_share: share of the tiles that changed that way, cast_tiles: share that could be told. cast_to_grey: how much
    its direction is that from the view's own colour to grey (1: exactly; 0 where it goes beyond grey). pink: share of
    the tiles that have turned so. turned: how much better all colours follow from the reference's by one turn of their
    hues, or with two channels exchanged, than without (0 to 1). See ``colours``.
    plate: share of the picture in white parts too evenly lit to be of the scene, see ``whitening.whitened``.
    bands: swing of the brightness over the height, as a log ratio, seen in all three thirds of the width.

    Only where the view stands still, or is not found anywhere, as shares of the tiles that had structure and could be
    told (``textured``):
    middle_sharpness: median ratio of middle to coarse structure, against the reference's.
    structure, structure_high: ratio of structure to the reference's, median and upper quartile. hidden: less than 0.55
    of the latter, and not alike; hidden_dark: of these, those that have not become brighter. foreign: not alike.
    patchy: weaker than the tiles around; patchy_dark: of these, those that have not become brighter; ``_parts``
    parts: how many connected ones there are, patch: the largest. dulled: share of the small tiles (20 pixels) whose
    fine texture has faded against their own brightness, and that have become softer than the rest has; shade, a veil
    or a sharp thing in the way do only one of both. lost: share of those whose texture is another, and soft.
    ``_parts``, ``_patch``: as above. local: median correlation of the edges in a tile.
    """
    moved = registration.register(
        ours.half,
        theirs.half,
        ours.edges.plane,
        theirs.edges.plane,
        features=not _hopeless(ours) and not _hopeless(theirs),
    )
    found = {
        "displacement": moved.displacement,
        "agreement": moved.agreement,
        "still_agreement": moved.before,
        "matches": float(moved.matches),
    }
    means, channels, bands = theirs.means, theirs.channels, theirs.bands
    found |= _light(ours, means) | colours.changes(ours.channels, channels)
    if moved.displacement > 0.03:
        if moved.agreement >= _BY_CHANCE:
            return Change(found, {})
        # Some movement is found between any two pictures. The view is not seen there; it may be hidden where it was.
        moved = replace(moved, matrix=np.array(((1.0, 0, 0), (0, 1, 0))), displacement=0.0)
    white, found["plate"] = _whitened(ours, theirs)
    besides = _with(besides, white)
    structure, maps, missing = _structure(ours, theirs, bands, moved, besides)
    found |= structure | _bands(ours.profiles, theirs.profiles)
    return Change(found, {name: rows(mask) for name, mask in maps.items()}, missing)


def _whitened(ours: Prepared, theirs: Prepared) -> tuple[Places, float]:
    """What has turned white where it was not: snow lies on it, or the sun shines there. Nothing is told of that. And
    how much of the picture is a white thing."""
    white, plate = whitening.whitened(ours.means, ours.channels, theirs.means, theirs.channels)
    down, right = _SPOTS_A_TILE
    return Places(white, white.repeat(down, axis=0).repeat(right, axis=1)), plate


def _with(known: Places | None, more: Places) -> Places:
    return more if known is None else Places(known.tiles | more.tiles, known.spots | more.spots)


def _hopeless(one: Prepared) -> bool:
    """Whether there is too little structure for features to be found."""
    return float(one.bands[1].mean()) < 1.5


def _light(ours: Prepared, means: Plane) -> dict[str, float]:
    a, b = means.ravel(), ours.means.ravel()
    a_off, b_off = a - a.mean(), b - b.mean()
    slope = float(np.dot(a_off, b_off) / (np.dot(a_off, a_off) + 1e-6))
    fit = float(np.dot(a_off, b_off) / (np.sqrt(float(np.dot(a_off, a_off)) * float(np.dot(b_off, b_off))) + 1e-6))
    low, middle, high = percentiles((b + 2) / (a + 2), 20, 50, 80)
    return {
        "gain": middle,
        "gain_low": low,
        "gain_high": high,
        "contrast": slope,
        "contrast_fit": fit,
        "spread": float(b.std() / max(a.std(), 1.0)),
    }


def _structure(
    ours: Prepared,
    theirs: Prepared,
    bands: tuple[Plane, Plane, Plane],
    moved: registration.Registration,
    besides: Places | None,
) -> tuple[dict[str, float], dict[str, Mask], Places | None]:
    our, their = _denoised(ours.bands, ours.noise), _denoised(bands, theirs.noise)
    outside = ours.clear & theirs.clear
    seen = (ours.means > 18) & (ours.means < 246)
    textured = outside & (np.sqrt(their[1]) > _TEXTURED * 0.6) & (np.sqrt(their[0]) > 1.2 * theirs.noise)
    told = textured & (theirs.means > 18) & (theirs.means < 246)
    if besides is not None:
        told &= ~besides.tiles
    # The light may have changed: contrast of a tile is held against how the whole picture's structure has changed.
    found: dict[str, float] = {"textured": share(told)}
    if np.count_nonzero(told) < 10:
        return found, {}, None
    middle = np.sqrt((our[1] + our[2]) / (their[1] + their[2]))
    medium = np.sqrt((our[1] / our[2]) / (their[1] / their[2]))
    good = told & seen
    if np.count_nonzero(good) >= 8:
        found["middle_sharpness"] = median(medium[good])
    usual = percentile(middle[told], 75)
    local = _local_correlation(ours.edges, theirs.edges.moved(moved, cv2.BORDER_REPLICATE))
    lit = np.log((ours.means + 4) / (theirs.means + 4))
    lit = lit - median(lit)
    weaker = middle < 0.55 * max(usual, 0.4)
    hidden = told & weaker & (local < 0.6)
    # Dirt is patchy: a tile is held against those around it, so that haze, which grows with the distance, is not dirt.
    log = np.log(np.maximum(middle, 0.02)).astype(np.float32)
    weight = told.astype(np.float32)
    around = cv2.blur(log * weight, (5, 5)) / np.maximum(cv2.blur(weight, (5, 5)), 1e-3)
    patches = told & (log - around < -0.3) & (middle < 0.75 * max(usual, 0.4))
    found |= (
        {
            "structure": median(middle[told]),
            "structure_high": usual,
            "hidden": share(hidden) / share(told),
            "hidden_dark": share(hidden & (lit < 0.35)) / share(told),
            "foreign": share(told & (local < 0.6)) / share(told),
            "patchy": share(patches) / share(told),
            "patchy_dark": share(patches & (lit < 0.25)) / share(told),
            "local": median(local[told]),
        }
        | parts(hidden, told, "hidden_")
        | parts(patches, told, "patchy_")
    )
    dulled, lost, spots_told = _dulled(ours, theirs, moved, besides)
    told_spots = int(np.count_nonzero(spots_told))
    if told_spots >= 40:
        found |= {
            "dulled": float(np.count_nonzero(dulled)) / told_spots,
            "lost": float(np.count_nonzero(lost)) / told_spots,
        }
        found |= parts(dulled, spots_told, "dulled_") | parts(lost, spots_told, "lost_")
    maps = {"hidden": hidden, "patchy": patches, "dulled": tiles(dulled.astype(np.float32)) > 0.4}
    return (
        found,
        maps | {"soft": good & (medium < _SOFT)},
        _missing(hidden & seen, dulled | lost, local[told & ~hidden]),
    )


def _missing(hidden: Mask, spots: Mask, rest: Plane) -> Places | None:
    return Places(hidden, spots) if rest.size >= _LEAST_REST and median(rest) > _SAME_VIEW else None


def _dulled(
    ours: Prepared, theirs: Prepared, moved: registration.Registration, besides: Places | None
) -> tuple[Mask, Mask, Mask]:
    """Small tiles that have lost fine texture and sharpness both; those whose texture is another one, and soft; and
    those that could be told."""
    our, their = _denoised(ours.spots, ours.noise), _denoised(theirs.spots, theirs.noise)
    our_fine, their_fine = np.sqrt(our[0] + our[1]), np.sqrt(their[0] + their[1])
    told = (their_fine > np.maximum(2.2, 1.5 * theirs.noise)) & (theirs.spot_means > 18) & (theirs.spot_means < 243)
    told &= (ours.spot_means > 10) & (ours.spot_means < 243)
    if besides is not None:
        told &= ~besides.spots
    if np.count_nonzero(told) < 40:
        return told & False, told & False, told
    faded = (our_fine / (ours.spot_means + 25)) / (their_fine / (theirs.spot_means + 25))
    softer = (our_fine / np.sqrt(our[2] + 1)) / (their_fine / np.sqrt(their[2] + 1))
    usual, usually = percentile(faded[told], 75), percentile(softer[told], 75)
    lit = np.log((ours.spot_means + 8) / (theirs.spot_means + 8))
    lit = lit - median(lit[told])
    dull = told & (lit < 0.35)
    alike = _alike(ours.fine, theirs.fine.moved(moved, cv2.BORDER_REFLECT), ours.noise + theirs.noise)
    lost = dull & (alike < 0.35) & ((softer < 0.9 * usually) | (faded < 0.5 * usual))
    return dull & (faded < 0.55 * usual) & (softer < 0.75 * usually), lost, told


def _alike(ours: _Textured, theirs: _Textured, noise: float) -> Plane:
    """Correlation of the texture of each small tile, registered; 1 where there is none above the noise."""
    spread = np.sqrt(ours.squares * theirs.squares)
    alike = tiles(cv2.multiply(ours.plane, theirs.plane), SPOTS) / np.maximum(spread, 1e-3)
    return np.where(theirs.squares > max(4.0, noise**2), alike, 1).astype(np.float32)


def _denoised(bands: tuple[Plane, Plane, Plane], noise: float) -> list[Plane]:
    return [np.maximum(band - part * noise**2, 1e-3) for band, part in zip(bands, sharpness.BAND_NOISE, strict=True)]


def _local_correlation(ours: _Textured, theirs: _Textured) -> Plane:
    """Correlation of the edges of each tile, registered."""
    product = tiles(cv2.multiply(ours.plane, theirs.plane)) - ours.means * theirs.means
    ours_spread = np.maximum(ours.squares - ours.means**2, 1e-4)
    spread = np.sqrt(ours_spread * np.maximum(theirs.squares - theirs.means**2, 1e-4))
    return np.asarray(product / spread, dtype=np.float32)


def _bands(ours: Plane, theirs: Plane) -> dict[str, float]:
    """Bands across the picture that the reference has not: their least swing in the three thirds of the width; 0 where
    they are no sine, as fog and snow come in bands too, but not in even ones. And finer ones (``pattern.ripple``)."""
    own = np.log(theirs + 8)
    apart = np.log(ours + 8) - own
    swing = pattern.bands_of(apart)
    ripple, even = pattern.ripple(apart, own)
    found = {"bands": 0.0, "ripple": ripple, "ripple_even": even}
    if swing <= _SWING or pattern.sine(apart) >= _ONE_SINE:
        alike = min(registration.correlation(apart[:, 0], apart[:, n]) for n in (1, 2))
        found["bands"] = swing * max(0.0, alike)
    return found
