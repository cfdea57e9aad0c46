"""This file compares a picture with a reference of the same view: registered first, then structure tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from probes.picture.measuring import colours, light, profiles, registration, sharpness, whitening
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
    tiles,
)

_TEXTURED = 3.0
"""Root mean square of middle structure, in levels, from which on a tile has something that can go missing."""

_CLEAR = 0.9003
"""Share of a tile that must be free of text: a little more than that of one with a line of text over a tenth of it."""

_SOFT = 0.83
"""Ratio of middle to coarse structure, against the reference's, below which a tile has lost its sharpness."""

_BY_CHANCE = 0.12
"""Agreement of the edges after a movement that means nothing."""
_HARDLY_ANY = 1.5
"""Mean of middle structure, levels squared, below which no features are found."""
_BAND_NOISE = np.array(sharpness.BAND_NOISE, np.float32)[:, None, None]
_SPOTS_A_TILE = SPOTS[1] // TILES[1], SPOTS[0] // TILES[0]

_SAME_VIEW, _LEAST_REST = 0.8, 8
"""Median correlation of the edges in a tile, from which on two references show one view where nothing is missing; how
many tiles that must be."""


@dataclass(frozen=True)
class Prepared:
    """What every comparison needs of a sheet, some 0.8 MB; the sheet itself is no part of it.

    ``profiles`` are logarithms. ``bands`` and ``spots``: the bands of ``sharpness.bands`` of each tile and small tile,
    one after the other, without the noise's part in them.
    """

    half: Plane
    profiles: Plane
    edges: _Textured
    bands: Plane
    means: Plane
    channels: Plane
    noise: float
    clear: Mask
    fine: _Textured
    spots: Plane
    spot_means: Plane
    hopeless: bool
    """Whether there is too little structure for features to be found."""

    # What follows is the same in every comparison with a reference.

    @cached_property
    def seen(self) -> Mask:
        """The tiles that are neither black nor clipped."""
        return np.asarray((self.means > 18) & (self.means < 246))

    @cached_property
    def textured(self) -> Mask:
        """The clear tiles that have something that can go missing."""
        fine, middle, _ = self.bands
        return np.asarray(self.clear & (np.sqrt(middle) > _TEXTURED * 0.6) & (np.sqrt(fine) > 1.2 * self.noise))

    @cached_property
    def strength(self) -> Plane:
        """Of the structure of each tile, levels squared."""
        return np.asarray(self.bands[1] + self.bands[2])

    @cached_property
    def sharpness(self) -> Plane:
        """Middle to coarse structure of each tile, of levels squared."""
        return np.asarray(self.bands[1] / self.bands[2])

    @cached_property
    def textured_spots(self) -> Mask:
        """The small tiles that have fine texture, and are neither black nor clipped."""
        textured = self.fine_texture > max(2.2, 1.5 * self.noise)
        return np.asarray(textured & (self.spot_means > 18) & (self.spot_means < 243))

    @cached_property
    def fine_texture(self) -> Plane:
        """Of each small tile, in levels."""
        return np.asarray(np.sqrt(self.spots[0] + self.spots[1]))

    @cached_property
    def contrast(self) -> Plane:
        """Fine texture of each small tile against its own brightness."""
        return np.asarray(self.fine_texture / (self.spot_means + 25))

    @cached_property
    def crispness(self) -> Plane:
        """Fine texture of each small tile against its coarse one."""
        return np.asarray(self.fine_texture / np.sqrt(self.spots[2] + 1))

    @cached_property
    def white(self) -> Mask:
        """The tiles that are white."""
        return whitening.white(self.means, self.channels, self.means, 1.0)


@dataclass(frozen=True, slots=True)
class _Textured:
    """A plane, and of each of its tiles the mean and the mean square."""

    plane: Plane
    size: tuple[int, int]
    means: Plane
    squares: Plane

    @classmethod
    def of(cls, plane: Plane, size: tuple[int, int]) -> _Textured:
        return cls(plane, size, tiles(plane, size), tiles(np.asarray(cv2.multiply(plane, plane)), size))

    def products(self, other: _Textured) -> Plane:
        """The mean product with another plane, of each tile."""
        return tiles(np.asarray(cv2.multiply(self.plane, other.plane)), self.size)

    def moved(self, by: registration.Registration, border: int) -> _Textured:
        """The same after a movement; ``border``: how OpenCV fills what was not seen."""
        if by.displacement == 0:
            return self
        height, width = self.plane.shape
        plane = cv2.warpAffine(self.plane, by.matrix, (width, height), borderMode=border)
        return _Textured.of(np.asarray(plane, dtype=np.float32), self.size)


def prepare(sheet: Sheet, noise: float) -> Prepared:
    spots = np.array(sharpness.bands(sheet.luma, SPOTS))
    bands = tiles(spots.reshape(-1, SPOTS[0]), (TILES[0], len(spots) * TILES[1])).reshape(-1, TILES[1], TILES[0])
    return Prepared(
        sheet.half,
        np.log(sheet.profiles + 8),
        _Textured.of(registration.structure(sheet.half), TILES),
        _denoised(bands, noise),
        sheet.means,
        light.channel_tiles(sheet),
        noise,
        tiles(sheet.clear_spots) > _CLEAR,
        _Textured.of(_texture(sheet.half), SPOTS),
        _denoised(spots, noise),
        sheet.spot_means,
        float(bands[1].mean()) < _HARDLY_ANY,
    )


def _denoised(bands: Plane, noise: float) -> Plane:
    return np.maximum(bands - _BAND_NOISE * np.float32(noise**2), np.float32(1e-3))


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
    products = ours.edges.products(theirs.edges)
    moved = registration.register(
        ours.half,
        theirs.half,
        ours.edges.plane,
        theirs.edges.plane,
        _correlation(ours.edges, theirs.edges, products),
        features=not ours.hopeless and not theirs.hopeless,
    )
    found = {
        "displacement": moved.displacement,
        "agreement": moved.agreement,
        "still_agreement": moved.before,
        "matches": float(moved.matches),
    }
    found |= light.changes(ours.means, theirs.means) | colours.changes(ours.channels, theirs.channels)
    if moved.displacement > 0.03:
        if moved.agreement >= _BY_CHANCE:
            return Change(found, {})
        # Some movement is found between any two pictures. The view is not seen there; it may be hidden where it was.
        moved = replace(moved, matrix=np.array(((1.0, 0, 0), (0, 1, 0))), displacement=0.0)
    white, found["plate"] = _whitened(ours, theirs, found["gain"])
    besides = _with(besides, white)
    if moved.displacement:
        edges = theirs.edges.moved(moved, cv2.BORDER_REPLICATE)
        local = _local_correlation(ours.edges, edges, ours.edges.products(edges))
    else:
        local = _local_correlation(ours.edges, theirs.edges, products)
    structure, maps, missing = _structure(ours, theirs, local, moved, besides)
    found |= structure | profiles.changes(ours.profiles, theirs.profiles)
    return Change(found, {name: rows(mask) for name, mask in maps.items()}, missing)


def _whitened(ours: Prepared, theirs: Prepared, gain: float) -> tuple[Places, float]:
    """What has turned white where it was not: snow lies on it, or the sun shines there. Nothing is told of that. And
    how much of the picture is a white thing."""
    white = whitening.white(ours.means, ours.channels, theirs.means, gain) & ~theirs.white
    white, plate = whitening.whitened(white, ours.means, theirs.means) if white.any() else (white, 0.0)
    down, right = _SPOTS_A_TILE
    return Places(white, white.repeat(down, axis=0).repeat(right, axis=1)), plate


def _with(known: Places | None, more: Places) -> Places:
    return more if known is None else Places(known.tiles | more.tiles, known.spots | more.spots)


def _structure(
    ours: Prepared,
    theirs: Prepared,
    local: Plane,
    moved: registration.Registration,
    besides: Places,
) -> tuple[dict[str, float], dict[str, Mask], Places | None]:
    told = ours.clear & theirs.textured & theirs.seen & ~besides.tiles
    count = int(np.count_nonzero(told))
    # The light may have changed: contrast of a tile is held against how the whole picture's structure has changed.
    found: dict[str, float] = {"textured": count / told.size}
    if count < 10:
        return found, {}, None
    middle = np.sqrt(ours.strength / theirs.strength)
    medium = np.sqrt(ours.sharpness / theirs.sharpness)
    good = told & ours.seen
    if np.count_nonzero(good) >= 8:
        found["middle_sharpness"] = median(medium[good])
    half, usual = percentiles(middle[told], 50, 75)
    lit = np.log((ours.means + 4) / (theirs.means + 4))
    lit -= median(lit)
    foreign = told & (local < 0.6)
    hidden = foreign & (middle < 0.55 * max(usual, 0.4))
    # Dirt is patchy: a tile is held against those around it, so that haze, which grows with the distance, is not dirt.
    log = np.log(np.maximum(middle, 0.02))
    weight = told.astype(np.float32)
    around = cv2.blur(log * weight, (5, 5)) / np.maximum(cv2.blur(weight, (5, 5)), 1e-3)
    patches = told & (log - around < -0.3) & (middle < 0.75 * max(usual, 0.4))
    found |= (
        {
            "structure": half,
            "structure_high": usual,
            "hidden": np.count_nonzero(hidden) / count,
            "hidden_dark": np.count_nonzero(hidden & (lit < 0.35)) / count,
            "foreign": np.count_nonzero(foreign) / count,
            "patchy": np.count_nonzero(patches) / count,
            "patchy_dark": np.count_nonzero(patches & (lit < 0.25)) / count,
            "local": median(local[told]),
        }
        | parts(hidden, told, "hidden_")
        | parts(patches, told, "patchy_")
    )
    dulled, lost, spots_told = _dulled(ours, theirs, moved, besides)
    told_spots = int(np.count_nonzero(spots_told))
    if told_spots >= 40:
        found |= {
            "dulled": np.count_nonzero(dulled) / told_spots,
            "lost": np.count_nonzero(lost) / told_spots,
        }
        found |= parts(dulled, spots_told, "dulled_") | parts(lost, spots_told, "lost_")
    maps = {"hidden": hidden, "patchy": patches, "dulled": tiles(dulled) > 0.4}
    return (
        found,
        maps | {"soft": good & (medium < _SOFT)},
        _missing(hidden & ours.seen, dulled | lost, local[told & ~hidden]),
    )


def _missing(hidden: Mask, spots: Mask, rest: Plane) -> Places | None:
    return Places(hidden, spots) if rest.size >= _LEAST_REST and median(rest) > _SAME_VIEW else None


def _dulled(
    ours: Prepared, theirs: Prepared, moved: registration.Registration, besides: Places
) -> tuple[Mask, Mask, Mask]:
    """Small tiles that have lost fine texture and sharpness both; those whose texture is another one, and soft; and
    those that could be told."""
    told = theirs.textured_spots & (ours.spot_means > 10) & (ours.spot_means < 243) & ~besides.spots
    if np.count_nonzero(told) < 40:
        return told & False, told & False, told
    faded, softer = ours.contrast / theirs.contrast, ours.crispness / theirs.crispness
    usual, usually = percentile(faded[told], 75), percentile(softer[told], 75)
    lit = np.log((ours.spot_means + 8) / (theirs.spot_means + 8))
    dull = told & (lit < 0.35 + median(lit[told]))
    alike = _alike(ours.fine, theirs.fine.moved(moved, cv2.BORDER_REFLECT), ours.noise + theirs.noise)
    lost = dull & (alike < 0.35) & ((softer < 0.9 * usually) | (faded < 0.5 * usual))
    return dull & (faded < 0.55 * usual) & (softer < 0.75 * usually), lost, told


def _alike(ours: _Textured, theirs: _Textured, noise: float) -> Plane:
    """Correlation of the texture of each small tile, registered; 1 where there is none above the noise."""
    alike = ours.products(theirs) / np.maximum(np.sqrt(ours.squares * theirs.squares), 1e-3)
    alike[theirs.squares <= max(4.0, noise**2)] = 1
    return np.asarray(alike)


def _correlation(ours: _Textured, theirs: _Textured, products: Plane) -> float:
    """Pearson's correlation of two planes, from those of their tiles, which are all of one size. ``products``: the mean
    product of each tile."""
    every = np.array((ours.means, theirs.means, ours.squares, theirs.squares, products), np.float64)
    mean, their_mean, square, their_square, product = map(float, every.reshape(5, -1).sum(axis=1) / products.size)
    spread = max(square - mean**2, 0.0) * max(their_square - their_mean**2, 0.0)
    return (product - mean * their_mean) / (math.sqrt(spread) + 1e-9)


def _local_correlation(ours: _Textured, theirs: _Textured, products: Plane) -> Plane:
    """The same of each tile."""
    ours_spread = np.maximum(ours.squares - ours.means**2, 1e-4)
    spread = np.sqrt(ours_spread * np.maximum(theirs.squares - theirs.means**2, 1e-4))
    return np.asarray((products - ours.means * theirs.means) / spread, dtype=np.float32)
