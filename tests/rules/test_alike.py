"""What devices tell alike is held once, and nobody is told anything else for it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from camera_registry.rules import alike
from camera_registry.rules.alike import Alike

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=3) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(st.lists(st.tuples(FACTS, FACTS), max_size=4))
def test_facts_are_what_was_told_whatever_others_have_told(told: list[tuple[dict[str, object], dict[str, object]]]):
    shared = Alike()
    for before, now in told:
        assert shared.after(shared.after({}, before), now) == {**before, **now}


def test_devices_of_one_model_hold_what_they_tell_alike_together():
    shared = Alike()
    one, other = (shared.after({}, {"ntp": {"servers": ["ntp"]}, "mac": mac}) for mac in ("02", "03"))
    assert one["ntp"] is other["ntp"]
    assert one["mac"] != other["mac"]
    assert shared.after(one, {"ntp": {"servers": ["ntp"]}}) is one


def test_what_json_writes_alike_is_not_taken_for_the_same():
    shared = Alike()
    shared.after({}, {"seen": {"rate": None}})
    rate = shared.after({}, {"seen": {"rate": math.nan}})["seen"]
    assert isinstance(rate, dict)
    assert math.isnan(rate["rate"])
    assert shared.after({"up": True}, {"up": 1})["up"] is not True


def test_no_more_is_remembered_than_is_worth_it(monkeypatch):
    monkeypatch.setattr(alike, "MOST", 3)
    shared = Alike()
    for number in range(10):
        assert shared.after({}, {"list": [number]}) == {"list": [number]}
    assert shared.after({}, {"long": ["x" * alike.LARGEST]}) == {"long": ["x" * alike.LARGEST]}
