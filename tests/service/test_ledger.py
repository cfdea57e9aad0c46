"""What is held true of every device, observation by observation."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.board import BoardEntry, chain_of
from camera_registry.model.chain import Link, LinkState, first_broken
from camera_registry.model.device import Channel, Device, Kind, Life
from camera_registry.model.health import Aspect, Cause, State, Status, Subject
from camera_registry.model.observation import Facts, Failure, FailureKind, Observation, Stage
from camera_registry.model.place import Site, SiteCategory, View
from camera_registry.model.register import Register
from camera_registry.model.roster import Drop, Hurry, LeaveAlone, Parent, Put
from camera_registry.service.changes import Changes
from camera_registry.service.ledger import Ledger
from camera_registry.settings import Settings

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
SWITCH = Device("sw-1", Kind.NETWORK, host="192.0.2.1")
CAMERAS = tuple(Device(f"cam-{n}", Kind.CAMERA, host=f"192.0.2.{10 + n}", parent="sw-1") for n in range(3))
SILENT = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def registered(*devices: Device) -> Register:
    return Register(devices={device.id: device for device in devices})


def ledger(*devices: Device) -> Ledger:
    settings = Settings()
    made = Ledger(settings.health.policy(), settings.probes.policy())
    made.follow(registered(*devices), NOON)
    return made


def seen(
    device: str, probe: str, seconds: float, failure: Failure | None = None, facts: Facts | None = None
) -> Observation:
    return Observation(device, probe, at(seconds), 0.1, facts=facts or {}, failure=failure)


def lose(book: Ledger, device: str, probes: Iterable[str], start: float) -> None:
    for step in range(3):
        moment = start + 10 * step
        book.judge([seen(device, probe, moment, SILENT) for probe in probes], at(moment))


def well(book: Ledger, device: str, seconds: float = 0) -> None:
    book.judge([seen(device, probe, seconds) for probe in ("onvif", "rtsp", "snapshot")], at(seconds))


def shown(book: Ledger, device: str) -> BoardEntry:
    entry = book.entry(device)
    assert entry is not None
    return entry


def test_a_device_that_lets_nobody_in_has_no_second_fault_for_a_picture_of_unknown_address() -> None:
    book = ledger(CAMERAS[0])
    picture = Subject("cam-0", Aspect.PICTURE)
    wanted = Failure(FailureKind.AUTH, Stage.AUTHENTICATE, "none is registered", "auth.none")
    book.judge([seen("cam-0", "onvif", 0, wanted)], at(0))
    book.judge([seen("cam-0", "rtsp", 1, wanted)], at(1))
    assert {reason.cause for reason in shown(book, "cam-0").reasons} == {Cause.AUTH}
    assert book.state(picture) is None, "it is not asked for, so time alone can't make it stale"
    told = book.judge([seen("cam-0", "onvif", 60, facts={"snapshot_uri": "http://192.0.2.10/p"})], at(60))
    assert ["snapshot" in [task.probe for task in one.entry.tasks] for one in told if isinstance(one, Put)] == [True]
    assert book.state(picture) is not None


def test_a_stream_of_unknown_address_waits_until_the_device_has_told_it_or_is_known_not_to_answer() -> None:
    book = ledger(*CAMERAS[:2])

    def asked(device: str) -> set[str]:
        entry = book.roster_entry(device)
        assert entry is not None
        return {task.probe for task in entry.tasks}

    for camera in CAMERAS[:2]:
        book.judge([seen(camera.id, "onvif", 0, SILENT)], at(0))
        assert "rtsp" not in asked(camera.id), "one failure may be of the rush of a start"
    book.judge([seen("cam-0", "onvif", 10, facts={"stream_uri": "rtsp://192.0.2.10/live"})], at(10))
    lose(book, "cam-1", ["onvif"], 10)
    assert "rtsp" in asked("cam-0") & asked("cam-1")


def test_a_camera_that_is_to_show_a_key_site_is_asked_more_often_with_its_switch_and_no_longer_when_it_is_not() -> None:
    settings = Settings.model_validate({"probes": {"intervals": {"by_site_category": {"checkpoint": 20}}}})
    book = Ledger(settings.health.policy(), settings.probes.policy())
    plain = replace(
        registered(SWITCH, *CAMERAS),
        sites={"gate": Site("gate", category=SiteCategory.CHECKPOINT)},
        channels={"c-0": Channel("c-0", "cam-0")},
    )
    book.follow(plain, NOON)
    told = book.follow(replace(plain, views={"gate/in": View("gate/in", "gate", channels=("c-0",))}), at(1))
    puts = {one.entry.target.device: one.entry.tasks[0].interval for one in told if isinstance(one, Put)}
    assert puts == {"cam-0": 20, "sw-1": 20}, "the others stand behind the switch too, and have nothing new"
    told = book.follow(plain, at(2))
    assert {one.entry.target.device: one.entry.tasks[0].interval for one in told if isinstance(one, Put)} == {
        "cam-0": 60,
        "sw-1": 60,
    }


def test_what_shows_a_site_is_asked_as_often_as_the_register_says_from_the_edit_on() -> None:
    book = ledger()
    city = replace(
        registered(SWITCH, *CAMERAS),
        sites={"gate": Site("gate")},
        channels={"c-0": Channel("c-0", "cam-0")},
        views={"gate/in": View("gate/in", "gate", channels=("c-0",))},
    )
    book.follow(city, NOON)
    for wanted, found in ((15.0, 15.0), (None, 60.0)):
        told = book.follow(replace(city, sites={"gate": Site("gate", interval=wanted)}), at(1))
        puts = {one.entry.target.device: one.entry.tasks[0].interval for one in told if isinstance(one, Put)}
        assert puts == {"cam-0": found, "sw-1": found}


def test_a_device_that_was_let_in_late_and_tells_of_no_picture_is_asked_for_one_all_the_same() -> None:
    book = ledger(CAMERAS[0])
    book.judge([seen("cam-0", "onvif", 0, SILENT)], at(0))
    told = book.judge([seen("cam-0", "onvif", 60)], at(60))
    assert ["snapshot" in [task.probe for task in one.entry.tasks] for one in told if isinstance(one, Put)] == [True]


def test_a_device_nobody_has_asked_is_unknown_and_one_that_answers_is_ok() -> None:
    book = ledger(CAMERAS[0])
    assert shown(book, "cam-0").status is Status.UNKNOWN
    well(book, "cam-0")
    assert shown(book, "cam-0").status is Status.OK


def test_one_failure_asks_the_poller_to_hurry_and_shows_nothing_red() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    told = book.judge([seen("cam-0", "rtsp", 60, SILENT)], at(60))
    assert told == [Hurry("cam-0", "rtsp", "", 10.0 - 0.1)], "ten seconds from one beginning to the next"
    told = book.judge([replace(seen("cam-0", "rtsp", 70, SILENT), took=8.0)], at(70))
    assert told == [Hurry("cam-0", "rtsp", "", 5.0)], "one that is slow to answer has a rest"
    assert shown(book, "cam-0").status is Status.OK


def test_a_lost_switch_explains_its_cameras_whichever_is_noticed_first() -> None:
    for first_the_switch in (True, False):
        book = ledger(SWITCH, *CAMERAS)
        for camera in CAMERAS:
            well(book, camera.id)
        book.judge([seen("sw-1", "tcp", 0)], at(0))
        book.collect(None)
        if first_the_switch:
            lose(book, "sw-1", ["tcp"], 30)
        for camera in CAMERAS:
            lose(book, camera.id, ["onvif", "rtsp"], 60)
        if not first_the_switch:
            lose(book, "sw-1", ["tcp"], 90)
        taken = book.collect(NOON)
        assert {camera.id for camera in CAMERAS} < taken.touched
        for camera in CAMERAS:
            entry = shown(book, camera.id)
            assert entry.status is Status.DOWN
            assert {(reason.cause, reason.blamed) for reason in entry.reasons} == {(Cause.PARENT_DOWN, "sw-1")}
        assert [reason.cause for reason in shown(book, "sw-1").reasons] == [Cause.TIMEOUT]


def test_a_device_that_is_lost_has_its_parent_asked_at_once_and_once() -> None:
    book = ledger(SWITCH, *CAMERAS)
    for camera in CAMERAS:
        well(book, camera.id)
    book.judge([seen("sw-1", "tcp", 0)], at(0))
    told = book.judge([seen("cam-0", "onvif", 60, SILENT)], at(60))
    assert Hurry("sw-1", "tcp", "", 0.0) in told
    assert Hurry("sw-1", "tcp", "", 0.0) not in book.judge([seen("cam-0", "onvif", 70, SILENT)], at(70))
    book.judge([seen("sw-1", "tcp", 71, SILENT)], at(71))
    told = book.judge([seen("cam-1", "onvif", 72, SILENT)], at(72))
    assert Hurry("sw-1", "tcp", "", 0.0) not in told, "it is being looked into already"


def test_what_a_switch_took_along_is_checked_again_before_anything_is_said_of_it() -> None:
    book = ledger(SWITCH, *CAMERAS)
    for camera in CAMERAS:
        well(book, camera.id)
    book.judge([seen("sw-1", "tcp", 0)], at(0))
    lose(book, "sw-1", ["tcp"], 30)
    for camera in CAMERAS:
        lose(book, camera.id, ["onvif", "rtsp"], 60)
    book.judge([seen("sw-1", "tcp", 100)], at(100))
    told = book.judge([seen("sw-1", "tcp", 110)], at(110))
    assert {change.device for change in told if isinstance(change, Hurry)} == {camera.id for camera in CAMERAS}
    assert shown(book, "sw-1").status is Status.OK
    book.judge([seen("cam-1", "onvif", 115, SILENT)], at(115))  # it is still starting
    well(book, "cam-2", 115)
    for camera in CAMERAS:
        assert {reason.blamed for reason in shown(book, camera.id).reasons} == {"sw-1"}
    well(book, "cam-0", 140)
    well(book, "cam-0", 150)
    assert shown(book, "cam-0").status is Status.OK
    book.judge([seen("cam-1", probe, 140, SILENT) for probe in ("onvif", "rtsp")], at(140))
    assert {(reason.cause, reason.blamed) for reason in shown(book, "cam-1").reasons} == {(Cause.TIMEOUT, "")}


def test_a_long_pause_does_not_turn_a_switch_into_as_many_faults_as_it_has_cameras() -> None:
    book = ledger(SWITCH, CAMERAS[0])
    well(book, "cam-0")
    book.judge([seen("sw-1", "tcp", 0)], at(0))
    lose(book, "sw-1", ["tcp"], 30)
    lose(book, "cam-0", ["onvif", "rtsp"], 60)
    book.tick(at(600), 1)
    book.judge([seen("cam-0", "onvif", 601, SILENT)], at(601))  # the switch has not been asked yet
    assert {reason.blamed for reason in shown(book, "cam-0").reasons} == {"sw-1"}


def test_what_was_judged_survives_a_database_that_could_not_write_it() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    taken = book.collect(NOON)
    lose(book, "cam-0", ["onvif"], 60)
    book.restore(taken)
    flips = book.collect(NOON).flips
    first, second = taken.flips, flips[len(taken.flips) :]
    assert flips[: len(first)] == first
    assert {flip.after for flip in second} == {State.DOWN}


def test_newer_changes_lie_on_top_of_older_ones() -> None:
    older = Changes(touched={"a"}, gone={"b"})
    merged = older.under(Changes(touched={"b"}, gone={"a"}))
    assert merged.gone == {"a"}


def test_after_a_restart_what_was_true_is_still_true() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    lose(book, "cam-0", ["onvif", "rtsp"], 60)
    kept = book.collect(None)
    again = Ledger(book.policy, book.polls)
    again.load(kept.states.values(), [(device, run) for (device, _), run in kept.seen.items()])
    again.follow(registered(CAMERAS[0]), at(90))
    again.tick(at(90), 1)
    assert again.collect(NOON).flips == []
    assert shown(again, "cam-0") == shown(book, "cam-0")


def test_a_silence_longer_than_the_interval_allows_is_shown_as_unknown() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.tick(at(151), 1)
    assert shown(book, "cam-0").status is Status.UNKNOWN


def test_setting_the_clock_turns_nothing_stale_and_loses_nothing() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    for step in (timedelta(days=1), timedelta(hours=-25)):
        book.shift(step)
    book.collect(NOON)
    book.tick(at(30 - 3600), 1)
    assert book.collect(NOON).flips == []
    lose(book, "cam-0", ["onvif"], 60 - 3600)
    assert shown(book, "cam-0").status is Status.DOWN


def test_a_suspended_device_is_no_longer_polled_nor_judged_and_its_history_is_closed() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    told = book.follow(registered(replace(CAMERAS[0], life=Life.SUSPENDED)), at(60))
    assert told == [Drop("cam-0")]
    assert {flip.after for flip in book.collect(NOON).flips} == {State.UNKNOWN}
    assert book.judge([seen("cam-0", "rtsp", 61, SILENT)], at(61)) == []
    assert shown(book, "cam-0").states == ()


def test_a_removed_device_leaves_the_board_and_nothing_of_it_is_written_again() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    told = book.follow(registered(), at(60))
    taken = book.collect(None)
    assert told == [Drop("cam-0")]
    assert (taken.gone, taken.states, taken.seen) == ({"cam-0"}, {}, {})


def test_where_the_stream_is_goes_from_the_onvif_answer_to_the_poller() -> None:
    book = ledger(CAMERAS[0])
    told = book.judge([seen("cam-0", "onvif", 0, facts={"stream_uri": "rtsp://192.0.2.10/live"})], at(0))
    (put,) = told
    assert isinstance(put, Put)
    assert {task.probe: task.options.get("stream_uri") for task in put.entry.tasks}["rtsp"] == "rtsp://192.0.2.10/live"
    assert book.judge([seen("cam-0", "onvif", 60, facts={"stream_uri": "rtsp://192.0.2.10/live"})], at(60)) == []


def test_after_a_restart_only_who_has_not_told_all_of_itself_is_asked_for_it_at_once() -> None:
    camera, fresh, recorder = CAMERAS[0], CAMERAS[1], replace(CAMERAS[2], kind=Kind.RECORDER)
    city = replace(
        registered(camera, fresh, recorder),
        channels={f"{n}": Channel(f"{n}", recorder.id, number=n) for n in (1, 2)},
    )
    book = Ledger(ledger().policy, ledger().polls)
    book.follow(city, NOON)
    told = {"stream_uri": "rtsp://192.0.2.10/live"}
    book.judge([seen(one.id, "onvif", 0, facts=told) for one in (camera, recorder)], at(0))
    moved = {"stream_uri": "rtsp://192.0.2.10/other"}
    book.judge([seen("cam-0", "onvif", 60, facts=moved)], at(60))
    kept = book.collect(None)
    again = Ledger(book.policy, book.polls)
    again.load(kept.states.values(), [(device, run) for (device, _), run in kept.seen.items()])
    again.follow(city, at(90))

    def options(device: str, probe: str) -> Facts:
        entry = again.roster_entry(device)
        assert entry is not None
        return next(task.options for task in entry.tasks if task.probe == probe)

    assert options("cam-0", "onvif")["told"] is True
    assert options("cam-0", "rtsp")["stream_uri"] == "rtsp://192.0.2.10/other"
    assert "told" not in options("cam-1", "onvif"), "nobody has asked it yet"
    assert "told" not in options("cam-2", "onvif"), "of many channels a device tells a few at a time"


def test_facts_known_from_earlier_runs_stay_known() -> None:
    book = ledger(CAMERAS[0])
    book.judge([seen("cam-0", "onvif", 0, facts={"serial": "S1"})], at(0))
    book.judge([seen("cam-0", "onvif", 60, facts={"clock_offset_seconds": 1.0})], at(60))
    (run,) = shown(book, "cam-0").probes
    assert run.facts == {"serial": "S1", "clock_offset_seconds": 1.0}
    assert set(book.adoptable) == {"cam-0"}


def test_a_stream_whose_address_the_device_had_no_time_to_tell_is_waited_for_and_never_called_missing() -> None:
    book, stream = ledger(CAMERAS[0]), Subject("cam-0", Aspect.STREAM)
    profiles = [{"token": "p1", "encoding": "H264"}]

    def asked() -> list[str]:
        entry = book.roster_entry("cam-0")
        assert entry is not None
        return [task.probe for task in entry.tasks]

    for second in (0, 60, 120):
        book.judge([seen("cam-0", "onvif", second, facts={"profiles": profiles, "cut_short": True})], at(second))
        assert asked() == ["onvif"]
    told = {"profiles": profiles, "cut_short": False}
    book.judge([seen("cam-0", "onvif", 180, facts=told)], at(180))
    assert asked() == ["onvif", "rtsp", "snapshot"], "it had its time, and told of none: that is worth a look"
    gone = Failure(FailureKind.NO_STREAM, Stage.ANSWER, "404")
    book.judge([seen("cam-0", "rtsp", second, gone) for second in (181, 191, 201)], at(201))
    state = book.state(stream)
    assert state is not None
    assert (state.settled, state.cause) == (State.DOWN, Cause.NO_STREAM)


def test_a_stream_that_was_looked_for_on_the_off_chance_is_not_missing_because_it_is_elsewhere() -> None:
    book, stream = ledger(CAMERAS[0]), Subject("cam-0", Aspect.STREAM)
    late = Failure(FailureKind.TIMEOUT, Stage.ANSWER, "no answer within 8 s")
    elsewhere = Failure(FailureKind.NO_STREAM, Stage.ADDRESS, "DESCRIBE: 404", "guessed", {"said": "DESCRIBE: 404"})
    book.judge([seen("cam-0", "onvif", second, late) for second in (0, 10, 20)], at(20))
    book.judge([seen("cam-0", "rtsp", second, elsewhere) for second in (21, 31, 41, 51)], at(51))
    entry = shown(book, "cam-0")
    assert {(one.aspect, one.cause) for one in entry.reasons} == {(Aspect.CONTROL, Cause.TIMEOUT)}
    assert Link.STREAM not in [one.link for one in chain_of(entry) if one.state is LinkState.BROKEN]
    state = book.state(stream)
    assert state is not None
    assert state.settled is State.UNKNOWN
    book.judge([seen("cam-0", "onvif", 60, facts={"stream_uri": "rtsp://192.0.2.10/live"})], at(60))
    book.judge([seen("cam-0", "rtsp", 61)], at(61))
    assert book.state(stream) == replace(
        state, state=State.OK, settled=State.OK, since=at(61), read_at=at(61), good=True
    )


def test_a_healthy_minute_writes_no_state() -> None:
    book = ledger(*CAMERAS)
    for camera in CAMERAS:
        well(book, camera.id)
    book.collect(None)
    for camera in CAMERAS:
        well(book, camera.id, 60)
    taken = book.collect(at(61))
    assert (taken.states, taken.seen, taken.flips) == ({}, {}, [])
    assert taken.touched == {camera.id for camera in CAMERAS}
    assert {device for device, _ in book.collect(at(91)).again} == taken.touched, "the newest times are, after a while"


def test_an_aspect_is_as_bad_as_its_worst_feeder_and_only_that_one_is_hurried() -> None:
    camera = replace(CAMERAS[0], probes=("onvif", "http", "rtsp"), http_path="/")
    book = ledger(camera)
    garbled = Failure(FailureKind.PROTOCOL, Stage.ANSWER, "no SOAP")
    book.judge([seen("cam-0", probe, 0) for probe in ("onvif", "http", "rtsp")], at(0))
    book.collect(None)
    for second in range(60, 300, 10):
        told = book.judge([seen("cam-0", "onvif", second, garbled), seen("cam-0", "http", second + 1)], at(second + 1))
        assert [change.probe for change in told if isinstance(change, Hurry)] in (["onvif"], [])
    control = Subject("cam-0", Aspect.CONTROL)
    assert [(flip.after, flip.cause) for flip in book.collect(None).flips] == [(State.DOWN, Cause.PROTOCOL)]
    kept = book.entry("cam-0")
    assert kept is not None
    # Who speaks first after a restart has not the last word.
    again = Ledger(book.policy, book.polls)
    again.load(kept.states, [("cam-0", run) for run in kept.probes])
    again.follow(registered(camera), at(300))
    again.judge([seen("cam-0", "http", second) for second in (301, 311, 321)], at(321))
    state = again.state(control)
    assert state is not None
    assert (state.settled, state.cause) == (State.DOWN, Cause.PROTOCOL)
    again.judge([seen("cam-0", "onvif", second) for second in (330, 340)], at(340))
    assert [flip.after for flip in again.collect(None).flips] == [State.OK]


def test_a_picture_that_we_are_late_to_look_at_is_no_silence_of_the_camera_but_grows_old_all_the_same() -> None:
    late, busy, silent, forgotten = (Device(name, Kind.CAMERA, host="192.0.2.7") for name in "abcd")
    book = ledger(late, busy, silent, forgotten)
    path = {"snapshot_uri": "http://192.0.2.7/p"}
    for device in "abcd":
        book.judge([seen(device, "onvif", 0, facts=path), seen(device, "snapshot", 1)], at(1))
    ours = Failure(FailureKind.INTERNAL, Stage.DECODE, "this machine is busy")
    book.judge([seen("b", "snapshot", 1000, ours), seen("c", "snapshot", 1000, SILENT)], at(1000))
    book.tick(at(2300), 1)
    states = {device: book.state(Subject(device, Aspect.PICTURE)) for device in "abcd"}
    assert {device: state and state.settled for device, state in states.items()} == {
        "a": State.OK,
        "b": State.OK,
        "c": State.STALE,
        "d": State.OK,
    }
    book.judge([seen("a", "snapshot", 2400)], at(2400))
    book.tick(at(9100), 1)
    old = {device: book.state(Subject(device, Aspect.PICTURE)) for device in "ad"}
    assert {device: state and state.settled for device, state in old.items()} == {"a": State.OK, "d": State.STALE}


def test_what_is_heard_of_later_goes_stale_in_its_own_time_however_long_the_rest_is_fresh() -> None:
    book = ledger(CAMERAS[0])
    reach, picture = (book.state(Subject("cam-0", aspect)) for aspect in (Aspect.REACH, Aspect.PICTURE))
    assert (reach, picture) != (None, None)
    book.judge([seen("cam-0", "snapshot", 0)], at(0))
    book.tick(at(1), 1)
    well(book, "cam-0", 10)
    silent = []
    for second in range(20, 200, 10):
        book.tick(at(second), 1)
        stale = {state.subject.aspect for state in shown(book, "cam-0").states if state.settled is State.STALE}
        silent.append((second, stale))
    assert next(second for second, stale in silent if stale) == 170, "2.5 minutes after it was read, and not before"
    assert Aspect.PICTURE not in silent[-1][1]


def test_an_aspect_turns_stale_when_nobody_who_bears_it_out_speaks_any_more() -> None:
    camera = replace(CAMERAS[0], probes=("onvif", "http"), http_path="/")
    book = ledger(camera)
    book.judge([seen("cam-0", "onvif", 0), seen("cam-0", "http", 0)], at(0))
    book.judge([seen("cam-0", "http", 100)], at(100))
    book.collect(None)
    book.tick(at(200), 1)
    flips = {flip.subject.aspect for flip in book.collect(None).flips}
    assert flips == {Aspect.REACH}, "http still bears out control; nobody but onvif speaks of reach"
    book.tick(at(260), 1)
    assert {flip.subject.aspect for flip in book.collect(None).flips} == {Aspect.CONTROL}


def test_a_refused_password_is_still_left_alone_after_a_restart() -> None:
    values = {
        "credential": "c-1",
        "version": 3,
        "protocol": "*",
        "at": at(60).isoformat(),
        "until": at(1860).isoformat(),
    }
    refused = Failure(FailureKind.AUTH, Stage.AUTHENTICATE, "refused", "auth.quiet", values)
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    book.collect(None)
    book.judge([seen("cam-0", "rtsp", 60, refused)], at(60))
    assert {run for _, run in book.collect(at(60)).seen} == {("rtsp", "")}, "written at once: a crash must not undo it"
    entry = book.entry("cam-0")
    assert entry is not None
    again = Ledger(book.policy, book.polls)
    again.load(entry.states, [("cam-0", run) for run in entry.probes])
    told = again.follow(registered(CAMERAS[0]), at(70))
    assert LeaveAlone("cam-0", "c-1", 3, "*", at(60), at(1860)) in told
    again.judge([seen("cam-0", "onvif", 80, facts={"stream_uri": "rtsp://192.0.2.10/live"})], at(80))
    assert not any(isinstance(change, LeaveAlone) for change in again.follow(registered(CAMERAS[0]), at(90), anew=True))


def test_whoever_stands_behind_a_device_is_told_where_to_ask_for_it_and_that_it_moved() -> None:
    book = ledger(SWITCH, *CAMERAS)
    entry = book.roster_entry("cam-0")
    assert entry is not None
    assert entry.target.parents == (Parent("sw-1", "192.0.2.1", 80),)
    told = book.follow(registered(replace(SWITCH, host="192.0.2.99"), *CAMERAS), at(60))
    moved = {change.entry.target.device for change in told if isinstance(change, Put)}
    assert moved == {"sw-1", *(camera.id for camera in CAMERAS)}


UNFED: Facts = {"ports": [{"name": "Gi0/3", "up": False, "admin_up": True, "poe": "fault"}]}


def plugged_in() -> Ledger:
    """A camera that is well, at a port of a switch that tells of its ports."""
    camera = replace(CAMERAS[0], parent_port="Gi0/3")
    book = ledger(replace(SWITCH, probes=("tcp", "snmp"), snmp_port=161), camera)
    well(book, "cam-0")
    up = {"ports": [{"name": "Gi0/3", "up": True, "admin_up": True, "poe": "delivering"}]}
    book.judge([seen("sw-1", "tcp", 0), seen("sw-1", "snmp", 0, facts=up)], at(0))
    book.collect(None)
    return book


def test_a_switch_that_feeds_a_camera_no_power_is_why_that_camera_is_lost() -> None:
    book = plugged_in()
    lose(book, "cam-0", ["onvif", "rtsp"], 60)
    book.collect(None)
    assert {reason.cause for reason in shown(book, "cam-0").reasons} == {Cause.TIMEOUT}
    book.judge([seen("sw-1", "snmp", 90, facts=UNFED)], at(90))
    assert "cam-0" in book.collect(None).touched
    assert {(reason.cause, "Gi0/3" in reason.detail) for reason in shown(book, "cam-0").reasons} == {
        (Cause.POWER, True)
    }
    broken = first_broken(chain_of(shown(book, "cam-0")))
    assert broken is not None
    assert (broken.link, broken.key) == (Link.HOST, "cause.power.name")
    lose(book, "cam-0", ["onvif"], 120)
    (renamed,) = book.collect(None).flips
    assert (renamed.before, renamed.after, renamed.cause) == (State.DOWN, State.DOWN, Cause.POWER)
    assert shown(book, "cam-0").since == at(60)


def test_a_switch_is_asked_of_its_ports_as_soon_as_what_hangs_on_one_fails_so_the_loss_has_its_name_at_once() -> None:
    book = plugged_in()
    told = book.judge([seen("cam-0", "onvif", 60, SILENT)], at(60))
    assert Hurry("sw-1", "snmp", "", 0.0) in told
    book.judge([seen("sw-1", "snmp", 61, facts=UNFED)], at(61))
    book.collect(None)
    book.judge([seen("cam-0", "onvif", 70, SILENT)], at(70))
    book.judge([seen("cam-0", "onvif", 80, SILENT)], at(80))
    lost = next(flip for flip in book.collect(None).flips if flip.subject.aspect is Aspect.REACH)
    assert (lost.cause, lost.at, "Gi0/3" in lost.detail) == (Cause.POWER, at(60), True)


def test_what_a_switch_said_of_a_port_before_its_camera_was_lost_explains_nothing() -> None:
    book = plugged_in()
    book.judge([seen("sw-1", "snmp", 50, facts=UNFED)], at(50))
    well(book, "cam-0", 55)
    for start in (60, 90):
        lose(book, "cam-0", ["onvif"], start)
    assert {flip.cause for flip in book.collect(None).flips if flip.after is State.DOWN} == {Cause.TIMEOUT}
    assert {reason.cause for reason in shown(book, "cam-0").reasons} == {Cause.TIMEOUT}


EVERYWHERE = tuple(Device(f"far-{n:02}", Kind.CAMERA, host=f"198.51.{n}.1") for n in range(60))
GATE = Device("gate", Kind.NETWORK, host="203.0.113.1")


def test_when_no_canary_answers_devices_are_not_called_down() -> None:
    book = ledger(GATE, *EVERYWHERE)
    book.lookout.names = ("203.0.113.1", "gone")
    book.follow(registered(GATE, *EVERYWHERE), NOON)
    assert book.lookout.strangers == ["gone"]
    for camera in EVERYWHERE:
        well(book, camera.id)
    book.judge([seen("gate", "tcp", 0)], at(0))
    told = book.judge([seen("far-00", "onvif", 60, SILENT)], at(60))
    assert Hurry("gate", "tcp", "", 0.0) in told, "the canary is asked as soon as anybody fails"
    lose(book, "gate", ["tcp"], 61)
    for camera in EVERYWHERE:
        lose(book, camera.id, ["onvif", "rtsp"], 70)
    book.tick(at(120), 1)
    assert book.lookout.blind is not None
    assert book.lookout.blind.since == at(61)
    assert not any(shown(book, camera.id).status is Status.DOWN for camera in EVERYWHERE)
    book.tick(at(400), 1)
    assert shown(book, "far-07").status is Status.UNKNOWN
    book.judge([seen("gate", "tcp", 500)], at(500))
    assert book.lookout.blind is None
    lose(book, "far-07", ["onvif", "rtsp"], 510)
    assert shown(book, "far-07").status is Status.DOWN


def test_a_canary_that_answers_is_proof_that_the_others_are_lost_indeed() -> None:
    book = ledger(GATE, *EVERYWHERE)
    book.lookout.names = ("gate",)
    book.follow(registered(GATE, *EVERYWHERE), NOON)
    book.judge([seen("gate", "tcp", 0)], at(0))
    for camera in EVERYWHERE:
        well(book, camera.id)
    for camera in EVERYWHERE:
        lose(book, camera.id, ["onvif"], 70)
    assert all(shown(book, camera.id).status is Status.DOWN for camera in EVERYWHERE)


def test_without_canaries_everything_that_fails_everywhere_at_once_is_our_own_blindness() -> None:
    book = ledger(*EVERYWHERE)
    for camera in EVERYWHERE:
        well(book, camera.id)
    for step in range(4):
        for place, camera in enumerate(EVERYWHERE):
            moment = 60 + 10 * step + place / 10
            book.judge([seen(camera.id, probe, moment, SILENT) for probe in ("onvif", "rtsp")], at(moment))
        book.tick(at(70 + 10 * step), 1)
    assert book.lookout.blind is not None
    assert not any(shown(book, camera.id).status is Status.DOWN for camera in EVERYWHERE)
    well(book, "far-03", 200)
    assert book.lookout.blind is None


def test_a_fleet_behind_one_switch_that_dies_is_no_blindness() -> None:
    cameras = [replace(camera, parent="sw-1") for camera in EVERYWHERE]
    book = ledger(SWITCH, *cameras)
    for camera in cameras:
        well(book, camera.id)
    book.judge([seen("sw-1", "tcp", 0)], at(0))
    lose(book, "sw-1", ["tcp"], 60)
    for camera in cameras:
        lose(book, camera.id, ["onvif"], 60)
    book.tick(at(200), 1)
    assert book.lookout.blind is None
    assert shown(book, "far-09").status is Status.DOWN


def test_a_new_threshold_judges_what_is_known_already() -> None:
    book = ledger(CAMERAS[0])
    for step in range(3):
        book.judge([seen("cam-0", "onvif", 60 * step, facts={"clock_offset_seconds": 74.0})], at(60 * step))
        book.judge([seen("cam-0", "rtsp", 60 * step)], at(60 * step))
    assert [reason.cause for reason in shown(book, "cam-0").reasons] == [Cause.CLOCK_DRIFT]
    taken = book.collect(None)
    lenient = Settings.model_validate({"health": {"by_kind": {"camera": {"clock_limit": 120}}}})
    book.policy = lenient.health.policy()
    book.follow(registered(CAMERAS[0]), at(150))
    assert shown(book, "cam-0").reasons == ()
    (flip,) = book.collect(None).flips
    assert (flip.before, flip.after, flip.at) == (State.DOWN, State.OK, at(150))
    book.policy = Settings().health.policy()
    book.follow(registered(CAMERAS[0]), at(160))
    assert [reason.cause for reason in shown(book, "cam-0").reasons] == [Cause.CLOCK_DRIFT]
    assert taken.flips


def test_a_policy_of_a_device_counts_before_that_of_its_kind() -> None:
    settings = Settings.model_validate(
        {"health": {"by_kind": {"camera": {"failures": 5}}, "by_device": {"cam-1": {"failures": 2}}}}
    )
    book = Ledger(settings.health.policy(), settings.probes.policy())
    book.follow(registered(*CAMERAS), NOON)
    for camera in ("cam-0", "cam-1"):
        well(book, camera)
        for step in range(3):
            book.judge([seen(camera, "onvif", 60 + 10 * step, SILENT)], at(60 + 10 * step))
    assert shown(book, "cam-0").status is Status.OK
    assert shown(book, "cam-1").status is Status.DOWN


def test_fewer_failures_asked_for_confirm_those_that_wait() -> None:
    book = ledger(CAMERAS[0])
    well(book, "cam-0")
    for step in range(2):
        book.judge([seen("cam-0", "onvif", 60 + 10 * step, SILENT)], at(60 + 10 * step))
    assert shown(book, "cam-0").status is Status.OK
    book.policy = Settings.model_validate({"health": {"failures": 2}}).health.policy()
    book.follow(registered(CAMERAS[0]), at(75))
    assert shown(book, "cam-0").status is Status.DOWN


def test_what_is_down_for_days_is_asked_less_often_until_it_answers() -> None:
    book = ledger(SWITCH, *CAMERAS)
    for device in ("cam-0", "sw-1"):
        well(book, device)
        lose(book, device, ("tcp",) if device == "sw-1" else ("onvif", "rtsp"), 60)
    days = 2 * 86_400.0
    assert not book.tick(at(3600), 1)  # an hour is nothing
    (slower,) = book.tick(at(days), 1)
    # The switch is asked as always: others wait for it.
    assert isinstance(slower, Put)
    assert slower.entry.target.device == "cam-0"
    assert {task.interval for task in slower.entry.tasks if task.probe in ("onvif", "rtsp")} == {300.0}
    assert not book.tick(at(days + 60), 1)
    silent = book.judge([seen("cam-0", "onvif", days + 300, SILENT)], at(days + 300))
    assert not [change for change in silent if isinstance(change, Put)]
    back = book.judge([seen("cam-0", "onvif", days + 600)], at(days + 600))
    (usual,) = [change for change in back if isinstance(change, Put)]
    assert {task.interval for task in usual.entry.tasks if task.probe in ("onvif", "rtsp")} == {60.0}
    # Its silence is measured by what it is asked now.
    book.tick(at(days + 600 + 200), 1)
    assert shown(book, "cam-0").status is Status.UNKNOWN


def test_a_lost_device_that_answers_anything_is_asked_for_its_reach_at_once_and_soon_again_until_it_is_back() -> None:
    book, now = ledger(CAMERAS[0]), 2 * 86_400.0

    def hurried(*answers: str) -> dict[str, float]:
        told = book.judge([seen("cam-0", probe, now) for probe in answers], at(now))
        return {one.probe: one.after for one in told if isinstance(one, Hurry)}

    well(book, "cam-0")
    lose(book, "cam-0", ("onvif", "rtsp"), 60)
    book.tick(at(now), 1)
    assert hurried("rtsp") == {"rtsp": pytest.approx(9.9), "onvif": 0.0}
    now += 1
    assert hurried("onvif") == {"onvif": pytest.approx(9.9)}
    assert shown(book, "cam-0").status is not Status.OK
    now += 10
    # Now it is back, and its picture, due every quarter of an hour, was last seen two days ago.
    assert hurried("rtsp", "onvif") == {"snapshot": pytest.approx(150, abs=150)}
    assert shown(book, "cam-0").status is Status.UNKNOWN
    assert hurried("snapshot") == {}
    assert shown(book, "cam-0").status is Status.OK
    now += 60
    assert hurried("rtsp", "onvif") == {}


def pictured(seconds: float, watched: Facts, *causes: str) -> Observation:
    """A run that found this in its picture, as ``take_in`` leaves it."""
    faults = [{"cause": cause, "score": 0.9, "evidence": {}, "tiles": []} for cause in causes]
    return seen(
        "cam-0",
        "snapshot",
        seconds,
        facts={"judgement": {"faults": faults, "not_checked": {"frozen": "one_frame"}}, "watched": watched},
    )


def test_a_picture_in_doubt_is_not_kept_as_a_good_one_though_nothing_is_believed_yet() -> None:
    book = ledger(SWITCH, *CAMERAS)
    begun = {"covered": {"since": None, "seen": [[at(20).isoformat(), True]], "clean": 0}}
    good, doubtful = pictured(1, {}, "blurred"), pictured(20, begun, "covered")
    book.judge([good], at(1))
    assert book.pictured_well(good) is True, "without references nobody is believed to be blurred"
    book.judge([doubtful], at(20))
    assert book.pictured_well(doubtful) is False
    assert book.pictured_well(good) is None, "it is not the newest any more"
    assert (book.sightings.pictures, book.sightings.not_checked) == ({"doubtful": 2}, {"one_frame": 2})


def test_what_is_believed_of_a_picture_is_written_with_the_state_that_it_makes() -> None:
    book = ledger(SWITCH, *CAMERAS)
    book.judge([pictured(1, {})], at(1))
    book.collect(at(1))
    book.judge([pictured(20, {"covered": {"since": at(1).isoformat(), "seen": [], "clean": 0}}, "covered")], at(20))
    written = book.collect(at(20))
    assert written.states[Subject("cam-0", Aspect.PICTURE)].cause is Cause.COVERED
    assert ("cam-0", ("snapshot", "")) in written.seen


def test_a_first_answer_on_which_nothing_else_depends_changes_no_plan_and_is_not_awaited_any_more() -> None:
    book = ledger(CAMERAS[0])
    told = book.judge([seen("cam-0", "onvif", 0, facts={"snapshot_uri": "http://192.0.2.10/p"})], at(0))
    assert [type(one) for one in told] == [Put]
    assert book.judge([seen("cam-0", "rtsp", 1)], at(1)) == []
    entry = book.roster_entry("cam-0")
    assert entry is not None
    assert {task.probe: task.soon for task in entry.tasks} == {"onvif": False, "rtsp": False, "snapshot": True}
    assert book.follow(registered(*CAMERAS[:1]), at(2)) == [], "and planned anew it is the same"


def test_devices_of_one_site_are_not_met_one_after_the_other() -> None:
    settings = Settings()
    book = Ledger(settings.health.policy(), settings.probes.policy())
    city = [Device(f"{site}-{n:02}", Kind.CAMERA, host="192.0.2.9") for site in ("east", "west") for n in range(50)]
    told = book.follow(registered(*city), NOON)
    first = [one.entry.target.device for one in told if isinstance(one, Put)][:50]
    assert 10 < sum(device.startswith("east") for device in first) < 40
