"""This file turns answers of ONVIF's recording services (Profile G: Recording Control, Recording Search) into values.

Times are as the device counts them, aware UTC; what is missing or unreadable is None or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from lxml import etree

from probes.wire.onvif_clock import moment_of
from probes.wire.onvif_setup import text_of_attribute
from probes.wire.soap import child, children, descendant, local_name, raw_text, text

RECORDING_LIMIT = 128
"""Recordings, and jobs, of one device that are read."""
TRACK_LIMIT = 8
"""Tracks of one recording that are read."""

_MOMENT = re.compile(
    r"(\d{4})-?(\d{1,2})-?(\d{1,2})[T ]+(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]\d*)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_EARLIEST = 1990
"""Devices that mean "never" say 0001, 1900 or 1970."""
_BAD = re.compile(r"(?i)err|fail|fault|bad|broken|corrupt|abnormal|damage|unformat|offline|missing|lost|readonly|full")
_GOOD = re.compile(r"(?i)ok|normal|good|active|online|mounted|ready|healthy|idle|readwrite")


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a recording, and what it holds."""

    token: str
    kind: str
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it is set up."""

    token: str
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a recording holds (GetRecordingInformation). ``status`` in lower case: recording, stopped, removed, ..."""

    token: str
    earliest: datetime | None
    latest: datetime | None
    status: str
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """What writes into a recording. ``mode`` in lower case: active or idle, as somebody set it; ``source`` is the token
    of the profile or receiver that it takes from."""

    token: str
    recording: str
    mode: str
    source: str


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job fares, in lower case: active, partiallyactive, idle or error; ``error`` in the device's words."""

    state: str
    error: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A place where recordings are kept. ``fault`` is empty, or the device's word for what is wrong with it; ``known``:
    it says how it fares at all."""

    token: str
    kind: str
    fault: str
    known: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """That a recording has pictures at a time, and from when until when this is known to hold (None: not known)."""

    since: datetime | None
    until: datetime | None


def read_moment(told: str) -> datetime | None:
    """An xs:dateTime, however sloppy: a blank for the T, no separators, no zone (then UTC), seconds of 60, hour 24."""
    found = _MOMENT.search(told[:64])
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    moment = moment_of(year, month, day, hour, minute, second) if year >= _EARLIEST else None
    zone = (found[7] or "").upper().replace(":", "")
    if moment is None or zone[:1] not in ("+", "-"):
        return moment
    east = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    try:
        return moment - east if zone[0] == "+" else moment + east
    except OverflowError:
        return None


def read_recordings(answer: etree._Element) -> tuple[Recording, ...]:
    """GetRecordings."""
    found = []
    for element in islice(_named(answer, "RecordingItem", "RecordingItems"), RECORDING_LIMIT):
        source = child(element, "Configuration", "Source")
        token = raw_text(child(element, "RecordingToken"))[:256]
        if token:
            found.append(Recording(token, text(child(source, "Name")), text(child(source, "SourceId"))))
    return tuple(found)


def read_holdings(answer: etree._Element) -> Holdings | None:
    """GetRecordingInformation. The newest and oldest of its tracks stand in for those of the recording."""
    element = descendant(answer, "RecordingInformation")
    if element is None:
        return None
    tracks = tuple(_track(one) for one in islice(children(element, "Track"), TRACK_LIMIT))
    earliest = _moment(element, "EarliestRecording") or min(
        (track.earliest for track in tracks if track.earliest is not None), default=None
    )
    latest = _moment(element, "LatestRecording") or max(
        (track.latest for track in tracks if track.latest is not None), default=None
    )
    status = text(child(element, "RecordingStatus")).lower()
    return Holdings(raw_text(child(element, "RecordingToken"))[:256], earliest, latest, status, tracks)


def read_summary(answer: etree._Element) -> tuple[datetime | None, datetime | None]:
    """GetRecordingSummary: the oldest and the newest of all that is recorded."""
    summary = descendant(answer, "Summary")
    return (None, None) if summary is None else (_moment(summary, "DataFrom"), _moment(summary, "DataUntil"))


def read_jobs(answer: etree._Element) -> tuple[Job, ...]:
    """GetRecordingJobs."""
    found = []
    for element in islice(_named(answer, "JobItem", "JobItems"), RECORDING_LIMIT):
        set_up = child(element, "JobConfiguration")
        token = raw_text(child(element, "JobToken"))[:256]
        if token:
            recording = raw_text(child(set_up, "RecordingToken"))[:256]
            source = text(child(set_up, "Source", "SourceToken", "Token"))
            found.append(Job(token, recording, text(child(set_up, "Mode")).lower(), source))
    return tuple(found)


def read_job_state(answer: etree._Element) -> JobState:
    """GetRecordingJobState. A job is as bad as the worst of its sources and tracks."""
    states = [text(element).lower() for element in answer.iter(etree.Element) if _leaf(element, "state")]
    error = next((text(element) for element in answer.iter(etree.Element) if _leaf(element, "error")), "")
    if error or any("error" in state for state in states):
        return JobState("error", error)
    return JobState(states[0] if states else "", "")


def read_presences(answer: etree._Element) -> dict[str, Presence]:
    """GetMediaAttributes: the recordings that have pictures at the time asked about. A track that has none then is told
    without attributes of video, or not at all."""
    found: dict[str, Presence] = {}
    for element in answer.iter(etree.Element):
        if local_name(element) != "mediaattributes":
            continue
        tracks = children(element, "TrackAttributes")
        if any(child(track, "VideoAttributes") is not None for track in tracks):
            token = raw_text(child(element, "RecordingToken"))[:256]
            found[token] = Presence(_moment(element, "From"), _moment(element, "Until"))
    return found


def read_storage(answer: etree._Element) -> tuple[Storage, ...]:
    """GetStorageConfigurations. ONVIF has no word for a broken disk there, so any element or attribute that is named a
    state or status counts; paths, addresses and users are not read."""
    found = []
    for element in islice(_named(answer, "StorageConfigurations", "StorageConfiguration"), 32):
        kind = text_of_attribute(child(element, "Data"), "type")
        words = [text(one) for one in element.iter(etree.Element) if local_name(one).endswith(("state", "status"))]
        words += [
            str(value)
            for one in element.iter(etree.Element)
            for name, value in one.attrib.items()
            if str(name).lower().endswith(("state", "status"))
        ]
        fault = next((word for word in words if _BAD.search(word)), "")
        found.append(
            Storage(text_of_attribute(element, "token"), kind, fault[:80], bool(fault) or any(map(_GOOD.search, words)))
        )
    return tuple(found)


def _track(element: etree._Element) -> Track:
    return Track(
        text(child(element, "TrackToken")),
        text(child(element, "TrackType")).lower(),
        _moment(element, "DataFrom"),
        _moment(element, "DataTo"),
    )


def _named(answer: etree._Element, *names: str) -> Iterator[etree._Element]:
    wanted = {name.lower() for name in names}
    return (element for element in answer if local_name(element) in wanted)


def _leaf(element: etree._Element, name: str) -> bool:
    return local_name(element) == name and bool(text(element))


def _moment(element: etree._Element, name: str) -> datetime | None:
    return read_moment(text(child(element, name)))
