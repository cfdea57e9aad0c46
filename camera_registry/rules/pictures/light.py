"""This file judges signal, light and colour: no_signal, dark, overexposed, low_contrast, colour_cast."""

from __future__ import annotations

import math

from camera_registry.model.health import Cause
from camera_registry.model.picture import Compared, Measures, Unjudged
from camera_registry.rules.pictures.evidence import (
    FAINTLY_KNOWN,
    GOOD,
    MOSTLY_EMPTY,
    Evidence,
    Verdict,
    pick,
    score,
    verdict,
)
from camera_registry.rules.pictures.usual import MONOCHROME

_SILENT, _REPEATED, _STEPS = 0.92, 0.90, 1000
"""Share of tiles without noise, and of rows that repeat the one above, and edges, in what was drawn and never seen."""
_BLANK, _BESIDE = 0.72, 0.2
"""Share of tiles without noise on a card that something is drawn on; how much more that is than that of rows of one
level."""
_NO_NOISE, _BARE, _SHADES = 0.05, 0.8, 0.7
"""Levels of noise where it is least, share of tiles without structure, and of rows that repeat the one above, on a card
whose ground is shaded."""
_WHOLE = 0.9
"""Share of the picture that is one plain colour, but for letters."""
_MOST_OF_IT = 0.65
"""Share of the picture that has changed its colours the same way, from which on a strong change is no thing of the
scene's."""
_SEEN_AGAIN = 0.6
"""Correlation of the edges with those of a reference, from which on it is the view that is seen."""
_LEFT, _OUTSHONE, _WHITE, _SOME_GAIN = 0.7, 0.15, 235, 1.2
"""Structure of the clearest quarter of the tiles, against the reference's, of a view that no air veils; share that is
clipped beyond the references', or level of a quarter of the picture, where that is why it has less; and brightness
against the reference's of the fifth that has gained least."""
_WHITISH, _ONE_LEVEL, _GLARING, _BY_ITS_CURVE = 225, 2, 200, 0.55
"""Level from which on, and levels within which, a quarter of a picture lies where its curve ends; mean level of one
with too much light; and the score of that. Of 81,111 pictures of healthy months 13 are so that are not clipped, ten of
them of a view before a white ground; no fog is as even as that."""
_THICK, _REMAINS = 5.5, 0.17
"""Thick fog: deviation in levels below this, and still edges in this share of the tiles."""
_FEATURELESS = 3.6
"""Deviation in levels that light falling off over a wall makes at least: what is more even is air."""
_LETTERS = 220.0
"""Strength of the strongest edges (``edge_strength``), from which on they are no remains of a picture."""
_EMPTY, _SKY = 0.72, 0.30
"""Share of tiles without structure, from which on fog can't be told from a wall, or a cast from the sky's own
colour."""
_HALF_LEFT = 0.5
"""Structure of the clearest quarter of the tiles, against the reference's: what the air lets through where it is
clearest. Where half is left, people see enough."""
_FILLED, _UNKNOWN, _COLOURED = 0.80, 0.15, 8.0
"""Share of tiles without structure, correlation of the edges with any reference's, and distance of the mean colour from
grey (CIE L*a*b*), of what hides all of a view and is no air."""
_VEIL = 45
"""Levels by which fog lifts the dark channel of a view."""
_TO_GREY, _DULLED = 0.8, 0.8
"""Direction of a change of colours, from which on it leads to grey; spread of the light, or structure of the clearest
quarter of the tiles, against the reference's, below which air has come between."""
_WARM, _COLD = range(40, 150), range(240, 300)
"""Degrees of hue (CIE L*a*b*) in which lamps, earth and leaves lie, and sky and water. In the others, turquoise, pink
and red, no light lies (Planck's locus runs from blue to orange: an ember of 1,000 K is at 48)."""
_PINK = frozenset((*range(300, 360), *range(25)))
"""Degrees of hue into which infrared light turns a view: all three filters let it through, most of all blue and red."""
_AS_DARK, _STILL_LIT = 0.7, 0.6
"""Brightness against a reference's of the same hours, from which on it is as dark; correlation of the coarse light, of
a view that is lit as ever, but for how much."""
_IN_PLACE, _AS_SHARP = 0.8, 0.9
"""Median correlation of the edges in a tile, and ratio of middle to coarse structure, from which on edges are what they
were but for their strength."""
_SEEN_AGAIN = 0.5
"""Correlation of all edges where they were, from which on a view is seen again."""
_SAME_LIGHT, _AS_BRIGHT = 0.8, (0.4, 2.5)
"""Correlation of the coarse light, and brightness against the reference's, of a view that has lost nothing but its
contrast."""
_BY_AIR = 0.6
"""Score of what the air may have done."""
_LOW_SUN = 0.55
"""Change of channels, as a log ratio, that a low sun or street lamps make."""


def no_signal(of: Evidence) -> Verdict:
    """One plain colour without any sensor noise, or black without anything in it."""
    look, limits = of.look, of.limits
    if look["damaged"]:
        # Plain is what the decoder put where nothing had come.
        return Unjudged.STANDS_DOWN
    seen = pick(look, "flat_share", "repeated", "levelled", "p99", "grain")
    # A sensor in the dark shows its noise. By night that may be healthy; by day it has a cap on it, or no light at all.
    silent = look["grain"] < limits.black_noise
    dead = look["p99"] <= limits.black and look["coarse_range"] < limits.black_range and (silent or not of.by_night)
    if of.change.get("agreement", 0.0) > _SEEN_AGAIN:
        # What is seen again is no card, however smooth it is.
        return verdict(Cause.NO_SIGNAL, (0.9 if dead else 0.0,), seen)
    # What is left of a picture above a plain rest is a damaged one. On a card nearly all rows repeat each other, and
    # there is nothing on it, or letters in hard black and white, or upright bars.
    nothing, letters = look["edges"] < 250, look["edge_strength"] > _LETTERS
    card = look["repeated"] >= limits.repeated and (nothing or letters or look["plain_all"] < 0.05)
    # Beside what is drawn on a card there is nothing either; what is left of a picture fills its rows.
    beside = look["silent"] >= _BLANK and look["silent"] - look["plain_all"] >= _BESIDE
    # What was never written lies beside what was.
    partly = limits.unwritten[0] <= look["unwritten"] < _WHOLE
    plain = score(look["flat_share"], limits.flat_share) if (card or beside) and not partly else 0.0
    # Drawn, not seen: hardly anywhere a trace of noise, and most rows are of one level.
    drawn = look["silent"] >= limits.drawn_silent and look["levelled"] >= limits.drawn and look["p99"] > limits.black
    # Upright steps of grey or colour: edges, each row as the one above, and nowhere noise; and not just too much light.
    steps = (
        look["edges"] >= _STEPS
        and look["clipped"] < limits.clipped[0]
        and look["silent"] >= _SILENT
        and look["repeated"] >= _REPEATED > of.most_of_references("repeated")
    )
    drawn = drawn or (steps and look["p99"] > limits.black)
    # A ground that fades into its corners, and a sign on it: lit, and nowhere a trace of a sensor's noise.
    shaded = look["noise"] < _NO_NOISE and look["grain"] < limits.black_noise / 2 and look["p99"] > limits.black
    bare = look["empty"] >= _BARE and look["repeated"] >= _SHADES and look["plain_all"] < _NO_NOISE
    bare = bare and look["clipped"] < limits.clipped[0]
    sign = 0.6 if shaded and letters and bare and not partly and not of.bare else 0.0
    return verdict(Cause.NO_SIGNAL, (0.9 if dead else 0.0, plain, 0.85 if drawn else 0.0, sign), seen)


def dark(of: Evidence) -> Verdict:
    """Too little light at an hour that has light: by the clock, or by references of the same hours."""
    look, limits = of.look, of.limits
    seen = pick(look, "mean", "p95", "p99")
    if of.compared and of.timed and not of.by_day and not of.by_night:
        # Light falls to a tenth within one dusk: a reference of the same hour may be of ten times as much.
        return Unjudged.NO_FITTING_REFERENCE
    told = [c for c in of.same_hours() if c.change is not None and c.reference.measures is not None]
    gains = [c.change["gain"] for c in told if c.change is not None and "gain" in c.change]
    scores = []
    if gains and (of.hour is not None or not of.compared):
        dimmed = score(max(gains), limits.dark_gain)
        lit = look["p95"] > 100 or look["p99"] > 180
        scores.append(0.0 if lit else dimmed)
        seen["gain"] = round(max(gains), 3)
        all_of_it = max(c.change.get("gain_high", 1.0) for c in told if c.change) < _AS_DARK
        if of.by_day and all_of_it and of.change.get("contrast_fit", 0.0) > _STILL_LIT:
            # By day no camera leaves its exposure where everything, the sky and lamps too, has lost half its level.
            scores.append(score(max(gains), limits.dark_everywhere))
    if of.by_day:
        # What was accepted by day as dark as this is no fault of today.
        accepted = max((c.change["gain"] for c in told if c.change and of.in_daylight(c)), default=math.inf)
        scores.append(score(look["p95"], limits.dark_p95) if not _AS_DARK < accepted < math.inf else 0.0)
    elif not of.by_night and not gains:
        scores.append(score(look["p99"], limits.dark_p99_any_time))
    if not scores:
        return Unjudged.NIGHT if look["p95"] < 2 * limits.dark_p95[0] else GOOD
    return verdict(Cause.DARK, scores, seen)


def overexposed(of: Evidence) -> Verdict:
    """Much of the picture clipped, and more than in any reference."""
    look, limits = of.look, of.limits
    seen = pick(look, "clipped", "bright_tiles", "mean")
    if of.compared:
        more = look["clipped"] - of.most_of_references("clipped")
        scores, seen = [score(more, limits.clipped_more)], seen | {"more": round(more, 4)}
        if of.by_day and look["mean"] >= limits.glaring and _clear(of, more):
            changes = [c.change for c in of.compared if c.change]
            gained, least = (min(change.get(name, 0.0) for change in changes) for name in ("gain", "gain_low"))
            # Snow and the sun make much of a view brighter, but not its walls, trunks and shadows too; what was bright
            # before can't gain much.
            scores.append(score(gained, limits.gain_everywhere) if least >= _SOME_GAIN else 0.0)
            seen["gain"] = round(gained, 3)
    else:
        # A white thing or the sky may fill much of a picture, but then the rest is no brighter than ever.
        glaring = look["mean"] >= _GLARING
        # A curve may end before the last level, as video's does at 235 (ITU-R BT.601).
        at_its_end = look["p75"] >= _WHITISH and look["p99"] - look["p75"] <= _ONE_LEVEL
        clipped = score(look["clipped"], limits.clipped_glaring if glaring else limits.clipped)
        scores = [clipped, _BY_ITS_CURVE if glaring and at_its_end else 0.0]
    return verdict(Cause.OVEREXPOSED, scores, seen, of.sight.where.get("clipped", ()))


def _clear(of: Evidence, more: float) -> bool:
    """Whether the view is seen as clearly as ever, but for what is clipped or nearly so: no air brightens it."""
    if of.still < FAINTLY_KNOWN or "structure_high" not in of.change:
        return False
    return of.change["structure_high"] > _LEFT or more > _OUTSHONE or of.look["p75"] >= _WHITE


def low_contrast(of: Evidence) -> Verdict:
    """Fog, haze or a veil: edges everywhere, all of them weak, and no dark place left."""
    look, limits = of.look, of.limits
    seen = pick(look, "deviation", "dark_channel", "edge_strength")
    veiled = look["dark_channel"] >= limits.dark_channel
    change = of.change
    left = of.sparse and of.still >= _SEEN_AGAIN and change.get("local", 1.0) < FAINTLY_KNOWN
    if of.bare or left:
        # A van that stood before a wall was all of its contrast; the wall is seen again, the van's edges are not.
        return Unjudged.NOTHING_TO_SEE
    if change and "spread" in change:
        least = max(c.change["spread"] for c in of.compared if c.change)
        seen |= {"spread": round(least, 3)}
        narrow = score(least, limits.spread_veiled if of.risen > _VEIL and veiled else limits.spread)
        lifted = look["dark_channel"] > 88
        weak = change.get("structure_high", 0.0) < _HALF_LEFT
        # The same view, as bright as ever, with hardly any difference left between its light and dark places.
        same = of.by_day or of.likest in of.same_hours()
        same = same and change["contrast_fit"] > _SAME_LIGHT and _AS_BRIGHT[0] < change["gain"] < _AS_BRIGHT[1]
        pale = score(least / min(change["gain"], 1.0), limits.spread_pale) if same else 0.0
        # Fog in drifts: bright and dark enough as a whole, with all edges where they were, and all of them faint.
        there = change.get("local", 0.0) > _IN_PLACE and change.get("middle_sharpness", 0.0) > _AS_SHARP
        faint = of.by_day and there and _AS_BRIGHT[0] < change["gain"] < _AS_BRIGHT[1]
        drifting = score(change.get("structure_high", 1.0), limits.faint) if faint else 0.0
        # A coloured board right before the lens; air is grey.
        board = of.still < _UNKNOWN and look["empty"] >= _FILLED and look["chroma"] >= _COLOURED
        told = (narrow if lifted and weak and not board else 0.0, pale if weak else 0.0, drifting)
        return verdict(Cause.LOW_CONTRAST, told, seen)
    remains = look["deviation"] < (_THICK if look["edge_tiles"] >= _REMAINS else _FEATURELESS)
    if look["empty"] >= _EMPTY and not remains:
        return Unjudged.NOTHING_TO_SEE
    # Air is bright; where hardly anything differs from anything, an amplifier may have lost it at any brightness.
    lost = of.by_day and look["deviation"] < _FEATURELESS and look["dark_channel"] >= limits.lit_channel
    flat = score(look["deviation"], limits.deviation)
    return verdict(Cause.LOW_CONTRAST, (flat if veiled or lost else 0.0,), seen)


def colour_cast(of: Evidence) -> Verdict:
    """All colours are shifted the same way."""
    look, limits = of.look, of.limits
    if look["colourfulness"] < MONOCHROME:
        return Unjudged.MONOCHROME
    seen = pick(look, "chroma")
    coloured = [c for c in of.compared if c.reference.measures and c.reference.measures["colourfulness"] >= MONOCHROME]
    # Lamps of the night have colours of their own, which only a night can tell; but what was accepted is no cast.
    same_hours, by_light = of.same_hours(), of.by_day or not of.timed
    fitting = [c for c in coloured if (_of_the_day(of, c) if by_light else c in same_hours)]
    if fitting:
        changes = [c.change for c in coloured if c.change and c.change.get("cast_tiles", 0.0) > 0.2]
        if not changes:
            return Unjudged.NO_FITTING_REFERENCE
        least = min(changes, key=lambda change: change["cast"])
        seen |= pick(least, "cast", "cast_share", "blue", "red")
        limit = limits.cast if of.by_day or of.hour is None else (_LOW_SUN, 1.0)
        # Fog before a wood: its one colour pales all over, with its light.
        weaker = min(least["spread"], least.get("structure_high", 1.0))
        pales = least["cast_to_grey"] > _TO_GREY and weaker < _DULLED
        one_way = least["cast_share"] > 0.85 and not pales
        cast = score(least["cast"], limit) if one_way else 0.0
        if not pales and limit is limits.cast and least["cast_share"] > _MOST_OF_IT:
            # Coloured paint on the glass, or a filter that has slipped: not all of the picture.
            cast = max(cast, score(least["cast"], limits.cast_partly))
        if of.risen > _VEIL or least["spread"] < _DULLED:
            # Air has a colour of its own, before things that have a strong one; and it takes away contrast.
            cast = min(cast, _BY_AIR)
        # Where other things are seen than were, as behind a car that has driven on, colours are theirs.
        pink = max(0.0, min(change.get("pink", 0.0) - change.get("foreign", 0.0) for change in changes))
        turned = min(change.get("turned", 0.0) for change in changes)
        seen |= {"pink": round(pink, 4), "turned": round(turned, 4)}
        # The colours of light lie on one line, from red to blue: where one grows the other shrinks. Infrared light,
        # which all three filters let through, adds to both.
        both = min(min(change["blue"], change["red"]) for change in changes)
        one_way = of.by_day and not pales and min(change["cast_share"] for change in changes) > 0.85
        scores = (cast, score(pink, limits.pink), score(turned, limits.turned))
        return verdict(Cause.COLOUR_CAST, (*scores, score(both, limits.cast_pink) if one_way else 0.0), seen)
    if of.compared or not (of.by_day or not of.timed):
        return Unjudged.NO_FITTING_REFERENCE if of.compared else Unjudged.DIM_HOURS
    if look["empty"] >= MOSTLY_EMPTY:
        return Unjudged.NOTHING_TO_SEE
    hue = _hue(look)
    cold = limits.cast_cold if look["empty"] < _SKY else limits.cast_sky
    unlit = limits.cast_infrared if hue in _PINK else limits.cast_unlit
    limit = limits.cast_warm if hue in _WARM else cold if hue in _COLD else unlit
    return verdict(Cause.COLOUR_CAST, (score(look["shift"], limit),), seen | pick(look, "shift"))


def _of_the_day(of: Evidence, one: Compared) -> bool:
    """Whether a reference may be held against the colours of a day: at dusk lamps may have been on already."""
    return of.in_daylight(one) is True or (one.reference.at is None and one.reference.sun is None)


def _hue(look: Measures) -> int:
    """Degrees of the mean colour in the plane of a* and b*."""
    return math.floor(math.degrees(math.atan2(look["b"], look["a"]))) % 360
