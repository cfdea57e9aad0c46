"""Coverage of sites as metrics: absent where it is not known, and the same whether followed or looked at anew."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from camera_registry.board import Board, BoardEntry, Places
from camera_registry.model.device import Channel, Device, Kind, Life
from camera_registry.model.health import AspectState, State, Subject
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.sight import NEEDED
from exporters.coverage import SiteCoverage
from tests.exporters.test_prometheus import parse, value

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def entry(id: str, state: State = State.OK, life: Life = Life.ACTIVE) -> BoardEntry:
    states = tuple(
        AspectState(Subject(id, aspect), state if aspect is NEEDED[-1] else State.OK, state) for aspect in NEEDED
    )
    return BoardEntry(Device(id, Kind.CAMERA, life=life), (Channel(f"{id}-1", id),), states)


def board(*entries: BoardEntry, hours: str = "") -> Board:
    made = Board()
    views = [View("N", "gate", channels=("a-1",)), View("S", "gate", channels=("a-1", "b-1"))]
    made.places = Places({"gate": Site("gate", hours=hours)}, {"gate": views})
    made.swap(entries)
    return made


def told(coverage: SiteCoverage, name: str) -> float | None:
    return value(parse(coverage.text()), f"camera_site_{name}", site="gate")


def test_a_view_is_covered_by_any_of_its_channels():
    coverage = SiteCoverage(board(entry("a", State.DOWN), entry("b")))
    assert [told(coverage, name) for name in ("views_required", "views_covered", "coverage_ratio")] == [2, 1, 0.5]


def test_what_is_not_known_has_no_figure_and_what_is_known_to_be_bad_keeps_it():
    coverage = SiteCoverage(board(entry("a", State.DOWN), entry("b", State.STALE)))
    assert (told(coverage, "coverage_ratio"), told(coverage, "views_covered")) == (None, None)
    assert (told(coverage, "views_uncovered"), told(coverage, "views_unknown")) == (1, 1)


def test_outside_its_hours_nothing_is_required_and_planned_work_is_kept_apart():
    night = SiteCoverage(board(entry("a"), hours="20:00-21:00"), now=lambda: NOON)
    assert (told(night, "views_required"), told(night, "coverage_ratio")) == (0, None)
    works = SiteCoverage(board(entry("a", State.DOWN), entry("b")), under_work=lambda at: {"a"})
    assert (told(works, "views_planned"), told(works, "views_uncovered"), told(works, "coverage_ratio")) == (1, 0, 1)


def test_following_the_board_is_as_good_as_looking_anew():
    rng = random.Random(5)
    made = board()
    work: set[str] = set()
    following = SiteCoverage(made, lambda: ZoneInfo("UTC"), lambda: NOON + timedelta(hours=1), lambda at: {*work})
    for _ in range(200):
        id = rng.choice("ab")
        if rng.random() < 0.2:
            made.swap((), (id,))
        else:
            made.swap([entry(id, rng.choice(list(State)), rng.choice(list(Life)))])
        if rng.random() < 0.1:
            views = made.places.views["gate"]
            made.places = replace(made.places, views={"gate": views[:1] if len(views) > 1 else [views[0]] * 2})
        if rng.random() < 0.2:
            work ^= {rng.choice("ab")}
        anew = SiteCoverage(made, under_work=lambda at, covered=frozenset(work): covered)
        assert following.text() == anew.text()
