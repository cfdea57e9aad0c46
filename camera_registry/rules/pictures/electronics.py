"""This file judges what electronics do to a picture: noisy, striped, corrupt, frozen, osd_clock."""

from __future__ import annotations

from camera_registry.model.health import Cause
from camera_registry.model.picture import Measures, Unjudged
from camera_registry.rules.pictures.evidence import (
    FAINTLY_KNOWN,
    GOOD,
    LEAST,
    MOSTLY_EMPTY,
    Evidence,
    Verdict,
    pick,
    score,
    verdict,
)

_FILLED = 0.03
"""Share of the height that a decoder's filling takes at least."""
_FOG = 0.5
"""Spread of the light, against the reference's, below which the air may have made the bands."""
_ADDED_TO, _FIT_STILL, _BY_WEATHER = 0.75, 0.75, 0.6
"""The same, below which nothing was added to the light, as bands are, and correlation of the coarse light, below which
it lies elsewhere: snow on dark ground may have made them. And the score of what it may have made. Of 1,634 pictures in
snow by day none has bands beyond 0.06, but 13 a ripple beyond 0.06 that is nearly even, and they fit by 0.67 at most;
of 87 simulated ripples without bands one fits by less than 0.88, before a bare wall."""
_CHANCE = 0.12
"""Amplitude of the strongest wave that white noise of deviation 1 has by chance, with a margin."""
_ENOUGH = 300
"""Edges of a picture that has contrast; of a view that is seen again without any plain rows nobody counts them."""
_GAIN, _FIT = (0.7, 1.4), 0.85
"""Brightness against the reference, and correlation of the coarse light, in the same weather."""
_UNLEARNED = 0.65
"""How clearly digits must be read of a font that no reference has shown."""
_ALL = 0.75
"""Share of all breaks between rows that lie on the grid: by chance one in sixteen does."""
_SILENT, _SEEN = 0.2, 0.5
"""Levels of noise below which a reference has none, and below which nobody sees any."""
_BLOCKS = 4
"""Breaks between rows that a picture of single-coloured blocks has at least."""
_LATTICE = 0.5
"""Strength of a wave in another direction, against the strongest, from which on they may be a thing's."""
_SOMEWHERE = 0.5
"""How even a wave is over the picture, below which it is a thing's, which another thing hid when the reference was
taken: a zebra crossing, a front of windows. Of 56 simulated waves that references don't have one is less even; of the
healthy cameras that show such a wave, seven of eight never reach it."""
_EVEN_WAVE = 0.6
"""Share of what varies over the height that lies in one wave, where it is an even one."""
_MORE_HUM = 0.15
"""By how much more of the light must lie in one sine than in any reference."""
_EVEN = 0.6
"""Noise of the least noisy small tiles against that of a quarter of them, where it is a sensor's."""
_MORE_COLOUR, _SOME_COLOUR = 1.4, 0.12
"""How many times a reference's noise of colours, and how many levels more, is more."""
_AT_NIGHT = 2.4
"""A healthy sensor is this much noisier at night, against the limit for the day."""


def noisy(of: Evidence) -> Verdict:
    """Noise where the picture is smoothest, or lonely pixels, well above what the camera has shown before."""
    look, limits = of.look, of.limits
    factor = 1.0 if of.by_day or of.hour is None else _AT_NIGHT
    grain = score(look["noise"] / factor, limits.noise if of.compared else limits.noise_alone)
    lonely = score(look["speckle"] - of.most_of_references("speckle"), limits.speckle)
    if of.compared and look["noise"] < limits.noise_more * of.most_of_references("noise"):
        grain = 0.0
    if _same_light(of) and look["noise"] >= limits.noise_manifold * of.most_of_references("noise"):
        grain = max(grain, score(look["noise"], limits.noise_again))
    grown = 0.0
    if _same_light(of) and _grown_in_colour(of):
        # Rain and fine texture show in the light alone, a sensor's noise and its hot pixels in the colours too.
        grown = score(look["noise"] / max(of.most_of_references("noise"), _SILENT), limits.noise_grown)
    # A scene has hardly any fine texture in its colours, so noise shows there first where the camera has smoothed it.
    coloured = score(
        (look["colour_noise"] - of.most_of_references("colour_noise")) / factor,
        limits.colour_noise if of.compared else limits.colour_noise_alone,
    )
    hot = score(look["hot"] - of.most_of_references("hot"), limits.hot)
    seen = pick(look, "noise", "speckle", "hot", "colour_noise", "even")
    if look["even"] < _EVEN:
        # Leaves and gravel, enlarged or sharpened, look like noise wherever they are.
        if not of.compared:
            return GOOD
        grain = lonely = 0.0
    return verdict(Cause.NOISY, (grain, lonely, grown, hot, coloured), seen)


def _same_light(of: Evidence) -> bool:
    """Whether it is day and as bright as in the likest reference, of the same size: then noise is no other either."""
    change = of.change
    if not change or not of.by_day or of.resized:
        return False
    return _GAIN[0] < change["gain"] < _GAIN[1] and change["contrast_fit"] > _FIT


def _grown_in_colour(of: Evidence) -> bool:
    """Whether there is noise at all, and more of it in the colours too than in any reference."""
    known, coloured = of.most_of_references("colour_noise"), of.look["colour_noise"]
    return of.look["noise"] >= _SEEN and coloured >= max(_MORE_COLOUR * known, known + _SOME_COLOUR)


def striped(of: Evidence) -> Verdict:
    """A wave over the whole picture, lines torn from border to border, or bands that the reference does not have."""
    look, limits = of.look, of.limits
    seen = pick(look, "wave", "wave_prominence", "torn_rows", "torn_columns", "breaks", "hum", "combed")
    # Rows that are drawn down make upright stripes.
    drawn = look["dragged"] - of.most_of_references("dragged") >= limits.dragged[0]
    names = ("torn_rows",) if drawn else ("torn_rows", "torn_columns")
    torn = max(look[name] - of.most_of_references(name) for name in names)
    wave = 0.0
    # What is added to the light leaves the edges of the view where they were; bubbles on the glass do not.
    bubbles = look["lattice"] >= _LATTICE and of.change.get("local", 1.0) < FAINTLY_KNOWN
    if not drawn and not bubbles and look["wave"] >= max(limits.wave, _CHANCE * look["noise"]):
        if not of.compared:
            crossed = look["lattice"] >= _LATTICE
            is_new = look["wave_spread"] >= (limits.crossed_spread if crossed else limits.wave_spread)
        else:
            is_new = look["wave"] > 1.7 * of.most_of_references("wave") and look["wave_spread"] >= _SOMEWHERE
        if is_new:
            wave = score(look["wave_prominence"], limits.wave_prominence)
            if of.compared and look["wave_prominence"] > 1.4 * of.most_of_references("wave_prominence"):
                wave = max(wave, score(look["wave_prominence"], limits.wave_more))
    breaks = look["breaks"] - look["breaks_on_grid"]
    known = max((_breaks(c.reference.measures) for c in of.compared), default=0.0)
    unsynchronised = 0.0 if _mosaic(of) else score(breaks - known, limits.breaks)
    bands = 0.0
    whole = not look["damaged"] and look["plain_rows"] < limits.plain_rows[0]
    if of.change and not of.by_night and whole and look["breaks_on_grid"] < limits.breaks_on_grid[0]:
        least = of.least_change("bands")
        # Fog lies in bands too, but it leaves little contrast.
        spread = of.change.get("spread", 1.0)
        bands = score(least, limits.bands) if spread > _FOG else 0.0
        if spread < _ADDED_TO and of.change["contrast_fit"] < _FIT_STILL:
            bands = min(bands, _BY_WEATHER)
        seen |= {"bands": round(least, 4)}
    ripple = 0.0
    if of.least_change("ripple_even") >= _EVEN_WAVE and not of.by_night:
        # What comes and goes in a scene does not do so in even rows from border to border, whatever it is held against.
        ripple = score(of.least_change("ripple"), limits.ripple)
        if of.change["contrast_fit"] < _FIT_STILL:
            ripple = min(ripple, _BY_WEATHER)
        seen |= pick(of.change, "ripple")
    hum = score(look["hum"], limits.hum) if look["hum"] > of.most_of_references("hum") + _MORE_HUM else 0.0
    combed = score(look.get("combed", 0.0), limits.combed)
    return verdict(Cause.STRIPED, (wave, score(torn, limits.torn), bands, unsynchronised, hum, ripple, combed), seen)


def _mosaic(of: Evidence) -> float:
    """How surely the picture is of blocks that each have one colour, as a decoder draws them that got no more: by day
    most rows repeat the one above, between breaks, which no reference's did."""
    look = of.look
    if not of.by_day or look["breaks"] < _BLOCKS:
        return 0.0
    more = score(look["repeated"] - of.most_of_references("repeated"), of.limits.mosaic)
    return more if more >= LEAST else 0.0


def _breaks(look: Measures | None) -> float:
    """Breaks between lines that are not those between macroblocks."""
    return look["breaks"] - look["breaks_on_grid"] if look else 0.0


def corrupt(of: Evidence) -> Verdict:
    """The decoder complained, or the picture shows what decoders put where data was missing."""
    look, limits = of.look, of.limits
    seen = pick(look, "damaged", "plain_rows", "flat_share", "broken", "dragged", "breaks_on_grid", "unwritten")
    filled = score(look["plain_rows"] - of.most_of_references("plain_rows"), limits.plain_rows)
    broken = score(look["broken"] - of.most_of_references("broken"), limits.broken)
    plain = 0.0
    if look["plain_rows"] >= _FILLED:
        plain = score(look["flat_share"] - of.most_of_references("flat_share"), limits.plain_part)
    if look["deviation"] < 8 or look.get("edges", _ENOUGH) < _ENOUGH:
        # So little contrast that coding alone makes it plain.
        filled = plain = 0.0
    dragged = score(look["dragged"] - of.most_of_references("dragged"), limits.dragged)
    if look.get("empty", 0.0) >= MOSTLY_EMPTY:
        # Rows of smooth light repeat each other by themselves; what is drawn down leaves upright edges everywhere.
        dragged = 0.0
    # Horizons and the bars under burnt-in text may lie on the grid too; but hardly many edges, and all of them.
    on_grid = look["breaks_on_grid"]
    if of.compared:
        out_of_place = score(on_grid - of.most_of_references("breaks_on_grid"), limits.breaks_on_grid)
    else:
        out_of_place = score(on_grid, limits.breaks_on_grid_alone) if on_grid >= _ALL * look["breaks"] else 0.0
    damaged = 1.0 if look["damaged"] else 0.0
    unwritten = score(look["unwritten"], limits.unwritten)
    scores = (damaged, filled, plain, broken, dragged, out_of_place, unwritten, _mosaic(of))
    return verdict(Cause.CORRUPT, scores, seen, of.sight.where.get("broken", ()))


def frozen(of: Evidence) -> Verdict:
    """Pictures of different times that are the same outside the clock, where a live sensor's noise would differ."""
    between = of.sight.between
    if between is None:
        return Unjudged.ONE_FRAME
    if between.get("seconds", 1.0) < 0.5:
        return Unjudged.TOO_SHORT
    if between["identical"] >= 1:
        return verdict(Cause.FROZEN, (1.0,), pick(between, "identical", "seconds"))
    return _held(between, of)


def _held(between: Measures, of: Evidence) -> Verdict:
    """Whether one exposure was sent again and again.

    Coding may have flattened all noise: only where there is texture does sameness prove anything.
    """
    limits = of.limits
    if between["same"] < limits.frozen_doubt:
        return GOOD
    if between["told"] < limits.frozen_told:
        return Unjudged.NOTHING_TO_SEE
    if between["same"] < limits.frozen_same:
        return Unjudged.TOO_STILL
    return verdict(Cause.FROZEN, (0.9,), pick(between, "same", "told", "seconds"))


def osd_clock(of: Evidence) -> Verdict:
    """The burnt-in clock stands still, or shows another time than that of capture."""
    clock, limits = of.sight.clock, of.limits
    if clock is None:
        return Unjudged.NO_CLOCK
    seen = pick(clock, "seconds_off", "sure", "stopped")
    if clock.get("stopped", 0.0) >= 1:
        return verdict(Cause.OSD_CLOCK, (0.9,), seen)
    if of.sight.frames[-1].at is None:
        return Unjudged.NO_TIME
    is_read = "seconds_off" in clock and clock["sure"] >= (0.5 if of.compared else _UNLEARNED)
    if not is_read:
        return Unjudged.NOT_READABLE
    return verdict(Cause.OSD_CLOCK, (score(abs(clock["seconds_off"]), limits.clock_seconds),), seen)
