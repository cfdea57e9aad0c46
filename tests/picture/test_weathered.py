"""What weather and light do to a healthy view, by the numbers that they change: it is told from what a lens has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from camera_registry.model.health import Cause
from camera_registry.model.picture import Judgement, Unjudged
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from tests.picture import lens

NOON, MIDNIGHT = datetime(2026, 7, 2, 12), datetime(2026, 7, 2, 0)  # noqa: DTZ001 - local time has no zone
BY_DAY, BY_NIGHT = datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 0)  # noqa: DTZ001

Numbers = Mapping[str, float]


def judged(change: Numbers, look: Numbers | None = None, known: Numbers | None = None) -> Judgement:
    """Of a street by noon that is as it was accepted but for these numbers: of what changed from the reference, of the
    picture itself (``dark_channel`` and the like: by how much it is above the reference's), and of the reference."""
    made = found(change, look, known)
    return judge(sight(made, [NOON], [BY_DAY]))


def found(change: Numbers, look: Numbers | None = None, known: Numbers | None = None) -> dict[str, Any]:
    made = lens.found(1.0)
    (changed,), (reference,) = made["changes"], made["references"]
    changed |= {"agreement": 0.9, "still_agreement": 0.9, "displacement": 0.0, "structure_high": 1.0, "local": 0.9}
    changed |= change
    measures = made["frames"][-1]["measures"]
    risen = look.get("risen", 0.0) if look else 0.0
    made["frames"][-1]["measures"] = {**measures, **(look or {})}
    made["frames"][-1]["measures"]["dark_channel"] = reference["measures"]["dark_channel"] + risen
    made["references"][0] = {"measures": {**reference["measures"], **(known or {})}}
    return made


def score(of: Judgement, cause: Cause) -> float:
    return max((fault.score for fault in of.faults if fault.cause is cause), default=0.0)


LIES = {"hidden": 0.5, "hidden_patch": 0.4, "hidden_dark": 0.05, "contrast_fit": 0.6, "local": 0.6}
"""Half of the view is hidden, nearly all of it by what has become brighter."""


def test_what_lies_white_on_the_ground_covers_no_lens_and_what_leaves_the_dark_dark_does() -> None:
    assert score(judged(LIES, {"risen": 20.0}), Cause.COVERED) == 0
    assert score(judged(LIES), Cause.COVERED) > 0.8


def test_what_hides_without_being_bright_covers_in_snow_too() -> None:
    assert score(judged({**LIES, "hidden_dark": 0.5}, {"risen": 20.0}), Cause.COVERED) > 0.8


SPOTTED = {"patchy_dark": 0.4, "patchy_parts": 20.0, "dulled": 0.3, "lost": 0.3, "middle_sharpness": 0.8}


def test_snow_in_patches_is_no_dirt_and_can_not_be_told_from_it() -> None:
    snowed = judged({**SPOTTED, "contrast_fit": 0.8}, {"risen": 12.0})
    assert snowed.not_checked[Cause.DIRTY] is Unjudged.NO_FITTING_REFERENCE
    assert score(judged({**SPOTTED, "contrast_fit": 0.8}), Cause.DIRTY) > 0.5


CARD = {"flat_share": 0.97, "repeated": 1.0, "edges": 100.0, "silent": 0.95}


def test_a_smooth_view_that_is_seen_again_is_no_card() -> None:
    assert score(judged({"agreement": 0.7}, CARD), Cause.NO_SIGNAL) == 0
    assert score(judged({"agreement": 0.2}, CARD), Cause.NO_SIGNAL) > 0.5


TINTED = {"cast": 1.2, "cast_share": 0.95, "cast_tiles": 0.9, "cast_to_grey": 0.0}


def test_a_cast_is_doubtful_where_air_of_a_colour_may_have_come_between() -> None:
    coloured = {"colourfulness": 20.0}
    assert score(judged(TINTED, coloured, coloured), Cause.COLOUR_CAST) == 1.0
    assert score(judged(TINTED, {**coloured, "risen": 60.0}, coloured), Cause.COLOUR_CAST) == 0.6


@pytest.mark.parametrize(("fine", "blurred"), [(0.97, False), (0.88, False), (0.73, True), (0.5, True)])
def test_air_weakens_fine_and_coarse_structure_alike_and_blur_the_fine_first(fine: float, blurred: bool) -> None:
    weak = {"structure": 0.35, "structure_high": 0.4, "spread": 0.95, "contrast_fit": 0.95, "middle_sharpness": fine}
    assert (score(judged(weak, {"keen": 0.15}), Cause.BLURRED) > 0) is blurred


def test_bands_are_doubtful_where_nothing_was_added_to_the_light_and_it_lies_elsewhere() -> None:
    bands = {"bands": 0.35, "spread": 0.6}
    assert score(judged({**bands, "contrast_fit": 0.58}), Cause.STRIPED) == 0.6
    assert score(judged({**bands, "contrast_fit": 0.9}), Cause.STRIPED) == 1.0
    assert score(judged({**bands, "spread": 1.2, "contrast_fit": 0.58}), Cause.STRIPED) == 1.0


def test_a_ripple_is_doubtful_where_the_light_lies_elsewhere_as_snow_lies_in_layers() -> None:
    ripple = {"ripple": 0.1, "ripple_even": 0.7}
    assert score(judged({**ripple, "contrast_fit": 0.67}), Cause.STRIPED) == 0.6
    assert score(judged({**ripple, "contrast_fit": 0.85}), Cause.STRIPED) == 1.0


def test_the_soft_shadow_on_a_bare_wall_says_nothing_of_the_lens() -> None:
    shadow = {"contrast_fit": 0.0, "gain": 0.2, "gain_high": 0.2}
    soft = {"keen": 0.13, "edge_tiles": 0.7, "edge_width": 1.7, "edge_width_worst": 1.8, "reblur": 0.75}
    assert judged(shadow, soft, {"empty": 0.96}).not_checked[Cause.BLURRED] is Unjudged.NOTHING_TO_SEE
    assert score(judged(shadow, soft), Cause.BLURRED) > 0.5


def test_a_wall_that_is_bare_by_day_is_not_known_again_by_the_noise_of_the_night() -> None:
    elsewhere = {"agreement": 0.1, "still_agreement": 0.05, "displacement": 0.3, "gain": 1.0}
    made = found(elsewhere, {"edges": 50_000.0}, {"empty": 0.0})
    for name in ("references", "changes", "tiles"):
        made[name] = [made[name][0], made[name][0]]
    strange = judge(sight(made, [MIDNIGHT], [BY_NIGHT, BY_DAY]))
    assert score(strange, Cause.MOVED) > 0.5
    by_day = made["references"][1]
    made["references"] = [made["references"][0], {"measures": {**by_day["measures"], "empty": 0.96}}]
    made["changes"] = [made["changes"][0], None]
    bare = judge(sight(made, [MIDNIGHT], [BY_NIGHT, BY_DAY]))
    assert bare.not_checked[Cause.MOVED] is Unjudged.NOTHING_TO_SEE


VAN = {"displacement": 0.4, "agreement": 0.6, "still_agreement": 0.0}
"""What stood in one corner of the accepted picture stands in the other one."""


def test_what_stood_before_a_bare_wall_when_it_was_accepted_moves_no_camera_and_veils_none() -> None:
    wall = judged({**VAN, "spread": 0.2, "structure_high": 0.2}, {"dark_channel": 120.0}, {"edge_tiles": 0.15})
    causes = (Cause.MOVED, Cause.LOW_CONTRAST, Cause.BLURRED)
    assert [wall.not_checked.get(cause) for cause in causes] == [Unjudged.NOTHING_TO_SEE] * 3
    assert score(judged(VAN, known={"edge_tiles": 0.3}), Cause.MOVED) > 0.75


def test_a_view_that_was_mostly_a_van_has_lost_no_contrast_to_the_air() -> None:
    gone = {"spread": 0.3, "structure_high": 0.2, "textured": 0.12}
    left = judged({**gone, "local": 0.0}, {"risen": 80.0})
    assert left.not_checked[Cause.LOW_CONTRAST] is Unjudged.NOTHING_TO_SEE
    assert score(judged(gone, {"risen": 80.0}), Cause.LOW_CONTRAST) > 0.5


def test_smooth_light_that_falls_evenly_down_a_wall_is_no_broken_decoding() -> None:
    assert score(judged({}, {"dragged": 0.3, "empty": 0.9}), Cause.CORRUPT) == 0
    assert score(judged({}, {"dragged": 0.3, "empty": 0.2}), Cause.CORRUPT) > 0.5


def test_a_passer_before_what_is_mostly_wall_moves_no_camera() -> None:
    assert score(judged(VAN, known={"edge_tiles": 0.5, "empty": 0.75}), Cause.MOVED) == 0


def test_a_bare_wall_whose_marks_are_found_elsewhere_has_moved() -> None:
    assert score(judged({**VAN, "matches": 40.0}, known={"edge_tiles": 0.15}), Cause.MOVED) > 0.75


def test_the_colour_of_what_has_lost_its_contrast_may_be_that_of_the_air() -> None:
    cast = {"cast": 0.8, "cast_share": 1.0, "cast_tiles": 1.0, "cast_to_grey": -0.9, "blue": 0.4, "red": -0.4}
    assert score(judged({**cast, "spread": 1.0}), Cause.COLOUR_CAST) > 0.7
    assert score(judged({**cast, "spread": 0.5}), Cause.COLOUR_CAST) <= 0.6


def test_a_field_that_pales_in_fog_has_no_cast_however_even_its_light_was() -> None:
    pales = {"cast": 0.6, "cast_share": 0.9, "cast_tiles": 1.0, "cast_to_grey": 0.99, "blue": 0.6, "red": 0.2}
    assert score(judged({**pales, "spread": 1.0, "structure_high": 0.6}), Cause.COLOUR_CAST) == 0
    assert score(judged({**pales, "spread": 1.0, "structure_high": 1.0}), Cause.COLOUR_CAST) > 0.7


def test_a_red_wall_behind_a_car_that_drove_on_is_no_cast() -> None:
    pink = {"cast": 0.0, "cast_share": 0.6, "cast_tiles": 1.0, "blue": 0.0, "red": 0.0, "pink": 0.12}
    assert score(judged({**pink, "foreign": 0.12}), Cause.COLOUR_CAST) == 0
    assert score(judged({**pink, "foreign": 0.0}), Cause.COLOUR_CAST) > 0.5


def test_the_dark_places_of_infrared_are_not_held_against_those_of_a_day() -> None:
    cast = {"cast": 0.8, "cast_share": 1.0, "cast_tiles": 1.0, "blue": 0.4, "red": -0.4}
    made = found(cast, {"risen": 60.0})
    infrared = {**made["references"][0]["measures"], "dark_channel": 200.0, "colourfulness": 0.5}
    for name in ("changes", "tiles"):
        made[name] = [made[name][0], None]
    made["references"] = [made["references"][0], {"measures": infrared}]
    assert score(judge(sight(made, [NOON], [BY_DAY, BY_NIGHT])), Cause.COLOUR_CAST) == pytest.approx(0.6)


def test_people_in_the_light_of_lamps_hide_nothing_of_the_dark_around_them() -> None:
    gone = {"hidden": 0.5, "hidden_patch": 0.3, "hidden_dark": 0.5, "contrast_fit": 0.7, "local": 0.1}
    assert score(judged({**gone, "structure": 1.0, "structure_high": 2.1}), Cause.COVERED) == 0
    assert score(judged({**gone, "structure": 0.2, "structure_high": 2.1}), Cause.COVERED) > 0.8


def test_snow_in_patches_on_dark_ground_takes_no_sharpness_from_the_lens() -> None:
    soft = {"middle_sharpness": 0.5, "contrast_fit": 0.95}
    assert score(judged({**soft, "structure": 4.0}), Cause.BLURRED) == 0
    assert score(judged({**soft, "structure": 1.2}), Cause.BLURRED) > 0.5
