"""When each task is due."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from camera_registry.model.roster import Entry, Target, Task
from camera_registry.rules.schedule import FIRST, Agenda, next_due, phase


def entry(device: str, interval: float = 60, *, soon: bool = False) -> Entry:
    return Entry(Target(device, "192.0.2.1"), (Task("rtsp", interval, 5, soon=soon),))


def drain(agenda: Agenda, now: float, *, finish: bool = True) -> list[str]:
    devices = []
    while (due := agenda.pop(now)) is not None:
        devices.append(due.key[0])
        if finish:
            agenda.done(due.key)
    return devices


def test_every_device_is_asked_once_in_every_interval() -> None:
    agenda = Agenda()
    for number in range(500):
        agenda.put(entry(f"cam-{number}"), 1000.0)
    for minute in range(5):
        asked = Counter(device for second in range(60) for device in drain(agenda, 1000.0 + minute * 60 + second + 1))
        assert len(asked) == 500
        assert set(asked.values()) == {1}


def test_load_is_even_from_the_first_minute() -> None:
    agenda = Agenda()
    for number in range(6000):
        agenda.put(entry(f"cam-{number}"), 1000.0)
    each_second = [len(drain(agenda, 1000.0 + second + 1)) for second in range(60)]
    assert max(each_second) < 200  # 100 on average


def test_a_restart_moves_nothing() -> None:
    first, second = Agenda(), Agenda()
    first.put(entry("cam-7"), 1000.0)
    second.put(entry("cam-7"), 5000.25)
    assert first.next_at() is not None
    assert second.next_at() is not None
    moved = (second.next_at() - first.next_at()) % 60
    assert min(moved, 60 - moved) < 1e-6


def test_a_task_still_running_is_skipped_and_counted() -> None:
    agenda = Agenda()
    agenda.put(entry("cam-7"), 1000.0)
    assert drain(agenda, 1060.0, finish=False) == ["cam-7"]
    assert drain(agenda, 1120.0) == []
    assert agenda.missed == {"rtsp": 1}
    agenda.done(("cam-7", "rtsp", ""))
    assert drain(agenda, 1180.0) == ["cam-7"]


def test_polls_lost_to_a_stopped_process_are_counted_and_asked_once() -> None:
    agenda = Agenda()
    agenda.put(entry("cam-7"), 1000.0)
    assert drain(agenda, 1600.0) == ["cam-7"]
    assert agenda.missed == {"rtsp": 9}


def test_a_hurried_task_runs_early_and_keeps_its_place() -> None:
    agenda = Agenda()
    agenda.put(entry("cam-7", 900), 0.0)
    usual = agenda.next_at()
    assert usual is not None
    agenda.hurry(("cam-7", "rtsp", ""), usual - 20)
    agenda.hurry(("cam-7", "rtsp", ""), usual - 10)
    assert drain(agenda, usual - 15) == ["cam-7"]
    assert drain(agenda, usual - 5) == []
    assert drain(agenda, usual) == ["cam-7"]
    assert agenda.missed == {}


def test_what_waits_for_confirmation_is_asked_before_what_is_merely_late() -> None:
    agenda = Agenda()
    for number in range(100):
        agenda.put(entry(f"cam-{number}"), 1000.0)
    # Nobody had a slot for two minutes: all are overdue when one is suspected.
    agenda.hurry(("cam-42", "rtsp", ""), 1001.0)
    assert agenda.next_at() <= 1001.0
    first = agenda.pop(1120.0)
    assert first is not None
    assert (first.key[0], first.extra) == ("cam-42", True)
    rest = drain(agenda, 1120.0, finish=False)
    assert len(rest) == 99  # each of the others once, and nobody twice
    assert "cam-42" not in rest


def test_what_was_never_seen_is_first_asked_within_minutes_however_long_its_interval() -> None:
    agenda = Agenda()
    for number in range(100):
        agenda.put(entry(f"cam-{number}", 86400, soon=True), 0.0)
    assert len(set(drain(agenda, 300.0))) == 100


def test_a_device_that_was_dropped_is_not_asked_again() -> None:
    agenda = Agenda()
    agenda.put(entry("cam-7"), 0.0)
    agenda.drop("cam-7")
    assert drain(agenda, 1000.0) == []
    assert len(agenda) == 0


def test_an_edit_that_leaves_the_interval_keeps_the_place() -> None:
    agenda = Agenda()
    agenda.put(entry("cam-7"), 0.0)
    before = agenda.next_at()
    agenda.put(Entry(Target("cam-7", "192.0.2.99"), (Task("rtsp", 60, 5),)), 3.0)
    assert agenda.next_at() == before
    due = agenda.pop(60.0)
    assert due is not None
    assert due.target.host == "192.0.2.99"


def test_what_is_asked_more_often_from_now_on_still_waits_for_its_confirmation() -> None:
    agenda, key = Agenda(), ("cam-7", "rtsp", "")
    agenda.put(entry("cam-7", 300), 1000.0)
    at = 1000.0 + next(n for n in range(300) if next_due(1000.0 + n, 60, phase(key)) > 1020.0 + n)
    drain(agenda, at)
    agenda.hurry(key, at + 10)
    agenda.put(entry("cam-7", 60), at)
    assert drain(agenda, at + 9) == []
    assert drain(agenda, at + 11) == ["cam-7"]
    assert drain(agenda, at + 12) == [], "once"


@given(st.floats(0, 1e9), st.floats(0.1, 1e5), st.text(max_size=20))
def test_the_next_time_is_always_later_and_within_one_interval(after: float, interval: float, name: str) -> None:
    due = next_due(after, interval, phase((name, "rtsp", "")))
    assert after < due <= after + interval * (1 + 1e-6) + 1e-6


@given(
    st.floats(1.6e9, 2.2e9), st.one_of(st.sampled_from([6.5, 20.0, 60.0, 900.0]), st.floats(1, 3600)), st.floats(0, 1)
)
def test_a_task_looked_at_in_the_very_moment_that_it_is_due_comes_up_once(
    after: float, interval: float, share: float
) -> None:
    due = next_due(after, interval, share)
    assert due < next_due(due, interval, share) <= due + interval * 1.001


def test_what_still_runs_when_it_is_due_holds_up_nobody() -> None:
    agenda = Agenda()
    for number in range(200):
        agenda.put(entry(f"cam-{number}", 6.88491774924407), 1.7957e9)
    for _ in range(1000):
        now = agenda.next_at()
        assert now is not None
        drain(agenda, now, finish=False)
        assert (agenda.next_at() or 0.0) > now


def test_after_a_standstill_nothing_is_asked_at_once_and_what_was_left_out_is_counted() -> None:
    agenda = Agenda()
    for n in range(100):
        agenda.put(entry(f"cam-{n}"), 0.0)
    agenda.skip(601.0)
    assert agenda.pop(601.0) is None
    assert 900 <= sum(agenda.missed.values()) <= 1100
    within = sum(1 for _ in range(100) if agenda.pop(631.0) is not None)
    assert 30 < within < 70


def test_pictures_are_passed_over_while_no_more_are_wanted_and_keep_nothing_else_from_its_time() -> None:
    agenda = Agenda()
    for number in range(10):
        tasks = (Task("snapshot", 60, 5), Task("rtsp", 60, 5))
        agenda.put(Entry(Target(f"cam-{number}", "192.0.2.1"), tasks), 0.0)
    begun: Counter[str] = Counter()
    while (due := agenda.pop(60.0, pictures=begun["snapshot"] < 2)) is not None:
        begun[due.task.probe] += 1
    assert begun == {"rtsp": 10, "snapshot": 2}
    next_at = agenda.next_at(pictures=False)
    assert next_at is not None
    assert next_at > 60.0
    next_picture = agenda.pop(60.0)
    assert next_picture is not None
    assert next_picture.task.probe == "snapshot"


def test_a_fleet_just_met_is_not_asked_where_its_streams_are_all_at_once() -> None:
    agenda = Agenda()
    for number in range(3000):
        agenda.put(Entry(Target(f"cam-{number}", "192.0.2.1"), (Task("onvif", 5, 4, soon=True),)), 0.0)
    each_second = [len(drain(agenda, second + 1.0)) for second in range(5)]
    assert max(each_second) <= 2 * FIRST
    asked = sum(each_second)
    assert 0 < asked <= 6 * FIRST
    half = Agenda()
    half.first = FIRST / 2
    for number in range(3000):
        half.put(Entry(Target(f"cam-{number}", "192.0.2.1"), (Task("onvif", 5, 4, soon=True),)), 0.0)
    assert sum(len(drain(half, second + 1.0)) for second in range(5)) <= 3 * FIRST


def met(device: str, *further: Task, soon: bool = True, interval: float = 60) -> Entry:
    return Entry(Target(device, "192.0.2.1"), (Task("onvif", interval, 8, soon=soon), *further))


def test_a_city_just_met_is_asked_at_an_even_rate_and_nobody_waits_for_a_place_in_the_interval() -> None:
    agenda = Agenda()
    for number in range(3000):
        agenda.put(met(f"cam-{number}"), 1000.0)
    asked = {second: drain(agenda, 1000.0 + second) for second in range(1, 107)}
    assert {len(asked[second]) for second in range(1, 16)} <= {FIRST - 1, FIRST, FIRST + 1}
    first = {device: second for second in range(1, 16) for device in asked[second]}
    assert len(first) == 3000
    rests = {device: second - first[device] for second in range(106, 15, -1) for device in asked[second]}
    assert len(rests) == 3000
    assert 29 <= min(rests.values()) <= max(rests.values()) <= 91, "each has its place, but not a moment later"


def test_one_new_device_is_asked_at_once_and_what_follows_from_its_answer_right_after_it() -> None:
    agenda = Agenda()
    agenda.put(met("cam-7", interval=3600), 1000.0)
    assert drain(agenda, 1000.1) == ["cam-7"]
    agenda.put(met("cam-7", Task("rtsp", 60, 8, soon=True), soon=False, interval=3600), 1001.0)
    due = agenda.pop(1001.1)
    assert due is not None
    assert due.key == ("cam-7", "rtsp", "")


def test_what_a_whole_city_is_asked_from_now_on_comes_at_an_even_rate_too() -> None:
    agenda = Agenda()
    for number in range(6000):
        agenda.put(met(f"cam-{number}", soon=False), 1000.0)
    while agenda.pop(1000.0) is not None:
        pass
    for number in range(6000):
        agenda.put(met(f"cam-{number}", Task("tcp", 60, 8, soon=True), soon=False), 1000.0)
    most = 0
    for second in range(1, 61):
        begun = 0
        while (due := agenda.pop(1000.0 + second)) is not None:
            begun += due.task.probe == "tcp"
            agenda.done(due.key)
        most = max(most, begun)
    assert most < FIRST + 150, "those of the queue, and those whose place comes up before their turn"


def test_strangers_are_passed_over_while_no_more_are_wanted_until_they_have_answered_well() -> None:
    agenda = Agenda()
    agenda.put(entry("known"), 0.0)
    for number in range(5):
        agenda.put(entry(f"new-{number}", soon=True), 0.0)
    due = agenda.pop(60.0, strangers=False)
    assert due is not None
    assert due.key[0] == "known"
    assert not due.stranger
    assert agenda.pop(60.0, strangers=False) is None
    assert (agenda.next_at(strangers=False) or 0) > 60.0
    for _ in range(5):
        stranger = agenda.pop(60.0)
        assert stranger is not None
        assert stranger.stranger
        agenda.done(stranger.key, well=stranger.key[0] != "new-0")
    agenda.done(due.key)
    begun = set()
    while (due := agenda.pop(220.0, strangers=False)) is not None:
        begun.add(due.key[0])
    assert begun == {"known", *(f"new-{number}" for number in range(1, 5))}


def test_a_stranger_that_answered_badly_at_first_contact_is_asked_again_as_soon_as_anybody() -> None:
    agenda, key = Agenda(), ("new", "onvif", "")
    agenda.put(met("new"), 1000.0)
    assert drain(agenda, 1000.1, finish=False) == ["new"]
    agenda.done(key, well=False)
    agenda.hurry(key, 1010.0)
    assert drain(agenda, 1009.9) == []
    due = agenda.pop(1010.1)
    assert due is not None
    assert due.extra
    agenda.hurry(key, 1020.0)
    agenda.done(key, well=True)
    assert drain(agenda, 1020.1) == ["new"], "also what was hurried while it was still strange"
    assert drain(agenda, 1020.2) == [], "once"
