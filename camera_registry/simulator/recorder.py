"""What a simulated recorder answers about its recordings: ONVIF's Recording, Search and Replay services (Profile G).

Each channel is written into a recording of its own, for the last week, without end; the faults ``recording_gap`` and
``storage_fault`` take from that. Element names and their order follow the WSDL of those services, version 10.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from math import inf
from xml.sax.saxutils import escape

from camera_registry.simulator.faults import Fault
from camera_registry.simulator.live import LiveDevice
from camera_registry.simulator.question import Asked, SoapFault

RECORDING = "http://www.onvif.org/ver10/recording/wsdl"
SEARCH = "http://www.onvif.org/ver10/search/wsdl"
REPLAY = "http://www.onvif.org/ver10/replay/wsdl"

KEPT = 7 * 86_400.0
"""Seconds for which recordings are kept."""
LAG = 10.0
"""Seconds after which a picture is told to be recorded."""
BROKEN = "disk 1: write error"


def hole(device: LiveDevice) -> tuple[float, float] | None:
    """From when until when nothing was recorded, by the device's clock; None: there is no such time."""
    if Fault.RECORDING_GAP not in device.faults:
        return None
    begun = device.faults.begun[Fault.RECORDING_GAP] + device.clock - time.time()
    ago, length = (device.faults.option(Fault.RECORDING_GAP, name) for name in ("ago", "seconds"))
    return begun - ago - length, begun - ago if ago else inf


def held(device: LiveDevice) -> tuple[float, float]:
    """The oldest and the newest picture, by the device's clock."""
    now = device.clock
    missing = hole(device)
    latest = now - LAG
    if missing is not None and missing[1] >= latest:
        latest = missing[0]
    return now - KEPT, latest


def _recordings(asked: Asked) -> str:
    listed = "".join(
        f"<trc:RecordingItem><tt:RecordingToken>{_recording(channel)}</tt:RecordingToken><tt:Configuration>"
        f"{_source(channel)}<tt:Content>channel {channel}</tt:Content><tt:MaximumRetentionTime>P7D"
        "</tt:MaximumRetentionTime></tt:Configuration><tt:Tracks><tt:Track>"
        f"<tt:TrackToken>video_{channel}</tt:TrackToken><tt:Configuration><tt:TrackType>Video</tt:TrackType>"
        "<tt:Description/></tt:Configuration></tt:Track></tt:Tracks></trc:RecordingItem>"
        for channel in _channels(asked)
    )
    return f"<trc:GetRecordingsResponse>{listed}</trc:GetRecordingsResponse>"


def _jobs(asked: Asked) -> str:
    listed = "".join(
        f"<trc:JobItem><tt:JobToken>job_{channel}</tt:JobToken><tt:JobConfiguration>"
        f"<tt:RecordingToken>{_recording(channel)}</tt:RecordingToken><tt:Mode>Active</tt:Mode>"
        "<tt:Priority>1</tt:Priority><tt:Source>"
        '<tt:SourceToken Type="http://www.onvif.org/ver10/schema/Profile">'
        f"<tt:Token>profile_{channel}_1</tt:Token></tt:SourceToken></tt:Source></tt:JobConfiguration></trc:JobItem>"
        for channel in _channels(asked)
    )
    return f"<trc:GetRecordingJobsResponse>{listed}</trc:GetRecordingJobsResponse>"


def _job_state(asked: Asked) -> str:
    channel = _channel(asked, "JobToken", "job_{channel}", "NoRecordingJob")
    broken = Fault.STORAGE_FAULT in asked.device.faults
    state, error = ("Error", f"<tt:Error>{BROKEN}</tt:Error>") if broken else ("Active", "")
    return (
        "<trc:GetRecordingJobStateResponse><trc:State>"
        f"<tt:RecordingToken>{_recording(channel)}</tt:RecordingToken><tt:State>{state}</tt:State><tt:Sources>"
        '<tt:SourceToken Type="http://www.onvif.org/ver10/schema/Profile">'
        f"<tt:Token>profile_{channel}_1</tt:Token></tt:SourceToken><tt:State>{state}</tt:State><tt:Tracks><tt:Track>"
        f"<tt:SourceTag>video</tt:SourceTag><tt:Destination>video_{channel}</tt:Destination>{error}"
        f"<tt:State>{state}</tt:State></tt:Track></tt:Tracks></tt:Sources></trc:State>"
        "</trc:GetRecordingJobStateResponse>"
    )


def _summary(asked: Asked) -> str:
    earliest, latest = held(asked.device)
    return (
        "<tse:GetRecordingSummaryResponse><tse:Summary>"
        f"<tt:DataFrom>{_moment(earliest)}</tt:DataFrom><tt:DataUntil>{_moment(latest)}</tt:DataUntil>"
        f"<tt:NumberRecordings>{len(_channels(asked))}</tt:NumberRecordings>"
        "</tse:Summary></tse:GetRecordingSummaryResponse>"
    )


def _information(asked: Asked) -> str:
    channel = _channel(asked, "RecordingToken", "recording_{channel}", "NoRecording")
    earliest, latest = held(asked.device)
    return (
        "<tse:GetRecordingInformationResponse><tse:RecordingInformation>"
        f"<tt:RecordingToken>{_recording(channel)}</tt:RecordingToken>{_source(channel)}"
        f"<tt:EarliestRecording>{_moment(earliest)}</tt:EarliestRecording>"
        f"<tt:LatestRecording>{_moment(latest)}</tt:LatestRecording><tt:Content>channel {channel}</tt:Content>"
        f"{_track('Track', channel, asked.device)}<tt:RecordingStatus>Recording</tt:RecordingStatus>"
        "</tse:RecordingInformation></tse:GetRecordingInformationResponse>"
    )


def _attributes(asked: Asked) -> str:
    """A recording that has nothing at the time asked about is told with its track and without attributes of video."""
    tokens = asked.repeated.get("RecordingTokens", ())
    try:
        at = datetime.fromisoformat(asked.arguments.get("Time", "")).timestamp()
    except ValueError as error:
        raise SoapFault("Sender", ("InvalidArgVal",), "the time is no xs:dateTime") from error
    earliest, latest = held(asked.device)
    missing = hole(asked.device)
    there = earliest <= at <= latest and not (missing and missing[0] < at < missing[1])
    video = (
        "<tt:VideoAttributes><tt:Width>640</tt:Width><tt:Height>360</tt:Height><tt:Encoding>H264</tt:Encoding>"
        "<tt:Framerate>25</tt:Framerate></tt:VideoAttributes>"
    )
    listed = "".join(
        f"<tse:MediaAttributes><tt:RecordingToken>{escape(token)}</tt:RecordingToken><tt:TrackAttributes>"
        f"{_track('TrackInformation', channel, asked.device)}{video if there else ''}</tt:TrackAttributes>"
        f"<tt:From>{_moment(at)}</tt:From><tt:Until>{_moment(at)}</tt:Until></tse:MediaAttributes>"
        for channel in _channels(asked)
        if (token := _recording(channel)) in tokens
    )
    return f"<tse:GetMediaAttributesResponse>{listed}</tse:GetMediaAttributesResponse>"


def _replay_uri(asked: Asked) -> str:
    channel = _channel(asked, "RecordingToken", "recording_{channel}", "NoRecording")
    uri = f"rtsp://{asked.host}:{asked.ports.rtsp}/replay/{channel}"
    return f"<trp:GetReplayUriResponse><trp:Uri>{uri}</trp:Uri></trp:GetReplayUriResponse>"


def storage(asked: Asked) -> str:
    """GetStorageConfigurations of the device service, with a state, as makers add it beside ONVIF's own elements."""
    state = "error" if Fault.STORAGE_FAULT in asked.device.faults else "ok"
    return (
        '<tds:GetStorageConfigurationsResponse><tds:StorageConfigurations token="disk_1"><tds:Data type="LocalStorage">'
        f"<tds:LocalPath>/mnt/disk1</tds:LocalPath><tds:Extension><State>{state}</State></tds:Extension></tds:Data>"
        "</tds:StorageConfigurations></tds:GetStorageConfigurationsResponse>"
    )


ANSWERS: Mapping[tuple[str, str], Callable[[Asked], str]] = {
    (RECORDING, "GetRecordings"): _recordings,
    (RECORDING, "GetRecordingJobs"): _jobs,
    (RECORDING, "GetRecordingJobState"): _job_state,
    (SEARCH, "GetRecordingSummary"): _summary,
    (SEARCH, "GetRecordingInformation"): _information,
    (SEARCH, "GetMediaAttributes"): _attributes,
    (REPLAY, "GetReplayUri"): _replay_uri,
}
SERVICES = (
    (RECORDING, "/onvif/recording_service"),
    (SEARCH, "/onvif/search_service"),
    (REPLAY, "/onvif/replay_service"),
)


def _channels(asked: Asked) -> range:
    return range(1, asked.device.member.channels + 1)


def _channel(asked: Asked, argument: str, named: str, fault: str) -> int:
    """The channel that an argument names. Raises SoapFault."""
    token = asked.arguments.get(argument, "")
    for channel in _channels(asked):
        if token == named.format(channel=channel):
            return channel
    raise SoapFault("Sender", ("InvalidArgVal", fault), f"there is no {token!r}")


def _recording(channel: int) -> str:
    return f"recording_{channel}"


def _source(channel: int) -> str:
    return (
        f"<tt:Source><tt:SourceId>source_{channel}</tt:SourceId><tt:Name>channel {channel}</tt:Name>"
        "<tt:Location/><tt:Description/><tt:Address/></tt:Source>"
    )


def _track(name: str, channel: int, device: LiveDevice) -> str:
    earliest, latest = held(device)
    return (
        f"<tt:{name}><tt:TrackToken>video_{channel}</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/>"
        f"<tt:DataFrom>{_moment(earliest)}</tt:DataFrom><tt:DataTo>{_moment(latest)}</tt:DataTo></tt:{name}>"
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
