"""What a contractor's orders come to, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from camera_registry.model.work_order import CancelReason, Hold, HoldReason, OrderState, Phase, Rating
from camera_registry.rules.performance import score
from tests.notices import at
from tests.store.test_orders import order


def test_a_scorecard_by_hand() -> None:
    first = order(1)
    # Mended after 600 s, of which 200 s were a hold: 400 s of contractor time; closed, with four stars.
    good = replace(
        first, state=OrderState.CLOSED, fixed_at=at(600), closed_at=at(700), rating=Rating(4, "li", at(700)),
        holds=(Hold(HoldReason.POWER_COMPANY, "li", at(100), at(300)),),
    )  # fmt: skip
    # Late with its repair, back once, mended at last after 800 s.
    late = replace(order(2), state=OrderState.VERIFIED, fixed_at=at(800), overdue=(Phase.REPAIR,), repeats=1)
    # Nobody has accepted it, which was due after 60 s.
    waiting = order(3)
    gone = replace(order(4), state=OrderState.CANCELLED, cancelled=CancelReason.MISTAKEN)
    found = score([good, late, waiting, gone], at(900))
    assert (found.sent, found.cancelled, found.done, found.on_time) == (3, 1, 2, 1)
    assert found.closing_rate == 2 / 3
    assert found.on_time_rate == 1 / 3
    # Of 400 s and 800 s.
    assert found.mean_repair == timedelta(seconds=600)
    assert found.repeat_rate == 1 / 2
    assert found.held == timedelta(seconds=200)
    assert (found.stars, found.rated) == (4, 1)


def test_without_orders_nothing_is_claimed() -> None:
    found = score([], at(0))
    assert (found.closing_rate, found.on_time_rate, found.mean_repair, found.repeat_rate) == (None, None, None, None)
