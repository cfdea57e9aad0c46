"""What one observation says, by policy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Device, Kind, TlsUse
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.observation import Facts, Failure, FailureKind, Observation, Stage
from camera_registry.model.policy import Policy
from camera_registry.rules.verdict import read

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
CAMERA = Device("cam-7", Kind.CAMERA, host="192.0.2.7", serial="S1", firmware="1.0")


def verdict(
    probe: str,
    facts: Facts | None = None,
    failure: Failure | None = None,
    before: Facts | None = None,
    *,
    feeds_reach: bool = False,
) -> dict[Aspect, Cause | None]:
    seen = Observation("cam-7", probe, NOON, 0.1, facts=facts or {}, failure=failure)
    readings = read(seen, before or {}, Policy(), CAMERA, feeds_reach=feeds_reach)
    return {reading.subject.aspect: reading.cause for reading in readings}


def failed(kind: FailureKind, stage: Stage = Stage.ANSWER) -> Failure:
    return Failure(kind, stage, "as told by a test")


@pytest.mark.parametrize(
    ("probe", "facts", "says"),
    [
        ("rtsp", {}, {Aspect.STREAM: None}),
        ("onvif", {}, {Aspect.CONTROL: None}),
        ("onvif", {"clock_offset_seconds": 74.0}, {Aspect.CONTROL: None, Aspect.CLOCK: Cause.CLOCK_DRIFT}),
        ("onvif", {"clock_offset_seconds": -3}, {Aspect.CONTROL: None, Aspect.CLOCK: None}),
        ("onvif", {"serial": "S1"}, {Aspect.CONTROL: None, Aspect.IDENTITY: None}),
        ("onvif", {"serial": "S2"}, {Aspect.CONTROL: None, Aspect.IDENTITY: Cause.REPLACED}),
        ("onvif", {"serial": "S1", "firmware": "2"}, {Aspect.CONTROL: None, Aspect.IDENTITY: Cause.FIRMWARE_CHANGED}),
        ("snapshot", {"picture": {"luma_p95": 90, "flat_share": 0.1}}, {Aspect.PICTURE: None}),
        ("snapshot", {"picture": {"luma_p95": 9, "flat_share": 0.99}}, {Aspect.PICTURE: Cause.BLACK}),
        ("snapshot", {"picture": {"luma_p95": 90, "flat_share": 0.95}}, {Aspect.PICTURE: Cause.NO_SIGNAL}),
    ],
)
def test_facts_become_readings_by_policy(probe: str, facts: Facts, says: dict[Aspect, Cause | None]) -> None:
    assert verdict(probe, facts) == says


def test_a_picture_identical_to_the_one_before_is_frozen() -> None:
    assert verdict("snapshot", {"sha256": "aa"}, before={"sha256": "aa"}) == {Aspect.PICTURE: Cause.FROZEN}
    assert verdict("snapshot", {"sha256": "ab"}, before={"sha256": "aa"}) == {Aspect.PICTURE: None}


def test_our_own_bug_turns_nothing_red() -> None:
    assert verdict("onvif", failure=failed(FailureKind.INTERNAL), feeds_reach=True) == {}


def test_a_password_refused_is_not_a_loss_of_reach() -> None:
    said = verdict("onvif", failure=failed(FailureKind.AUTH, Stage.AUTHENTICATE), feeds_reach=True)
    assert said == {Aspect.REACH: None, Aspect.CONTROL: Cause.AUTH}


@pytest.mark.parametrize("key", ["auth.none", "auth.unknown", "auth.not_given"])
def test_a_password_that_is_wanted_where_there_is_none_to_send_was_not_refused(key: str) -> None:
    failure = replace(failed(FailureKind.AUTH, Stage.AUTHENTICATE), key=key)
    assert verdict("rtsp", failure=failure) == {Aspect.STREAM: Cause.NO_CREDENTIAL}


def test_silence_at_connect_is_a_loss_of_reach_and_silence_later_is_not() -> None:
    at_connect = verdict("onvif", failure=failed(FailureKind.TIMEOUT, Stage.CONNECT), feeds_reach=True)
    assert at_connect == {Aspect.REACH: Cause.TIMEOUT, Aspect.CONTROL: Cause.TIMEOUT}
    later = verdict("onvif", failure=failed(FailureKind.TIMEOUT, Stage.ANSWER), feeds_reach=True)
    assert later == {Aspect.REACH: None, Aspect.CONTROL: Cause.TIMEOUT}


def test_a_refusing_onvif_port_leaves_the_camera_reachable_but_a_refusing_tcp_port_does_not() -> None:
    refused = failed(FailureKind.REFUSED, Stage.CONNECT)
    assert verdict("onvif", failure=refused, feeds_reach=True)[Aspect.REACH] is None
    assert verdict("tcp", failure=refused, feeds_reach=True) == {Aspect.REACH: Cause.REFUSED}


def test_a_snapshot_that_could_not_be_fetched_says_nothing_of_the_picture() -> None:
    assert verdict("snapshot", failure=failed(FailureKind.TIMEOUT)) == {}
    assert verdict("snapshot", failure=failed(FailureKind.UNDECODABLE)) == {Aspect.PICTURE: Cause.UNDECODABLE}


def test_a_recorder_is_judged_by_what_it_tells_and_not_by_whether_it_could_be_asked() -> None:
    assert verdict("recording", {"age_seconds": 20}) == {Aspect.RECORDING: None}
    assert verdict("recording", {"age_seconds": 9000}) == {Aspect.RECORDING: Cause.RECORDING_GAP}
    assert verdict("recording", {"profile_g": False}) == {}
    for kind in (FailureKind.TIMEOUT, FailureKind.AUTH, FailureKind.PROTOCOL):
        assert verdict("recording", {"age_seconds": 9000}, failed(kind)) == {}


def test_a_clock_read_before_the_password_was_refused_is_judged() -> None:
    said = verdict("onvif", {"clock_offset_seconds": 86400.0}, failed(FailureKind.AUTH))
    assert said == {Aspect.CONTROL: Cause.AUTH, Aspect.CLOCK: Cause.CLOCK_DRIFT}


def certificate(days: float) -> Facts:
    return {"certificate": {"fingerprint": "ab" * 32, "not_after": (NOON + timedelta(days=days)).isoformat()}}


@pytest.mark.parametrize(("days", "says"), [(31, None), (29, Cause.CERTIFICATE), (-1, Cause.CERTIFICATE)])
def test_a_certificate_near_its_end_is_a_fault_of_identity_whoever_saw_it(days: float, says: Cause | None) -> None:
    for probe in ("onvif", "snapshot", "rtsp", "http", "tls"):
        assert verdict(probe, certificate(days))[Aspect.IDENTITY] is says


def test_another_certificate_than_the_registered_one_is_a_fault_of_who_asked_and_of_identity() -> None:
    said = verdict("onvif", certificate(99), failed(FailureKind.CERTIFICATE, Stage.HANDSHAKE), feeds_reach=True)
    assert said == {Aspect.REACH: None, Aspect.CONTROL: Cause.CERTIFICATE, Aspect.IDENTITY: Cause.CERTIFICATE}


def test_where_any_certificate_will_do_its_end_is_no_fault() -> None:
    lax = replace(CAMERA, tls=TlsUse.ANY)
    seen = Observation("cam-7", "tls", NOON, 0.1, facts=certificate(-1))
    readings = read(seen, {}, Policy(), lax, feeds_reach=False)
    assert [(reading.subject.aspect, reading.good) for reading in readings] == [(Aspect.CONTROL, True)]


@pytest.mark.parametrize(
    ("status", "credential", "says"),
    [
        (200, "", None),
        (204, "", None),
        (401, "", None),
        (403, "", None),
        (401, "web", Cause.AUTH),
        (403, "web", Cause.AUTH),
        (302, "", Cause.PROTOCOL),
        (404, "", Cause.PROTOCOL),
        (503, "", Cause.BUSY),
    ],
)
def test_a_page_is_good_by_its_status(status: int, credential: str, says: Cause | None) -> None:
    seen = Observation("cam-7", "http", NOON, 0.1, facts={"status": status})
    readings = read(seen, {}, Policy(), replace(CAMERA, credential=credential), feeds_reach=False)
    assert [reading.cause for reading in readings] == [says]


MAIN = {"encoding": "H264", "width": 1920, "height": 1080, "frame_rate": 25.0}
SEEN = {"codec": "H264", "width": 1920, "height": 1080, "declared": MAIN}


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (SEEN, None),
        ({"codec": "H264", "width": 640, "height": 360}, None),
        ({**SEEN, "width": 640, "height": 360}, Cause.WRONG_STREAM),
        ({**SEEN, "height": 1088}, None),
        ({**SEEN, "width": 1080, "height": 1920}, None),
        ({**SEEN, "codec": "JPEG"}, Cause.WRONG_STREAM),
        ({**SEEN, "codec": "H265"}, None),
        ({**SEEN, "declared": {**MAIN, "encoding": "H265"}}, Cause.WRONG_STREAM),
        ({**SEEN, "declared": {**MAIN, "encoding": None, "width": None}}, None),
        ({**SEEN, "declared": "H264"}, None),
        ({"codec": "MP4V-ES", "declared": {"encoding": "MPEG4"}}, None),
        ({**SEEN, "frame_rate": 11.0, "measured_seconds": 3.0}, Cause.LOW_FRAME_RATE),
        ({**SEEN, "frame_rate": 13.0, "measured_seconds": 3.0}, None),
        ({**SEEN, "frame_rate": 1.0, "measured_seconds": 1.9}, None),
        ({**SEEN, "frame_rate": 11.0, "measured_seconds": 3.0, "declared_frame_rate": 12.5}, None),
        ({"frame_rate": 3.0, "measured_seconds": 3.0, "declared_frame_rate": 15}, Cause.LOW_FRAME_RATE),
        ({"frame_rate": 3.0, "measured_seconds": 3.0}, None),
    ],
)
def test_a_stream_is_held_against_what_is_declared_of_it(facts: Facts, cause: Cause | None) -> None:
    assert verdict("rtsp", facts) == {Aspect.STREAM: cause}


def test_a_picture_out_of_the_stream_speaks_of_the_picture_alone() -> None:
    dark = {"codec": "JPEG", "declared": MAIN, "picture": {"luma_p95": 9, "flat_share": 0.1}}
    assert verdict("key_frame", dark) == {Aspect.PICTURE: Cause.BLACK}
    assert verdict("key_frame", failure=failed(FailureKind.NO_MEDIA)) == {Aspect.PICTURE: Cause.NO_MEDIA}
    assert verdict("key_frame", failure=failed(FailureKind.TIMEOUT)) == {}
