"""What a device is asked."""

from dataclasses import replace

import pytest

from camera_registry.model.device import Channel, Device, Kind, Life, TlsUse, TrafficKind
from camera_registry.model.health import Aspect, Subject
from camera_registry.model.roster import Entry
from camera_registry.rules.plan import feeders, plan, reach_feeder
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
