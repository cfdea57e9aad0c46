"""This file measures how the colours of a view have changed: a cast, infrared light, hues that have turned.

Colours are the log ratios of blue and of red to green of each tile (``light.channel_tiles``), NaN where none can be
told.
"""

from __future__ import annotations

import numpy as np

from probes.picture.measuring.sheet import TILES, Plane, median, parts, percentile

_OTHER_THINGS = 3.0
"""How many times the median distance from the median change of colours other things show that stand in a tile."""
_FEWEST = 12
"""Tiles below which nothing is said of colours."""
_AT_ALL, _MANY, _COLOURED = 0.3, 40, 0.08
"""What of a view's variance of colours changes at least where hues have turned; tiles, and deviation of their log
ratios, from which on that can be told."""
_GROWN, _BEYOND_GREY = 0.08, 0.04
"""Log ratios of blue and of red to green: by how much both have grown in what has turned pink, and what they are."""


def changes(ours: Plane, theirs: Plane) -> dict[str, float]:
    """What ``comparison.compare`` tells of colours, of ours against theirs."""
    return _cast(ours, theirs) | {"pink": _pink(ours, theirs)}


def _cast(ours: Plane, theirs: Plane) -> dict[str, float]:
    change = (ours - theirs).reshape(-1, 2)
    # Of what is no number both are none.
    told = change[:, 0] == change[:, 0]
    change = change[told]
    if len(change) < _FEWEST:
        return {"blue": 0.0, "red": 0.0, "cast": 0.0, "cast_share": 0.0}
    # Haze and rain pull all colours towards grey, in proportion to their colour; only what is left is a cast.
    coloured = theirs.reshape(-1, 2)[told]
    own = _middle(coloured)
    # A van that has come or gone changes the colours of its own tiles, and says nothing of the others.
    off = np.hypot(*(change - _middle(change)).T)
    same = off <= _OTHER_THINGS * median(off) + 0.05
    away, changed = (_off_mean(one[same]).ravel() for one in (coloured, change))
    colours = float(away @ away)
    paler = float(away @ changed) / (colours + 0.01 * len(changed))
    turned = _turned(coloured + change, coloured) if float(changed @ changed) > _AT_ALL * colours else 0.0
    change = change - min(0.0, max(-1.0, paler)) * coloured
    blue, red = _middle(change)
    size, own_size = float(np.hypot(blue, red)), float(np.hypot(*own))
    to_grey = -float(np.dot((blue, red), own)) / max(size * own_size, 1e-6) if size <= own_size else 0.0
    along = change @ (np.array((blue, red)) / max(size, 1e-6))
    return {
        "blue": float(blue),
        "red": float(red),
        "cast": size,
        "cast_share": float(np.count_nonzero(along > 0.5 * size)) / len(change),
        "cast_tiles": len(change) / (TILES[0] * TILES[1]),
        "cast_to_grey": to_grey,
        "turned": turned,
    }


def _pink(ours: Plane, theirs: Plane) -> float:
    """The largest connected part of the tiles that have turned pink, blue and red both having grown against green, by
    more than a fifth of them all have; as a share of those that could be told. Infrared light does that, where its
    filter has come off; neither a lamp nor the air makes both grow."""
    change = ours - theirs
    told = change[:, :, 0] == change[:, :, 0]
    if np.count_nonzero(told) < _FEWEST:
        return 0.0
    rest = [max(0.0, percentile(change[:, :, channel][told], 20)) for channel in (0, 1)]
    grown = np.minimum(change[:, :, 0] - rest[0], change[:, :, 1] - rest[1])
    pink = (grown > _GROWN) & (np.minimum(ours[:, :, 0], ours[:, :, 1]) > _BEYOND_GREY)
    return parts(pink, told, "")["patch"]


def _turned(ours: Plane, theirs: Plane) -> float:
    """Light and air change all colours alike, or pale them; they turn no hue. With a tile's log ratios (a row) as one
    complex number less their mean, ours = k theirs or k conj(theirs): the share of its variance that a complex k tells,
    beyond what a positive one does. 0 where there are hardly any colours to turn."""
    now, then = (plane[:, 0] + 1j * plane[:, 1] for plane in (ours, theirs))
    now, then = now - now.mean(), then - then.mean()
    strong, was_strong = float(np.vdot(now, now).real), float(np.vdot(then, then).real)
    if len(now) < _MANY or min(strong, was_strong) < _COLOURED**2 * len(now):
        return 0.0
    as_it_was, exchanged = np.vdot(then, now), np.vdot(then.conj(), now)
    best = max(abs(as_it_was), abs(exchanged)) ** 2 - max(0.0, as_it_was.real) ** 2
    return float(best) / (strong * was_strong)


def _off_mean(ratios: Plane) -> Plane:
    return np.asarray(ratios - ratios.sum(axis=0) / len(ratios))


def _middle(ratios: Plane) -> Plane:
    """The median of each column."""
    ordered = np.sort(ratios, axis=0)
    last = len(ratios) - 1
    return np.asarray((ordered[last // 2] + ordered[(last + 1) // 2]) / 2)
