"""This file judges what the lens sees: moved, covered, blurred, dirty. All but blur need a reference of the view."""

from __future__ import annotations

from camera_registry.model.health import Cause
from camera_registry.model.picture import Measures, Unjudged
from camera_registry.rules.pictures.evidence import (
    FAINTLY_KNOWN,
    GOOD,
    LEAST,
    MOSTLY_EMPTY,
    SPARSE,
    Evidence,
    Verdict,
    pick,
    score,
    verdict,
)
from camera_registry.rules.pictures.usual import MONOCHROME

_WIDTH, _REBLUR = 1.15, 0.46
"""Where healthy pictures end: width of edges in pixels, re-blur metric."""
_SOFT_TOO = 0.7
"""Mean of edge width and re-blur metric, as shares of the above, that a blurred picture has whatever it shows."""
_WIDE_EVERYWHERE = 1.1
"""The same of a picture that is mostly empty: of 81,111 pictures of healthy months three are beyond it that have edges
about, of a room and a wall with the sun in it."""
_ONE_WAY, _SHAKEN = 1.3, 0.85
"""How many times wider edges are in their widest direction than in all, and the same mean, where a camera has shaken:
of 81,111 pictures of healthy months 57 are so that are less keen than ``Limits.keen_one_way`` and not than ``keen``,
which 779 are."""
_IN_FOCUS = 0.25
"""Structure function where a picture is sharpest, above which the lens is in focus, whatever detail the night hides."""
_IN_PLACE = 0.95
"""Correlation of the coarse light, from which on no snow lies or falls that did not."""
_EDGES_ABOUT = 0.17
"""Share of tiles with edges, below which their width may be that of one soft shadow on a wall."""
_FEATURES = 25
"""So many features must match for a view to be known again by them."""
_BARE, _AS_LIT, _UNKNOWN = 0.80, 0.5, 0.15
"""Share of tiles without structure, brightness against that of references of the same hours, and correlation of the
edges where they were, of a picture of something that fills it."""
_LEAST_TEXTURE = 0.08
"""Share of tiles with structure in the reference, below which nothing can go missing."""
_GLARE = 0.02
"""Share of the picture that is clipped, beyond the references', from which on light outshines what is behind it."""
_AS_EVER = 0.9
"""Median correlation of the edges in a tile, and structure of the clearest quarter of the tiles against the
reference's, above which nothing has happened to the rest of the view."""
_ONE_PART = 1.25
"""How much larger all that is hidden may be than its largest connected part, where one thing hides it."""
_AS_MUCH, _STANDS_OUT = 0.75, 0.55
"""Median structure of the tiles, against the reference's, from which on half of them have what they had; and against
the clearest quarter's, below which a tile passes for hidden."""
_TWICE = 2.0
"""Median structure of the tiles, against the reference's, that no lens has added."""
_DULLED, _ADDED = 0.96, 1.04
"""Ratio of middle to coarse structure, against the reference's: below the first, structure is taken away; above the
other, it is added."""
_SAME = 0.6
"""Correlation of the coarse light below which the reference hardly shows the same things."""
_ELSEWHERE = 0.55
"""Median correlation of the edges in a tile, below which they are not those of the view."""
_SCATTERED, _LIT_THROUGH = 0.32, 0.6
"""Structure and spread of light, against the reference's: below the first no lens out of focus can leave so little of
the one while, above the other, the light comes through: something translucent is on the glass."""
_LIT_CLEAR = 0.78
"""The same where the darkest places have become brighter, as in fog."""
_SHARP_BESIDES, _OTHER_LIGHT = 0.6, 0.85
"""Structure of the clearest quarter, against the reference's, of a view that is covered in part; correlation of the
coarse light of one that is covered as a whole."""
_BRIGHTER = 1.15
"""Ratio of brightness to the reference's, from which on the scene itself has become brighter."""
_CLEAR = 0.75
"""Structure of the clearest quarter of the tiles, against the reference's, from which on the air is not what dulls."""
_KNOWN, _STILL_SEEN = 0.35, 0.6
"""Correlation of the whole picture's edges with the reference's, from which on the view is known again: air and snow
leave that much of it, what covers a lens as a whole does not; and the score of a cover that leaves it.
"""
_WHOLLY = 0.97
"""Score of a cover of the whole lens, of which nothing of the view is seen: whatever happens in a scene leaves some."""
_WEAKER = 0.3
"""Share of dulled tiles to lost ones, from which on something lies before them."""
_SAME_THINGS = 0.75
"""Correlation of the coarse light, from which on the same things stand in it."""
_SMALL, _SOME, _ANOTHER = 0.03, 0.02, 0.15
"""Shares of tiles: the largest of many dull places, how much is dull at all, and whose edges are not the view's."""
_SAME_LIGHT = 0.92
"""Correlation of the coarse light, from which on what has faded has not done so in another season's light."""
_VEIL, _LIFTED = 30, 15
"""Levels by which fog lifts the dark channel of a view; by which snow on what was dark does."""
_SNOWED, _EVENLY = 8, 0.95
"""Levels by which the dark channel has risen, and correlation of the coarse light, below which snow has done that."""
_BOTH_ALIKE = 0.85
"""Ratio of middle to coarse structure, against the reference's, from which on both have weakened alike: air does that.
A lens out of focus takes the fine first, and so does breath on it (0.73 at most, of 72; haze and fog 0.88 at least)."""
_FAITHFUL = 0.96
"""Correlation of the coarse light, from which on nothing stands before the lens: what is lost is lost to blur."""


def moved(of: Evidence) -> Verdict:
    """The view is found elsewhere in the picture; or the picture is clear and shows nothing of the view."""
    if of.sight.may_move or not of.compared:
        return Unjudged.MAY_MOVE if of.sight.may_move else Unjudged.NO_REFERENCE
    limits, change = of.limits, of.change
    seen = pick(change, "displacement", "agreement", "still_agreement", "matches")
    still = of.still
    known = change.get("matches", 0.0) >= _FEATURES
    # Before a bare wall, or in fog, what is found elsewhere may be another lorry.
    sparse = of.sparse or _empty(of)
    found = known or (change["agreement"] >= limits.agreement and not sparse)
    if found and change["agreement"] >= still + 0.12 and still < 0.55:
        return verdict(Cause.MOVED, (score(change["displacement"], limits.displacement),), seen)
    if still >= FAINTLY_KNOWN:
        return GOOD
    bare = of.likest is None or of.bare or _empty(of)
    if bare or not _fits(of, change):
        return Unjudged.NOTHING_TO_SEE if bare else Unjudged.NO_FITTING_REFERENCE
    clear = change["displacement"] > 0.03 or (of.look["edges"] >= 1200 and change.get("structure", 0.0) > 0.5)
    strange = still < limits.strange and clear and not _blank(of) and not of.on_the_glass
    return verdict(Cause.MOVED, (0.6 if strange else 0.0,), seen)


def _blank(of: Evidence) -> bool:
    """Whether something without structure, lit as the view was at such hours, is all that is seen of it."""
    if of.still >= _UNKNOWN or of.look["empty"] < _BARE:
        return False
    lit = [c.reference.measures["mean"] for c in of.same_hours() if c.reference.measures]
    return bool(lit) and of.look["mean"] >= _AS_LIT * min(lit) and not _empty(of)


def covered(of: Evidence) -> Verdict:
    """Structure of the reference is gone from a part of the picture, and other light has taken its place."""
    if not of.compared:
        return Unjudged.NO_REFERENCE
    change, limits = of.change, of.limits
    if not of.sight.may_move and (_blank(of) or of.on_the_glass):
        seen = pick(of.look, "empty") | pick(change, "local", "middle_sharpness", "contrast_fit")
        return verdict(
            Cause.COVERED, (_WHOLLY if of.look["empty"] >= _BARE else _STILL_SEEN,), seen, of.tiles("hidden")
        )
    unfit = _unfit(of, change) or (Unjudged.NOTHING_TO_SEE if change["textured"] < SPARSE else None)
    if unfit is not None:
        return unfit
    seen = pick(change, "hidden", "lost", "lost_patch", "contrast_fit", "structure_high", "local")
    veiled = of.risen > _VEIL
    # Fog takes the light's own contrast away with the structure; what scatters on the glass does not.
    through = change["structure_high"] < _SCATTERED and change["spread"] > (_LIT_CLEAR if veiled else _LIT_THROUGH)
    if change["contrast_fit"] >= _FAITHFUL and not through:
        return GOOD
    # What fog leaves of the edges is where it was.
    gone = change["local"] < _ELSEWHERE
    whole = change["structure_high"] < 0.5 and change["contrast_fit"] < 0.85 and gone
    # A thing before the lens takes light away; where much more is clipped than before, the sun outshines the view.
    more = of.look["clipped"] - of.most_of_references("clipped")
    if more > 3 * _GLARE:
        return Unjudged.NO_FITTING_REFERENCE
    # A car takes the same part of the picture whatever is masked beside it, and a larger one of what is left.
    left = 1 - of.sight.masked
    lost = score(left * (change.get("lost", 0.0) - 2 * of.restless("lost")), limits.lost)
    # A lens out of focus loses everything everywhere, and keeps the light where it was.
    partly = change["structure_high"] >= _SHARP_BESIDES or change["contrast_fit"] < _OTHER_LIGHT
    # Glare outshines, and snow lies on the ground: both make brighter what they hide. In any exposure snow on what was
    # dark lifts the darkest places, and leaves all that stands out as clear as ever; what is on the glass does not.
    snowed = of.risen > _LIFTED and change["structure_high"] >= _SHARP_BESIDES
    lost = lost if partly and not snowed and change.get("lost_patch", 0.0) >= limits.lost_patch else 0.0
    brighter = more > _GLARE or change["gain"] > _BRIGHTER or snowed
    gone_from = change["hidden_dark" if brighter else "hidden"]
    if change["local"] > _AS_EVER and change["structure_high"] > _AS_EVER:
        # Where the rest is as it ever was, one thing hides one part: cars that have driven on leave several behind, and
        # their lights, which were most of a night's, take the likeness of the light along.
        gone_from = min(gone_from, _ONE_PART * change.get("hidden_patch", 0.0))
    if _AS_MUCH <= change["structure"] < _STANDS_OUT * change["structure_high"]:
        # People in the light of lamps stand out so that what has all it had looks hidden beside them.
        gone_from = 0.0
    hidden = score(left * gone_from, limits.hidden)
    # One soft thing, as anything near the lens is; whatever the scene has come to show, snow too, is in focus.
    near = 0.0 if brighter else min(change.get("hidden_patch", 0.0), change.get("dulled_patch", 0.0))
    as_a_whole = 0.0 if not whole else _WHOLLY if change["agreement"] < _KNOWN else _STILL_SEEN
    scores = [hidden if partly else 0.0, lost, as_a_whole, 0.55 if through else 0.0]
    scores += [score(left * near, limits.near) if partly else 0.0, score(change.get("plate", 0.0), limits.plate)]
    return verdict(Cause.COVERED, scores, seen, of.tiles("hidden"))


def dirty(of: Evidence) -> Verdict:
    """Structure is dulled in many small places."""
    if not of.compared:
        return Unjudged.NO_REFERENCE
    change, limits = of.change, of.limits
    unfit = _unfit(of, change)
    if unfit is not None:
        return unfit
    seen = pick(change, "patchy_dark", "patchy_parts", "foreign", "middle_sharpness", "dulled", "lost")
    if of.look["clipped"] - of.most_of_references("clipped") > _GLARE:
        # The sun in the picture dulls what is around it.
        return Unjudged.NO_FITTING_REFERENCE
    if change["contrast_fit"] < _SAME:
        # Another season, or things moved about: what looks different need not be dirt.
        return Unjudged.NO_FITTING_REFERENCE
    if of.risen > _SNOWED and change["contrast_fit"] < _EVENLY:
        # Dust that scatters lifts the dark places too, but everywhere, and leaves the light where it was.
        return Unjudged.NO_FITTING_REFERENCE
    # Rain and snow add edges, drops on the glass take them away.
    sharp = change.get("middle_sharpness", 1.0)
    spotted = change["patchy_parts"] >= limits.dirty_parts and sharp < _ADDED
    # Leaves in the wind are never twice the same: what is lost between references too is not lost.
    lost, clear = change.get("lost", 0.0) - 2 * of.restless("lost"), change["structure_high"] >= _CLEAR
    # Shadows and crowds are patchy and foreign, and as sharp as ever.
    faded = lost + change.get("dulled", 0.0)
    # What is another texture and no weaker has moved by itself.
    weaker = change.get("dulled", 0.0) >= _WEAKER * lost
    same_things = faded >= limits.faded_spots and change["contrast_fit"] >= _SAME_THINGS
    spots = score(change["patchy_dark"], limits.dirty) if spotted and same_things else 0.0
    dulled = sharp < _DULLED and weaker and faded >= limits.faded_drops
    foreign = score(change["foreign"] - of.restless("foreign"), limits.drops) if dulled else 0.0
    film = blots = 0.0
    in_its_light = not of.resized and sharp < _ADDED and change["contrast_fit"] >= _SAME_LIGHT
    if clear and in_its_light and change.get("dulled_parts", 0.0) >= limits.film_parts:
        film = score(change["dulled"], limits.film)
    if clear and weaker and change.get("lost_parts", 0.0) >= limits.film_parts and change["lost_patch"] < 0.5 * lost:
        blots = score(lost, limits.blots)
    return verdict(
        Cause.DIRTY,
        (spots, foreign, film, blots, _scattered(of, change) if clear and weaker else 0.0),
        seen,
        of.tiles("dulled" if film > spots else "patchy"),
    )


def _scattered(of: Evidence, change: Measures) -> float:
    """Many small dull places all over the picture, none of them large: splashes, and threads of a web."""
    names = ("dulled_parts", "lost_parts")
    parts = sum(change.get(name, 0.0) - of.restless(name) for name in names)
    small = max(change.get("dulled_patch", 1.0), change.get("lost_patch", 1.0)) < _SMALL
    taken_away = change.get("middle_sharpness", 1.0) < 1.0 and change["gain"] < _BRIGHTER
    enough = change.get("dulled", 0.0) >= _SOME and change["foreign"] >= _ANOTHER
    in_place = change["contrast_fit"] > _SAME_THINGS
    return score(parts, of.limits.dirty_places) if small and taken_away and enough and in_place else 0.0


def blurred(of: Evidence) -> Verdict:
    """Edges are wide everywhere; or fine structure is gone that the reference has, while the light is as it was."""
    if of.bare:
        return Unjudged.NOTHING_TO_SEE
    look, limits, change = of.look, of.limits, of.change
    seen = pick(look, "keen", "edge_width_worst", "reblur")
    scores = []
    in_focus = look.get("keen", 0.0) > _IN_FOCUS
    if "middle_sharpness" in change and _fits(of, change):
        if change["contrast_fit"] < _SAME:
            # Blur leaves the light where it was: other things stand here, or shadows of them.
            return Unjudged.NO_FITTING_REFERENCE
        seen |= pick(change, "middle_sharpness", "structure", "spread")
        alike = change["contrast_fit"] > 0.9 and not of.resized
        limit = limits.middle_sharpness if alike else limits.middle_sharpness_unlike
        # By night snow and rain take what is fine, and some of the light's own pattern.
        weather = of.by_night and in_focus and change["contrast_fit"] < _IN_PLACE
        # Patches of snow on dark ground: what is coarse has grown, so what is fine has less of it, and is lost nowhere.
        grown = change["structure"] >= _TWICE
        scores.append(0.0 if weather or grown else score(change["middle_sharpness"], limit))
    elif "edge_tiles" not in look:
        # Nobody measured how sharp it is by itself, for it is as sharp as every reference.
        scores.append(0.0)
    elif look.get("keen") or look["edge_tiles"] >= _EDGES_ABOUT:
        unsharp = _unsharp(of) if of.compared else max(_unsharp(of), _unsharp_alone(of))
        if unsharp >= LEAST and _bare(of, change):
            # The view has hardly any edges of its own: those of a shadow on a wall are as soft as it is.
            return Unjudged.NOTHING_TO_SEE
        scores.append(unsharp if _wider(of) else 0.0)
    # Where nothing fine or coarse is left of the edges, both have weakened alike too: that is no air.
    by_air = change.get("middle_sharpness", 0.0) > _BOTH_ALIKE and change.get("local", 1.0) > _ELSEWHERE
    in_focus = in_focus or by_air
    if "structure" in change and change["contrast_fit"] > 0.93 and change["spread"] > 0.45 and not in_focus:
        detail = change["structure"] / max(min(change["spread"], 1.0), 0.1)
        seen["detail"] = round(detail, 3)
        scores.append(score(detail, limits.detail))
    if not scores:
        return Unjudged.NOTHING_TO_SEE
    return verdict(Cause.BLURRED, scores, seen, of.tiles("soft"))


def _unsharp(of: Evidence) -> float:
    """How unsharp the picture is by itself: where it is sharpest, and by its edges."""
    look, limits = of.look, of.limits
    soft = (look["edge_width_worst"] / _WIDTH + look["reblur"] / _REBLUR) / 2
    if look.get("keen"):
        # A light in the dark has nothing but its soft glow.
        return score(look["keen"], limits.keen) if soft >= _SOFT_TOO else 0.0
    # On a wall one shadow is all that the re-blur metric has.
    return score(soft, limits.softness) if look["empty"] < MOSTLY_EMPTY else 0.0


def _unsharp_alone(of: Evidence) -> float:
    """The same of a picture of which nothing is known but itself. Where most of it is without structure, the lens may
    have taken that too: then edges all over it are wider than any shadow's. And shake leaves those along its own
    direction sharp, so that two witnesses speak, both a little below their limits."""
    look, limits = of.look, of.limits
    soft = (look["edge_width_worst"] / _WIDTH + look["reblur"] / _REBLUR) / 2
    if not look.get("keen"):
        return score(soft, limits.softness) if soft >= _WIDE_EVERYWHERE else 0.0
    one_way = look["edge_width_worst"] >= _ONE_WAY * look["edge_width"]
    return score(look["keen"], limits.keen_one_way) if one_way and soft >= _SHAKEN else 0.0


def _bare(of: Evidence, change: Measures) -> bool:
    """Whether the reference shows too little for a lens to be told by it."""
    return change.get("textured", 1.0) < _LEAST_TEXTURE or _empty(of)


def _empty(of: Evidence) -> bool:
    """Whether the view has too little structure to be known again. What by day is a bare wall is one by night, though
    its noise may pass for structure then."""
    known = [c for c in of.sight.references if c is of.likest or of.in_daylight(c) is not False]
    return any(c.reference.measures is not None and c.reference.measures["empty"] >= MOSTLY_EMPTY for c in known)


def _wider(of: Evidence) -> bool:
    """Whether edges are wider than in any reference: some lenses never were sharp, and some views are soft."""
    names = ("edge_width", "edge_width_worst")
    return all(of.look[name] - of.most_of_references(name) > of.limits.edge_wider for name in names)


def _unfit(of: Evidence, change: Measures) -> Unjudged | None:
    """Why structure can't be compared, or None."""
    if of.sight.may_move and change.get("agreement", 0.0) < of.limits.agreement:
        return Unjudged.MAY_MOVE
    if change.get("textured", 0.0) < _LEAST_TEXTURE or "hidden" not in change:
        return Unjudged.NOTHING_TO_SEE
    return None if _fits(of, change) else Unjudged.NO_FITTING_REFERENCE


def _fits(of: Evidence, change: Measures) -> bool:
    """Whether the light is alike enough for missing structure to mean something: the dark hides, it does not cover."""
    reference = of.likest.reference.measures if of.likest is not None else None
    if reference is None:
        return False
    if of.by_night and (of.likest not in of.same_hours() or _empty(of)):
        return False
    if of.by_day and of.likest is not None and of.in_daylight(of.likest) is False:
        return False
    grey, was_grey = (one["colourfulness"] < MONOCHROME for one in (of.look, reference))
    if grey and not was_grey and not of.by_day:
        return False
    dimmer = of.look["mean"] < 0.5 * reference["mean"] and of.look["mean"] < 70
    # Where a part of the view is lit as ever, the rest is not dark: something stands before it.
    gain = change.get("gain", 1.0)
    return not (dimmer and not of.by_day) and (change.get("gain_high", gain) if of.by_day else gain) > 0.25
