"""Whatever happens in whatever order, orders live a legal life, and every minute of an outage belongs to somebody."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.dispatch import Calendar, DispatchPolicy
from camera_registry.model.incident import Incident, Party
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.work_order import (
    CancelReason,
    Deadlines,
    HoldReason,
    OrderChange,
    OrderState,
    OrderStep,
    WorkOrder,
)
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Refusal
from camera_registry.rules.dispatch.hours import worked
from camera_registry.rules.incidents.pausing import unpaused
from tests.rules.dispatch.town import CREW, DUTY, Town
from tests.rules.incidents.city import NOON, at, camera

S = OrderState
LEGAL = {
    S.NEW: {S.ASSIGNED, S.ON_HOLD, S.VERIFIED, S.CANCELLED},
    S.ASSIGNED: {S.ACCEPTED, S.ON_HOLD, S.VERIFIED, S.CANCELLED},
    S.ACCEPTED: {S.ASSIGNED, S.ON_SITE, S.ON_HOLD, S.FIXED, S.CANCELLED},
    S.ON_SITE: {S.ASSIGNED, S.ON_HOLD, S.FIXED, S.CANCELLED},
    S.ON_HOLD: {S.NEW, S.ASSIGNED, S.ACCEPTED, S.ON_SITE, S.VERIFIED, S.CANCELLED},
    S.FIXED: {S.ACCEPTED, S.ON_SITE, S.VERIFIED, S.CANCELLED},
    S.VERIFIED: {S.CLOSED, S.ASSIGNED, S.NEW},
    S.CLOSED: {S.ASSIGNED, S.NEW},
    S.CANCELLED: {S.ASSIGNED, S.NEW},
}
"""The life of domain.md: what may follow what."""

POLICY = DispatchPolicy(
    calendars={
        "day": Calendar(frozenset(range(7)), ((12 * 60, 12 * 60 + 20), (12 * 60 + 30, 23 * 60)), "Asia/Shanghai")
    },
    deadlines=dict.fromkeys(DispatchPolicy().deadlines, Deadlines(300, 600, 1800)),
    usual_calendar="day",
    verify_within=200,
    close_after=900,
    repeat_within=3000,
)
DEEDS = (
    (deeds.assign, "weibao", "crew-east"),
    (deeds.accept,),
    (deeds.arrive,),
    (deeds.hold, HoldReason.POWER_COMPANY, ""),
    (deeds.resume,),
    (deeds.fix, ""),
    (deeds.close, 4, ""),
    (deeds.cancel, CancelReason.OTHER, ""),
    (deeds.reopen, ""),
)
EVENTS = st.one_of(
    st.tuples(st.just("lose"), st.integers(0, 3)),
    st.tuples(st.just("back"), st.integers(0, 3)),
    st.tuples(st.just("silent"), st.integers(0, 3)),
    st.tuples(st.just("hear"), st.integers(0, 3)),
    st.tuples(st.just("window"), st.integers(1, 3)),
    st.tuples(st.just("do"), st.integers(0, 2 * len(DEEDS) - 1), st.integers(0, 4)),
    st.tuples(st.just("do"), st.integers(1, 5), st.integers(0, 1)),
    st.tuples(st.just("wait"), st.sampled_from((5, 30, 90, 240, 700))),
)


class Life(Town):
    """A switch, two cameras behind it and one by itself, to which things happen."""

    def __init__(self) -> None:
        behind = {"area": "east-1", "contractor": "weibao", "parent": "cam-000"}
        switch, alone = camera(0, area="east"), camera(3, area="west")
        super().__init__([switch, camera(1, **behind), camera(2, **behind), alone], POLICY)
        self.seen: dict[int, WorkOrder] = {}

    def happen(self, event: tuple[str, int] | tuple[str, int, int]) -> None:
        what, n = event[:2]
        device = f"cam-{n:03}"
        if what == "lose":
            self.lose(device, self.now)
        elif what == "back":
            self.back(device, self.now)
        elif what == "silent":
            self.silent(device, self.now)
        elif what == "hear":
            self.hear(device, self.now, good=True)
        elif what == "window":
            covers = Cover(devices=(f"cam-{n:03}",))
            made = Window(n, WindowKind.FIXED, covers, at(self.now), at(self.now + 400), "", "li", NOON)
            self.windows = [one for one in self.windows if one.id != n] + [made]
        elif what == "do":
            self.attempt(n, sorted(self.orders.orders)[event[2] % len(self.orders.orders)] if self.orders.orders else 0)  # type: ignore[misc]
        else:
            self.until(self.now + n)

    def attempt(self, n: int, id: int) -> None:
        deed, *given = DEEDS[n % len(DEEDS)]
        with suppress(Refusal, KeyError):
            self.do(id, deed, *given, actor=CREW if n >= len(DEEDS) else DUTY)  # type: ignore[arg-type]

    def _follow(self) -> None:
        super()._follow()
        for id, order in self.orders.orders.items():
            before = self.seen.get(id, order)
            if order.state is not before.state:
                steps = self.states_between(before, order)
                assert steps, f"{before.state} > {order.state}"
            assert order.version >= before.version
            assert (order.state is S.ON_HOLD) == (order.held_from is not None)
            assert all(hold.until is not None for hold in order.holds[:-1])
            assert (order.state is S.ON_HOLD) == bool(order.holds and order.holds[-1].until is None)
            spent, earlier = worked(order, POLICY, at(self.now)), worked(before, POLICY, at(self.now))
            assert timedelta() <= spent <= max(timedelta(), at(self.now) - order.sent_at)
            assert before.sent_at != order.sent_at or earlier <= spent + timedelta(seconds=self.now)
            self.seen[id] = order
        for incident in self.book.incidents.values():
            self.check_charges(incident)

    def states_between(self, before: WorkOrder, after: WorkOrder) -> bool:
        """Whether one or two legal steps lead from one state to the other: one fold may take two."""
        direct = LEGAL[before.state]
        return after.state in direct or any(after.state in LEGAL[middle] for middle in direct)

    def check_charges(self, incident: Incident) -> None:
        """The pause is what would be the device's own while an order was on hold, and nothing else."""
        now, plain = at(self.now), incident.charged(at(self.now))
        beneath = unpaused(incident.spans)
        borders = [span.since for span in beneath] + [max(now, incident.started)]
        wanted = timedelta()
        for span, begins, ends in zip(beneath, borders, borders[1:], strict=False):
            if span.party is Party.DEVICE:
                for hold in self.paused_by.get(incident.id, ()):
                    overlap = min(hold.until or now, ends) - max(hold.since, begins)
                    wanted += max(timedelta(), overlap)
        assert plain.get(Party.PAUSE, timedelta()) == wanted
        assert sum(plain.values(), timedelta()) == max(timedelta(), now - incident.started)

    def fold(self, flips: object = ()) -> None:
        self.paused_by = dict(self.holds)
        super().fold(flips)  # type: ignore[arg-type]

    def do(self, *given: object, **more: object) -> WorkOrder:
        made = super().do(*given, **more)  # type: ignore[arg-type]
        self.fold()
        return made


def pushed_once(ordered: list[OrderChange]) -> None:
    pushes: Counter[tuple[int, object]] = Counter()
    for change in ordered:
        if change.step in (OrderStep.OPENED, OrderStep.REOPENED, OrderStep.ASSIGNED):
            pushes = Counter({key: n for key, n in pushes.items() if key[0] != change.order.id})
        elif change.step is OrderStep.ESCALATED:
            pushes[change.order.id, change.values["phase"]] += 1
    assert not pushes or max(pushes.values()) == 1


def live(events: list[tuple[str, int]]) -> Life:
    life = Life()
    for event in events:
        life.happen(event)
        pushed_once(life.ordered)
    life.until(life.now + 120)
    told = {incident.id for incident in life.open if not incident.muted}
    about = {order.incident for order in life.orders.orders.values()}
    assert told <= about, "nobody is sent for an incident that is told"
    return life


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=30))
def test_an_order_lives_a_legal_life_whatever_happens_and_the_same_twice(events: list[tuple[str, int]]) -> None:
    life = live(events)
    again = live(events)
    assert again.ordered == life.ordered
    assert again.orders == life.orders
