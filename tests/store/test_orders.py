"""Work orders come back as they were kept, and are found by who, where, and what is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.incident import Severity
from camera_registry.model.people import Role
from camera_registry.model.work_order import Due, HoldReason, OrderState, Phase, WorkOrder
from camera_registry.rules.dispatch import deeds
from camera_registry.store import Store, audit, incidents, orders
from camera_registry.store.orders import Wanted
from camera_registry.store.pictures import Picture, Proof, Proofs
from camera_registry.store.sorting import Sorting
from tests.notices import at, incident, order

BOSS = deeds.Actor("li", Role.OPERATOR)
POLICY = DispatchPolicy()


def keep(store: Store, *made: WorkOrder) -> None:
    store.write_now(incidents.save, {one.incident: incident(one.incident) for one in made}.values())
    store.write_now(orders.save, made)


def test_an_order_comes_back_with_everything_that_was_done_to_it(store: Store) -> None:
    one = order(1)
    keep(store, one)
    steps = [deeds.accept(one, BOSS, at(10))]
    steps.append(deeds.hold(steps[-1].order, HoldReason.POWER_COMPANY, "停电\x00", BOSS, at(20)))
    steps.append(deeds.resume(steps[-1].order, BOSS, at(50), POLICY))
    steps.append(deeds.fix(steps[-1].order, "", BOSS, at(60)))
    done = replace(steps[-1].order, state=OrderState.VERIFIED, overdue=(Phase.ACCEPT,))
    steps.append(deeds.close(done, 5, "快", BOSS, at(90)))
    after = steps[-1].order
    store.write_now(orders.save, [after], steps)
    stored = store.read_now(orders.get, 1)
    clean = replace(after, holds=(replace(after.holds[0], note="停电\N{REPLACEMENT CHARACTER}"),))
    assert stored == clean
    assert [(row.step, row.actor) for row in store.read_now(orders.time_line, 1)] == [(s.step, "li") for s in steps]
    actions = [row.action for row in store.read_now(lambda tx: audit.trail(tx, about="order/1"))]
    assert actions == [f"order.{step.step}" for step in reversed(steps)]
    assert store.read_now(audit.verify).broken is None


def test_orders_come_worst_first_or_by_what_is_due_next(store: Store) -> None:
    late, soon = Due(at(60), at(120), at(180)), Due(at(30), at(120), at(180))
    keep(
        store,
        order(1, due=late, severity=Severity.P1),
        order(2, 2, due=soon, severity=Severity.P3),
        order(3, 3, due=Due(), state=OrderState.ON_HOLD, severity=Severity.P2),
        order(4, 4, due=soon, state=OrderState.CLOSED, severity=Severity.P1, opened_at=at(-5)),
        order(5, 5, due=soon, accepted_at=at(1), arrived_at=at(2), severity=Severity.P3),
    )

    def paged(sorting: Sorting) -> list[int]:
        seen: list[int] = []
        while found := store.read_now(
            orders.page, Wanted(), sorting=sorting, before_id=seen[-1] if seen else None, limit=2
        ):
            seen += [one.id for one in found]
        return seen

    assert paged(Sorting.WORST) == [4, 1, 3, 2, 5]
    assert paged(Sorting.DUE) == [2, 1, 5, 4, 3]
    assert paged(Sorting.NEWEST) == [5, 4, 3, 2, 1]


def test_orders_are_found_by_who_where_and_what_is_late(store: Store) -> None:
    held = order(3, 3, state=OrderState.ON_HOLD, due=Due(), crew="crew-2")
    over = order(4, 4, state=OrderState.CLOSED, closed_at=at(50))
    keep(
        store, order(1), order(2, 2, crew="", state=OrderState.ON_SITE, accepted_at=at(5), arrived_at=at(6)), held, over
    )

    def found(**wanted: object) -> list[int]:
        return [one.id for one in store.read_now(orders.page, Wanted(**wanted))]  # type: ignore[arg-type]

    assert found() == [4, 3, 2, 1]
    assert found(open=True) == [3, 2, 1]
    assert found(states=frozenset({OrderState.ON_HOLD})) == [3]
    assert found(crew="crew-1") == [4, 1]
    assert found(crew="crew-2", contractor="weibao-1") == [3, 2]
    assert found(contractor="weibao-2") == []
    assert found(incident=2) == [2]
    assert found(overdue=at(59)) == []
    assert found(overdue=at(61)) == [1]
    assert found(overdue=at(181)) == [2, 1]
    assert [one.id for one in store.read_now(orders.page, Wanted(), before_id=3, limit=1)] == [2]
    assert [one.id for one in store.read_now(orders.load, at(50) + timedelta(days=1))] == [1, 2, 3, 4]
    store.write_now(incidents.save, [incident(4, ended=at(40))])
    assert [one.id for one in store.read_now(orders.load, at(51))] == [1, 2, 3]
    assert store.read_now(orders.newest) == 4


def test_pictures_of_an_order_are_kept_while_it_is_open_and_so_long_after(store: Store, tmp_path: Path) -> None:
    keep(store, order(1), order(2, 2, state=OrderState.CLOSED, closed_at=at(50)))
    proofs = Proofs(tmp_path / "proofs")
    for id in (1, 2, 3):
        proofs.keep(id, Proof.BEFORE, Picture(b"\xff\xd8jpeg", at(-5)))
    found = proofs.read(2, Proof.BEFORE)
    assert found == Picture(b"\xff\xd8jpeg", at(-5))
    assert proofs.read(2, Proof.AFTER) is None
    assert store.read_now(orders.expired, proofs.kept(), at(40)) == [3], "of an order that there is not"
    assert store.read_now(orders.expired, proofs.kept(), at(60)) == [2, 3]
    proofs.remove(2)
    assert proofs.kept() == {1: frozenset({Proof.BEFORE}), 3: frozenset({Proof.BEFORE})}
