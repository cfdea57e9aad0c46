"""How many runs may be under way."""

from camera_registry.rules.capacity import LEAST, room


def test_a_machine_that_is_behind_begins_fewer_runs_at_once_and_as_many_as_before_once_it_keeps_up() -> None:
    open_now = 512
    for _ in range(20):
        open_now = room(open_now, 0.5, 512)
    assert open_now == LEAST
    for _ in range(40):
        open_now = room(open_now, 0.001, 512)
    assert open_now == 512


def test_a_poller_with_few_slots_is_not_given_more_of_them() -> None:
    assert room(8, 0.001, 8) == 8
    assert room(8, 3.0, 8) == 8
