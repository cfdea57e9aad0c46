"""What devices tell alike is held once, and nobody is told anything else for it."""

from __future__ import annotations

import math
import tracemalloc

import orjson
from hypothesis import given
from hypothesis import strategies as st

from camera_registry.rules import alike
from camera_registry.rules.alike import Alike, news

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
    one, other = (shared.after({}, {"codec": "H264", "size": {"width": 1920}}) for _ in range(2))
    assert one is other
    assert shared.after(one, {"size": {"width": 1920}}) is one
    assert shared.after({}, {"codec": "H264", "size": {"width": 1280}}) != one
    one, other = (shared.shared({"profile": {"width": 1920}}) for _ in range(2))
    assert one["profile"] is other["profile"]


def test_what_a_device_told_weighs_no_more_than_its_json():
    shared = Alike()
    told = {"ports": [{"name": f"port {number}", "up": True, "rate": number / 7} for number in range(48)]}
    held = [shared.after({}, {"uptime": 1.5 * number, **told}) for number in range(2)]
    tracemalloc.start()
    held += [shared.after({}, {"uptime": 1.5 * number, "ports": [*told["ports"], number]}) for number in range(100)]
    weight = tracemalloc.get_traced_memory()[0] / 100
    tracemalloc.stop()
    assert weight < 1.5 * len(orjson.dumps(told))
    assert held[5]["ports"] == [*told["ports"], 3]


def test_who_changes_what_was_read_changes_no_other_reading():
    facts = Alike().after({}, {"size": {"width": 1920}})
    size = facts["size"]
    assert isinstance(size, dict)
    size.clear()
    assert facts == {"size": {"width": 1920}}


def test_only_what_differs_is_news():
    shared = Alike()
    before = shared.after({}, {"rate": 1, "sizes": [1, 2], "mac": "02"})
    assert set(news(shared.after(before, {"rate": True, "sizes": [1, 2], "mac": "03"}), before)) == {"rate", "mac"}


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
