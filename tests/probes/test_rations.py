"""Whoever imports a city must not wait for what is no hurry."""

from __future__ import annotations

from probes.memory import Ration


def test_after_a_rest_one_second_s_are_given_at_once_and_then_so_many_a_second() -> None:
    ration = Ration(20)

    assert sum(ration.take(100.0) for _ in range(1000)) == 21
    assert sum(ration.take(100.0 + step / 100) for step in range(1, 1001)) == 200


def test_nothing_is_given_while_it_is_held_back_and_no_more_at_once_after_that() -> None:
    ration = Ration(20)
    ration.hold(102.0)

    assert not any(ration.take(100.0 + step / 100) for step in range(200))
    assert sum(ration.take(102.0 + step / 100) for step in range(100)) == 20
