"""What recorders tell of their recordings, read in whatever condition it comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from probes.wire import onvif_recording as recording
from probes.wire import onvif_setup
from probes.wire.onvif import read_services
from probes.wire.onvif_clock import read_clock
from probes.wire.soap import Operation, read_answer
from tests.probes.wire.refusal import refusal

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-26T12:00:00Z", NOON),
        ("2026-11-26T12:00:00.1234567Z", NOON),
        ("2026-11-26T20:00:00+08:00", NOON),
        ("2026-11-26T20:00:00+0800", NOON),
        ("2026-11-26T06:30:00-05:30", NOON),
        ("2026-11-26 12:00:00", NOON),
        ("2026-11-26T12:00:00", NOON),
        ("2026-11-26T12:00", NOON),
        ("20261126T120000Z", NOON),
        ("2026-11-26T11:59:60Z", NOON),
        ("  2026-11-26t12:00:00z\n", NOON),
        ("2026-11-25T24:00:00Z", datetime(2026, 11, 26, tzinfo=UTC)),
        ("2026-1-2T3:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-11-26T99:00:00Z", None),
        ("9999-12-31T23:59:60-14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_is_read_however_it_is_written(told: str, moment: datetime | None):
    assert recording.read_moment(told) == moment


def test_what_a_recording_holds_is_taken_from_its_tracks_where_it_says_nothing_itself():
    held = recording.read_holdings(
        etree.fromstring(
            "<R><RecordingInformation><RecordingToken> r1 </RecordingToken><Track><TrackToken>v</TrackToken>"
            "<TrackType>Video</TrackType><DataFrom>2026-11-20T00:00:00Z</DataFrom><DataTo>2026-11-26T12:00:00Z</DataTo>"
            "</Track><Track><TrackToken>a</TrackToken><TrackType>Audio</TrackType><DataFrom/><DataTo>never</DataTo></Track>"
            "<RecordingStatus>RECORDING</RecordingStatus></RecordingInformation></R>"
        )
    )
    assert held is not None
    assert (held.token, held.latest, held.status) == ("r1", NOON, "recording")
    assert [(track.kind, track.latest) for track in held.tracks] == [("video", NOON), ("audio", None)]


@pytest.mark.parametrize(
    ("inner", "state"),
    [
        ("<State>Active</State>", recording.JobState("active", "")),
        (
            "<State>Active</State><Sources><State>Error</State></Sources>",
            recording.JobState("error", ""),
        ),
        (
            "<State>PartiallyActive</State><Sources><Tracks><Track><Error>disk full</Error></Track></Tracks></Sources>",
            recording.JobState("error", "disk full"),
        ),
        (
            "<State>Active</State><Sources><Tracks><Track><Error/></Track></Tracks></Sources>",
            recording.JobState("active", ""),
        ),
        ("", recording.JobState("", "")),
    ],
)
def test_a_job_is_as_bad_as_the_worst_of_its_tracks(inner: str, state: recording.JobState):
    assert recording.read_job_state(etree.fromstring(f"<R><State>{inner}</State></R>")) == state


@pytest.mark.parametrize(
    ("inner", "fault", "known"),
    [
        (
            "<Data type='CIFS'><User><UserName>u</UserName><Password>p</Password></User></Data>",
            "",
            False,
        ),
        ("<Data type='Local'/><Status>OK</Status>", "", True),
        ("<Data type='Local'><Extension><DiskState>abnormal</DiskState></Extension></Data>", "abnormal", True),
        ("<Data type='Local' State='SMART failed'/>", "SMART failed", True),
        ("<Data type='Local'><hddStatus>unformatted</hddStatus></Data>", "unformatted", True),
        ("<Data type='Local'><State>42</State></Data>", "", False),
    ],
)
def test_a_storage_is_bad_only_if_it_says_so(inner: str, fault: str, known: bool):
    answer = etree.fromstring(f"<R><StorageConfigurations token='d1'>{inner}</StorageConfigurations></R>")
    (storage,) = recording.read_storage(answer)
    assert (storage.token, storage.fault, storage.known) == ("d1", fault, known)
    assert "p" not in (storage.kind, storage.fault), "neither user nor password is read"


def test_a_track_without_attributes_of_video_has_no_pictures_then():
    attributes = "<VideoAttributes><Width>1</Width></VideoAttributes>"
    found = recording.read_presences(
        etree.fromstring(
            "<R>"
            + "".join(
                f"<MediaAttributes><RecordingToken>{token}</RecordingToken><TrackAttributes>{inner}</TrackAttributes>"
                "<From>2026-11-26T12:00:00Z</From><Until>oops</Until></MediaAttributes>"
                for token, inner in (("r1", attributes), ("r2", "<TrackInformation/>"), ("r3", "<AudioAttributes/>"))
            )
            + "</R>"
        )
    )
    assert found == {"r1": recording.Presence(NOON, None)}


def test_recordings_and_jobs_are_read_and_bounded():
    items = "".join(
        f"<RecordingItem><RecordingToken>r{n}</RecordingToken><Configuration><Source><SourceId>s{n}</SourceId>"
        f"<Name>门{n}</Name></Source></Configuration></RecordingItem>"
        for n in range(500)
    )
    found = recording.read_recordings(etree.fromstring(f"<R>{items}<RecordingItem/></R>"))
    assert len(found) == recording.RECORDING_LIMIT
    assert found[2] == recording.Recording("r2", "门2", "s2")
    jobs = recording.read_jobs(
        etree.fromstring(
            "<R><JobItem><JobToken>j</JobToken><JobConfiguration><RecordingToken>r1</RecordingToken><Mode>IDLE</Mode>"
            "<Source><SourceToken><Token>p1</Token></SourceToken></Source></JobConfiguration></JobItem></R>"
        )
    )
    assert jobs == (recording.Job("j", "r1", "idle", "p1"),)


def read_everything(body: bytes) -> None:
    element = read_answer(200, body, Operation.RECORDINGS)
    for read in (
        recording.read_recordings,
        recording.read_holdings,
        recording.read_summary,
        recording.read_jobs,
        recording.read_job_state,
        recording.read_presences,
        recording.read_storage,
        onvif_setup.read_interfaces,
        onvif_setup.read_dns,
        onvif_setup.read_ntp,
        onvif_setup.read_hostname,
        onvif_setup.read_certificates,
        onvif_setup.read_events,
        onvif_setup.read_video_sources,
        onvif_setup.read_imaging,
        onvif_setup.read_focus,
        read_clock,
        read_services,
    ):
        read(element)  # type: ignore[operator] # each takes an element


NAMES = st.sampled_from(
    [
        "RecordingItem",
        "RecordingToken",
        "JobItem",
        "JobToken",
        "RecordingInformation",
        "Track",
        "DataTo",
        "Summary",
        "DataUntil",
        "MediaAttributes",
        "TrackAttributes",
        "VideoAttributes",
        "From",
        "Until",
        "State",
        "Error",
        "StorageConfigurations",
        "Data",
        "NetworkInterfaces",
        "Info",
        "HwAddress",
        "NTPInformation",
        "NTPManual",
        "DNSInformation",
        "NvtCertificate",
        "Capabilities",
        "VideoSources",
        "ImagingSettings",
        "FocusStatus20",
        "UTCDateTime",
        "LocalDateTime",
        "TimeZone",
        "TZ",
        "Date",
        "Time",
        "Year",
        "Hour",
        "Service",
        "Namespace",
        "XAddr",
    ]
)
TREES = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_characters="<&\x00"), max_size=12)
    | st.sampled_from(["2026-11-26T12:00:00Z", "999999999999", "CST-99:99", "-1"]),
    lambda inner: st.builds(
        lambda name, parts: f"<{name} token='x'>{''.join(parts)}</{name}>", NAMES, st.lists(inner, max_size=4)
    ),
    max_leaves=20,
)


@given(TREES, st.binary(max_size=40))
def test_any_tree_gives_values_or_a_declared_error(tree: str, junk: bytes):
    for body in (tree.encode("utf-8", "replace"), tree.encode("utf-8", "replace") + junk, junk):
        refusal(read_everything, b"<GetRecordingsResponse>" + body + b"</GetRecordingsResponse>")
