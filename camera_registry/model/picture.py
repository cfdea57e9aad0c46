"""Pictures: what was measured of one and of its references, and what is held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from camera_registry.model.health import Cause

Measures = Mapping[str, float]
"""Names to numbers, as ``probes.picture.measuring`` documents them. Of a picture that was compared what nobody asks for
then is missing (``probes.picture.likeness.as_sharp``); of a reference nothing is."""

JUDGED = (
    Cause.NO_SIGNAL,
    Cause.FROZEN,
    Cause.BLURRED,
    Cause.COVERED,
    Cause.OVEREXPOSED,
    Cause.DARK,
    Cause.LOW_CONTRAST,
    Cause.COLOUR_CAST,
    Cause.NOISY,
    Cause.STRIPED,
    Cause.CORRUPT,
    Cause.MOVED,
    Cause.DIRTY,
    Cause.OSD_CLOCK,
)
"""What a judgement speaks of, each as a fault, as checked or as not checked. A black picture is ``no_signal`` where it
is dead and ``dark`` where a sensor still shows its noise; ``black`` is a cause of the engine's, which sees no more."""


class Unjudged(StrEnum):
    """Why a cause was not judged. Not judged is neither bad nor good."""

    NO_REFERENCE = "no_reference"
    NO_FITTING_REFERENCE = "no_fitting_reference"
    ONE_FRAME = "one_frame"
    TOO_SHORT = "too_short"
    TOO_STILL = "too_still"
    NO_CLOCK = "no_clock"
    NOT_READABLE = "not_readable"
    NO_TIME = "no_time"
    NIGHT = "night"
    DIM_HOURS = "dim_hours"
    UNREADABLE_PICTURE = "unreadable_picture"
    NOTHING_TO_SEE = "nothing_to_see"
    STANDS_DOWN = "stands_down"
    MONOCHROME = "monochrome"
    MAY_MOVE = "may_move"
    MASKED = "masked"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as it was measured: ``measures`` where it could be read, else ``refused`` says why not.

    ``at`` is when it was taken, by the camera's local time, ``sun`` how high it stood then, in degrees, where that is
    known.
    """

    measures: Measures | None = None
    refused: str = ""
    at: datetime | None = None
    sun: float | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A reference, and what changed from it to the newest frame. None: they could not be compared.

    ``tiles`` shows where: by name, the rows of a map of 16 x 9 tiles, "1" for a tile that is concerned.
    """

    reference: Picture
    change: Measures | None = None
    tiles: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything one judgement is made of. ``frames`` are oldest first; ``between`` is measured over all of them, or
    from the picture before, of which an imprint is left.

    ``clock`` is what the burnt-in clock was read as: ``seconds_off`` against the time of capture, ``sure`` 0 to 1,
    ``stopped`` 1 where it shows the same in frames of different times; None where no clock is known to be burnt in.
    ``restless`` is what changed between two references, and so by itself.
    ``sun`` is its elevation in degrees when the newest frame was taken, where the camera's place is known: it tells day
    from night better than the hour. ``may_move``: the camera tours by itself, and is nowhere wrong. ``masked`` is the
    share of the picture that nobody may see. ``where`` are maps of the newest frame itself, as ``Compared.tiles``.
    """

    frames: tuple[Picture, ...]
    references: tuple[Compared, ...] = ()
    between: Measures | None = None
    clock: Measures | None = None
    restless: Measures | None = None
    sun: float | None = None
    may_move: bool = False
    masked: float = 0.0
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PictureFault:
    """A fault of a picture. ``score`` is 0.5 at the limit and 1 where nobody would doubt it; ``evidence`` are the
    numbers that it rests on, ``tiles`` where it is seen (rows of 16 x 9 tiles), if it is not everywhere."""

    cause: Cause
    score: float
    evidence: Measures = field(default_factory=dict)
    tiles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Faults, worst first; every cause is either in ``checked`` or, with the reason, in ``not_checked``.

    ``scores`` are those of all causes in ``checked``, below 0.5 where nothing was found.
    """

    faults: tuple[PictureFault, ...]
    checked: tuple[Cause, ...]
    not_checked: Mapping[Cause, Unjudged]
    scores: Mapping[Cause, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a measure becomes a fault: pairs of (limit, beyond doubt). The limit gives a score of 0.5.

    They stand where healthy pictures of the tuning scenes end (`python -m tests.judge_evaluation` prints recall and
    false alarms on scenes that were not looked at), not where synthetic faults begin.
    """

    day: tuple[int, int] = (8, 17)
    """Hours of local time that are day at any season: a dark picture then is a fault without a reference."""
    night: tuple[int, int] = (20, 5)
    """Hours of local time that are night in most seasons: nothing is inferred from missing light."""

    flat_share: tuple[float, float] = (0.72, 0.95)
    repeated: float = 0.75
    """Share of rows that a card has equal to the row above; letters on it take some."""
    black: float = 20.0
    """Level that 99 % of a dead picture's pixels stay below."""
    black_noise: float = 0.3
    """Deviation in levels that noise stays below where there is no sensor."""
    drawn: float = 0.55
    """Share of rows of one level, in a picture that is drawn and not seen; and share of its tiles without any noise."""
    drawn_silent: float = 0.78
    black_range: float = 0.7
    """Levels by which the tiles of a picture without anything in it differ; an underexposed scene has more."""

    dark_p95: tuple[float, float] = (58.0, 18.0)
    dark_p99_any_time: tuple[float, float] = (48.0, 20.0)
    dark_gain: tuple[float, float] = (0.36, 0.12)
    dark_everywhere: tuple[float, float] = (0.48, 0.20)
    """Brightness against a reference's by day; the second where nothing has kept more than 0.7 of its own: of 16,277
    pictures of healthy months none has less than 0.5 so."""

    clipped: tuple[float, float] = (0.40, 0.75)
    clipped_glaring: tuple[float, float] = (0.30, 0.75)
    """Without a reference; the second where the whole picture is bright: of 81,111 pictures of healthy months one more
    is beyond it than beyond the first."""
    clipped_more: tuple[float, float] = (0.30, 0.60)
    glaring: float = 130.0
    gain_everywhere: tuple[float, float] = (1.55, 2.2)
    """Mean level, and median brightness against any reference's, of a picture with too much light everywhere, whether
    it clips or not: of 16,277 pictures of healthy months one (new snow) is beyond 1.5."""

    deviation: tuple[float, float] = (13.0, 5.0)
    dark_channel: float = 100.0
    lit_channel: float = 35.0
    """Dark channel of a veil, and of any picture by day that is not too dark to tell."""
    spread: tuple[float, float] = (0.40, 0.15)
    spread_veiled: tuple[float, float] = (0.48, 0.15)
    faint: tuple[float, float] = (0.30, 0.18)
    """Structure of the clearest quarter of the tiles, against the reference's: fog as the season has it leaves 0.31."""
    spread_pale: tuple[float, float] = (0.25, 0.10)
    """Of a view as bright as ever: fog that leaves so little lifts the dark places too, an amplifier need not."""

    cast: tuple[float, float] = (0.22, 0.60)
    cast_partly: tuple[float, float] = (0.30, 0.80)
    pink: tuple[float, float] = (0.08, 0.35)
    """Share of the picture that has turned pink: of 1,156 healthy ones none is beyond 0.03."""
    cast_pink: tuple[float, float] = (0.06, 0.20)
    """By how much both blue and red have grown against green, as log ratios, all over the picture: of 16,277 pictures
    of healthy months none is beyond 0.06 by day."""
    turned: tuple[float, float] = (0.35, 0.70)
    """What of the colours follows from the reference's by a turn of their hues, beyond what does without one."""
    cast_warm: tuple[float, float] = (1.25, 1.9)
    cast_cold: tuple[float, float] = (0.60, 1.2)
    cast_sky: tuple[float, float] = (1.15, 1.8)
    cast_infrared: tuple[float, float] = (0.36, 0.9)
    cast_unlit: tuple[float, float] = (0.42, 0.9)
    """Shift of all colours (``shift``) without a reference, by the hue that they lie in: that of lamps, earth and
    leaves, where sandstone and brick that fill the picture reach 1.21; that of sky and water
    (0.35; open shade under a clear sky is about 0.4), where a clear sky with little else in it is itself about 1.1;
    pink, which infrared makes; and those others that no light has. Of 2,496 pictures of healthy months that are pink by
    day 41 are beyond 0.36: of violet evening skies, which are gone by day, and of painted walls."""

    noise: tuple[float, float] = (4.5, 14.0)
    noise_alone: tuple[float, float] = (5.8, 14.0)
    """Fine texture all over the picture looks like noise; only a reference tells them apart below this."""
    noise_more: float = 4.0
    noise_again: tuple[float, float] = (1.5, 6.0)
    noise_manifold: float = 6.0
    """By day, in the light of the references and at their size, a sensor's noise is what it was: the level from which
    on it is looked at, and how many times theirs it may be."""
    noise_grown: tuple[float, float] = (2.5, 8.0)
    """How many times theirs, where the noise of the colours has grown with it."""
    speckle: tuple[float, float] = (0.018, 0.06)
    hot: tuple[float, float] = (0.006, 0.03)
    colour_noise: tuple[float, float] = (0.8, 3.0)
    colour_noise_alone: tuple[float, float] = (1.3, 4.0)

    wave_prominence: tuple[float, float] = (6.5, 16.0)
    wave_more: tuple[float, float] = (6.3, 14.0)
    wave: float = 2.5
    wave_spread: float = 0.55
    crossed_spread: float = 0.70
    """How even a wave is over the picture, without a reference: a fence stands somewhere. The second where another wave
    crosses it, as in a fence and in bricks: of 81,111 pictures of healthy months 327 have one alone that stands out,
    none beyond 0.46; crossed ones reach 0.63."""
    breaks: tuple[float, float] = (3.0, 8.0)
    torn: tuple[float, float] = (0.012, 0.05)
    bands: tuple[float, float] = (0.14, 0.30)
    combed: tuple[float, float] = (1.15, 1.5)
    ripple: tuple[float, float] = (0.025, 0.06)
    """Root mean square of an even wave over the height that no reference has, as a log ratio of light."""
    hum: tuple[float, float] = (0.60, 0.85)
    """Of 1,646 healthy pictures, nights too, none is beyond 0.57."""

    plain_rows: tuple[float, float] = (0.06, 0.25)
    plain_part: tuple[float, float] = (0.25, 0.50)
    broken: tuple[float, float] = (0.045, 0.09)
    dragged: tuple[float, float] = (0.085, 0.25)
    mosaic: tuple[float, float] = (0.35, 0.60)
    """By how many rows more than in any reference repeat the one above, as a share of the height."""
    unwritten: tuple[float, float] = (0.02, 0.10)
    breaks_on_grid: tuple[float, float] = (2.0, 6.0)
    breaks_on_grid_alone: tuple[float, float] = (4.0, 10.0)
    """Of 1,732 healthy pictures none has more than one."""

    displacement: tuple[float, float] = (0.020, 0.10)
    agreement: float = 0.40
    strange: float = 0.12

    keen: tuple[float, float] = (0.165, 0.12)
    """Structure function where a picture is sharpest: of 1,000 healthy ones of streets, trails and rooms none with soft
    edges is below 0.166."""
    keen_one_way: tuple[float, float] = (0.180, 0.12)
    """The same, without a reference, where edges are wider in one direction than in the others."""
    softness: tuple[float, float] = (0.90, 1.30)
    """Where too little varies for that: mean of edge width and re-blur metric, each as a share of where healthy
    pictures end, 1.15 pixels and 0.46."""
    middle_sharpness: tuple[float, float] = (0.83, 0.50)
    middle_sharpness_unlike: tuple[float, float] = (0.72, 0.45)
    """The same in other light than the reference's, or at another resolution."""
    detail: tuple[float, float] = (0.62, 0.25)

    edge_wider: float = 0.15
    """Pixels by which edges must be wider than in any reference."""
    hidden: tuple[float, float] = (0.16, 0.50)
    near: tuple[float, float] = (0.10, 0.35)
    plate: tuple[float, float] = (0.04, 0.20)
    lost: tuple[float, float] = (0.22, 0.50)
    lost_patch: float = 0.08
    faded_spots: float = 0.10
    faded_drops: float = 0.13
    film: tuple[float, float] = (0.13, 0.32)
    blots: tuple[float, float] = (0.10, 0.30)
    film_parts: float = 8.0
    dirty: tuple[float, float] = (0.10, 0.24)
    dirty_parts: float = 4.0
    drops: tuple[float, float] = (0.22, 0.60)
    dirty_places: tuple[float, float] = (22.0, 50.0)
    """Small places that are dull or lost, in 576."""

    frozen_same: float = 0.99
    """Share of unchanged pixels (of unchanged tiles, where only an imprint of the picture before is left, which is
    harder to reach); a live sensor at a twentieth of the usual noise, at JPEG quality 40, reaches 0.988."""
    frozen_doubt: float = 0.90
    """From here up to that, the camera may have smoothed all noise away: not judged."""
    frozen_told: float = 0.004
    clock_seconds: tuple[float, float] = (60.0, 3600.0)
