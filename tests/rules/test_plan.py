"""What a device is asked."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from camera_registry.model.device import Channel, Device, Kind, Life, TlsUse, TrafficKind
from camera_registry.model.health import Aspect, Subject
from camera_registry.model.observation import Facts
from camera_registry.model.roster import Entry
from camera_registry.rules.plan import feeders, learn, plan, reach_feeder
from camera_registry.settings import Settings

POLICY = Settings().probes.policy()


def planned(device: Device, *channels: Channel, **learned: str) -> Entry:
    entry = plan(device, channels, POLICY, learned, [("onvif", "")])
    assert entry is not None
    return entry


def test_a_camera_is_asked_over_onvif_rtsp_and_for_a_snapshot() -> None:
    entry = planned(Device("cam-7", Kind.CAMERA, host="192.0.2.7"))
    assert [task.probe for task in entry.tasks] == ["onvif", "rtsp", "snapshot"]
    assert reach_feeder(entry) == ("onvif", "")


def test_streams_of_unknown_address_wait_for_the_first_onvif_answer() -> None:
    device = Device("cam-7", Kind.CAMERA, host="192.0.2.7")
    entry = plan(device, (), POLICY, {}, ())
    assert entry is not None
    assert [task.probe for task in entry.tasks] == ["onvif"]
    known = plan(device, [Channel("c", "cam-7", rtsp_path="/live")], POLICY, {}, ())
    assert known is not None
    assert [task.probe for task in known.tasks] == ["onvif", "rtsp"]


def test_a_picture_of_unknown_address_waits_until_the_device_has_let_us_ask_for_it() -> None:
    device, asked = Device("cam-7", Kind.CAMERA, host="192.0.2.7"), [("onvif", "")]

    def probes(learned: Facts, succeeded: list[tuple[str, str]], *channels: Channel) -> list[str]:
        entry = plan(device, channels, POLICY, learned, asked, succeeded=succeeded)
        assert entry is not None
        return [task.probe for task in entry.tasks]

    assert probes({}, []) == ["onvif", "rtsp"]
    assert probes({}, asked) == ["onvif", "rtsp", "snapshot"], "it was let in, and told of none"
    assert probes({"snapshot_uri": "http://192.0.2.7/p"}, []) == ["onvif", "rtsp", "snapshot"]
    assert probes({}, [], Channel("c", "cam-7", snapshot_path="/p")) == ["onvif", "rtsp", "snapshot"]


def test_a_device_that_had_no_time_to_tell_where_its_streams_are_is_asked_again_before_one_is_looked_for() -> None:
    device, told = Device("cam-7", Kind.CAMERA, host="192.0.2.7"), {"stream_uri": "rtsp://192.0.2.7/live"}

    def probes(learned: Facts) -> list[str]:
        entry = plan(device, (), POLICY, learned, [("onvif", "")])
        assert entry is not None
        return [task.probe for task in entry.tasks]

    assert probes(learn("onvif", {"cut_short": True})) == ["onvif"]
    assert probes(learn("onvif", {"cut_short": False})) == ["onvif", "rtsp", "snapshot"]
    assert "rtsp" in probes(learn("onvif", {"cut_short": True, **told})), "what it told earlier is known"


def test_a_stream_is_looked_for_on_the_off_chance_until_the_device_has_let_us_ask_for_it() -> None:
    asked = [("onvif", "")]

    def guessed(device: Device, learned: Facts, succeeded: list[tuple[str, str]]) -> bool:
        entry = plan(device, (), POLICY, learned, asked, succeeded=succeeded)
        assert entry is not None
        return next("guessed" in task.options for task in entry.tasks if task.probe == "rtsp")

    camera = Device("cam-7", Kind.CAMERA, host="192.0.2.7")
    assert guessed(camera, {}, [])
    assert not guessed(camera, {}, asked), "it was let in, and told of none"
    assert not guessed(camera, {"stream_uri": "rtsp://192.0.2.7/live"}, [])
    assert not guessed(replace(camera, probes=("rtsp",)), {}, []), "it is never asked for it: its root is registered"


def test_a_switch_is_asked_over_tcp_on_its_own_port() -> None:
    entry = planned(Device("sw-1", Kind.NETWORK, host="192.0.2.1", tcp_port=22))
    assert ([task.probe for task in entry.tasks], entry.target.ports["tcp"]) == (["tcp"], 22)


@pytest.mark.parametrize("life", [Life.PLANNED, Life.SUSPENDED, Life.RETIRED])
def test_only_active_devices_are_polled(life: Life) -> None:
    assert plan(Device("cam-7", Kind.CAMERA, host="192.0.2.7", life=life), (), POLICY, {}, ()) is None


def test_each_channel_of_a_recorder_is_asked_for_its_own_stream() -> None:
    channels = [Channel("n-2", "nvr", 2, rtsp_path="/ch2"), Channel("n-1", "nvr", 1, rtsp_path="/ch1")]
    entry = planned(Device("nvr", Kind.RECORDER, host="192.0.2.9"), *channels)
    streams = [(task.channel, task.options["path"]) for task in entry.tasks if task.probe == "rtsp"]
    assert streams == [("n-1", "/ch1"), ("n-2", "/ch2")]


def test_a_channel_whose_place_nobody_knows_is_not_taken_for_the_first_one() -> None:
    channels = [Channel("n-1", "nvr", 1), Channel("n-2", "nvr", 2), Channel("n-3", "nvr", 3, rtsp_path="/ch3")]
    entry = planned(Device("nvr", Kind.RECORDER, host="192.0.2.9"), *channels, stream_uri="rtsp://192.0.2.9/ch1")
    assert [task.channel for task in entry.tasks if task.probe == "rtsp"] == ["n-1", "n-3"]


def of_recorder(*channels: Channel, sources: object) -> dict[str, object]:
    learned = learn("onvif", {"stream_uri": "rtsp://h/first", "sources": sources})
    entry = plan(Device("nvr", Kind.RECORDER, host="192.0.2.9"), channels, POLICY, learned, [("onvif", "")])
    assert entry is not None
    options = {task.channel: task.options for task in entry.tasks if task.probe == "rtsp"}
    return {channel: told.get("path", told.get("stream_uri")) for channel, told in options.items()}


def source(number: int, profile: str, uri: str) -> dict[str, object]:
    return {"number": number, "token": f"s{number}", "profile": profile, "profiles": [profile], "stream_uri": uri}


SOURCES = [
    source(1, "p1", "rtsp://h/1"),
    source(2, "p2", "rtsp://h/2"),
    source(3, "p3", ""),
    source(4, "p4", "rtsp://h/4"),
]


def test_channels_of_a_recorder_are_where_the_recorder_says_by_their_token_or_their_number() -> None:
    channels = [
        Channel("by-number", "nvr", 2),
        Channel("by-token", "nvr", 9, token="p4"),
        Channel("registered", "nvr", 1, rtsp_path="/mine"),
        Channel("untold", "nvr", 3),
        Channel("unknown", "nvr", 7, token="p77"),
    ]
    told = of_recorder(*channels, sources=SOURCES)
    assert told == {"registered": "/mine", "by-number": "rtsp://h/2", "by-token": "rtsp://h/4"}


def test_the_first_source_is_not_taken_for_a_channel_of_another_number() -> None:
    assert of_recorder(Channel("n-7", "nvr", 7), sources=SOURCES) == {"n-7": None}
    assert of_recorder(Channel("n-7", "nvr", 7), sources=None) == {"n-7": "rtsp://h/first"}, "it tells of no others"


@pytest.mark.parametrize("sources", [3, "x", [3], [{}], [{"stream_uri": 7, "number": "a"}], {"a": 1}])
def test_what_is_no_list_of_sources_teaches_nothing(sources: object) -> None:
    assert learn("onvif", {"stream_uri": "rtsp://h/first", "sources": sources}) == {"stream_uri": "rtsp://h/first"}


def test_the_device_is_asked_for_the_profiles_that_channels_without_a_path_are_known_by() -> None:
    channels = [
        Channel("n-1", "nvr", 1, token="p1"),
        Channel("n-2", "nvr", 2, token="p2", rtsp_path="/2", snapshot_path="/2.jpg"),
        Channel("n-3", "nvr", 3, token="p3", rtsp_path="/3"),
    ]
    entry = planned(Device("nvr", Kind.RECORDER, host="192.0.2.9"), *channels)
    (onvif,) = [task for task in entry.tasks if task.probe == "onvif"]
    assert onvif.options["tokens"] == ["p1", "p3"]


def test_recorders_are_asked_for_their_recordings() -> None:
    entry = planned(Device("nvr", Kind.RECORDER, host="192.0.2.9"))
    assert "recording" in [task.probe for task in entry.tasks]
    assert Subject("nvr", Aspect.RECORDING) in feeders(entry)


def test_what_the_device_told_is_used_where_the_register_has_no_path() -> None:
    entry = planned(Device("cam-7", Kind.CAMERA, host="192.0.2.7"), stream_uri="rtsp://192.0.2.7/live")
    assert {task.probe: task.options.get("stream_uri") for task in entry.tasks}["rtsp"] == "rtsp://192.0.2.7/live"


def test_a_port_of_zero_means_the_device_does_not_speak_that() -> None:
    entry = planned(Device("cam-7", Kind.CAMERA, host="192.0.2.7", onvif_port=0))
    assert [task.probe for task in entry.tasks] == ["rtsp", "snapshot"]


def test_a_device_s_own_interval_overrules_the_probe_s() -> None:
    entry = planned(Device("cam-7", Kind.CAMERA, host="192.0.2.7", interval=20))
    assert {task.interval for task in entry.tasks} == {20}


def test_what_is_registered_besides_is_asked_besides() -> None:
    switch = Device(
        "sw-1", Kind.NETWORK, host="192.0.2.1", tcp_port=22, snmp_port=161, tls_port=443, http_path="/status"
    )
    assert [task.probe for task in planned(switch).tasks] == ["tcp", "tls", "http", "snmp"]


@pytest.mark.parametrize("kind", list(TrafficKind))
def test_a_traffic_unit_is_asked_by_its_kind_unless_its_entry_says_otherwise(kind: TrafficKind) -> None:
    unit = Device("its-1", Kind.TRAFFIC_UNIT, host="192.0.2.5", traffic_kind=kind, tcp_port=23, http_path="/status")
    pictured = kind not in (TrafficKind.SIGNAL, TrafficKind.GUIDANCE)
    usual = ["onvif", "rtsp", "snapshot"] if pictured else ["tcp", "http"]
    assert [task.probe for task in planned(unit).tasks] == usual
    own = planned(replace(unit, probes=("icmp", "http"), interval=300))
    assert [(task.probe, task.interval) for task in own.tasks] == [("icmp", 300), ("http", 300)]


def test_identity_is_fed_by_each_probe_that_meets_the_certificate() -> None:
    device = Device("cam-7", Kind.CAMERA, host="192.0.2.7", tls=TlsUse.PIN, tls_port=443)
    identity = feeders(planned(device, snapshot_uri="https://192.0.2.7/p.jpg"))[Subject("cam-7", Aspect.IDENTITY)]
    assert [probe for probe, _ in identity] == ["onvif", "snapshot", "tls"]
    in_the_clear = feeders(planned(replace(device, tls=TlsUse.OFF, tls_port=0)))
    assert [probe for probe, _ in in_the_clear[Subject("cam-7", Aspect.IDENTITY)]] == ["onvif"]


def test_the_certificate_is_held_to_unless_any_will_do() -> None:
    device = Device("cam-7", Kind.CAMERA, host="192.0.2.7", certificate="ab" * 32)
    held = {use: planned(replace(device, tls=use)).target.certificate for use in TlsUse}
    assert held == {TlsUse.OFF: "ab" * 32, TlsUse.PIN: "ab" * 32, TlsUse.ANY: ""}


PROFILES = [
    {"token": "main", "encoding": "H265", "width": 1920, "height": 1080, "frame_rate": 25.0},
    {"token": "sub", "encoding": "H264", "width": 640, "height": 360, "frame_rate": 12.0},
]
TOLD = {
    "profiles": PROFILES,
    "profile": "main",
    "stream_uri": "rtsp://192.0.2.7/a",
    "snapshot_uri": "http://192.0.2.7/",
}


def options(entry: Entry, probe: str, channel: str = "") -> Mapping[str, object]:
    return next(task.options for task in entry.tasks if (task.probe, task.channel) == (probe, channel))


def asked(told: Facts, *channels: Channel) -> Entry:
    entry = plan(
        Device("cam-7", Kind.CAMERA, host="192.0.2.7"), channels, POLICY, learn("onvif", told), [("onvif", "")]
    )
    assert entry is not None
    return entry


def test_a_stream_is_held_against_the_profile_that_told_its_address() -> None:
    main = {name: value for name, value in PROFILES[0].items() if name != "token"}
    assert options(asked(TOLD), "rtsp")["declared"] == main


def test_a_stream_that_the_register_names_is_held_against_the_profile_it_names_and_no_other() -> None:
    sub = {name: value for name, value in PROFILES[1].items() if name != "token"}
    assert options(asked(TOLD, Channel("c", "cam-7", token="sub", rtsp_path="/b")), "rtsp", "c")["declared"] == sub
    assert "declared" not in options(asked(TOLD, Channel("c", "cam-7", rtsp_path="/b")), "rtsp", "c")


def test_each_source_of_a_recorder_has_the_profile_of_its_own() -> None:
    sources = [
        {"number": 1, "profile": "main", "stream_uri": "rtsp://192.0.2.7/1"},
        {"number": 2, "profile": "sub", "stream_uri": "rtsp://192.0.2.7/2"},
    ]
    channels = [Channel("n-1", "cam-7", 1), Channel("n-2", "cam-7", 2)]
    entry = asked({"profiles": PROFILES, "sources": sources}, *channels)
    widths = [options(entry, "rtsp", one)["declared"]["width"] for one in ("n-1", "n-2")]  # type: ignore[index]
    assert widths == [1920, 640]


def test_a_device_that_tells_a_stream_and_no_still_picture_is_looked_at_in_its_stream() -> None:
    told = {name: value for name, value in TOLD.items() if name != "snapshot_uri"}
    entry = asked(told)
    assert [task.probe for task in entry.tasks] == ["onvif", "rtsp", "key_frame"]
    assert options(entry, "key_frame") == {"picture": True, "stream_uri": "rtsp://192.0.2.7/a"}


@pytest.mark.parametrize(
    ("told", "channel"),
    [
        (TOLD, Channel("c", "cam-7")),
        ({}, Channel("c", "cam-7")),
        ({"stream_uri": "rtsp://192.0.2.7/a"}, Channel("c", "cam-7", snapshot_path="/snap.jpg")),
    ],
)
def test_a_still_picture_that_is_known_or_may_yet_be_is_asked_for(told: Facts, channel: Channel) -> None:
    assert [task.probe for task in asked(told, channel).tasks] == ["onvif", "rtsp", "snapshot"]
