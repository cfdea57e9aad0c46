"""What the recording probe learns from recorders, and what it leaves alone."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.observation import FailureKind
from probes import onvif_round
from probes.memory import Memory
from tests.probes.loopback import HttpRequest, OnvifDouble, fault, listening, probe, read_http, target, tools

WRAP = "<E xmlns='http://www.w3.org/2003/05/soap-envelope'><Body><{0}Response>{1}</{0}Response></Body></E>"
SERVICES = (
    "http://www.onvif.org/ver10/recording/wsdl",
    "http://www.onvif.org/ver10/search/wsdl/",
    "http://www.onvif.org/ver10/replay/wsdl",
)


class Recorder(OnvifDouble):
    """Recordings r1 and r2 with a job each, a week old, ``behind`` by so much; nothing during ``hole``. Its clock is
    ``clock`` ahead, and its recordings are told ``shift`` later than that."""

    services = SERVICES
    recordings: tuple[str, ...] = ("r1", "r2")
    behind = timedelta(seconds=5)
    hole: tuple[datetime, datetime] | None = None
    shift = timedelta(0)
    always = False
    never = False

    def answer(self, request: HttpRequest) -> bytes:
        now = datetime.now(UTC)
        body = request.body.decode()
        token = re.search(r"(?:RecordingToken|JobToken)>([^<]*)<", body)
        which = token[1] if token else ""
        span = f"<DataFrom>{self.told(now - timedelta(7))}</DataFrom><DataTo>{self.told(now - self.behind)}</DataTo>"
        answers = {
            "GetServices": "".join(
                f"<Service><Namespace>{one}</Namespace><XAddr>http://10.0.0.1/onvif/x</XAddr></Service>"
                for one in self.services
            ),
            "GetRecordings": "".join(
                f"<RecordingItem><RecordingToken>{one}</RecordingToken></RecordingItem>" for one in self.recordings
            ),
            "GetRecordingJobs": "".join(
                f"<JobItem><JobToken>j-{one}</JobToken><JobConfiguration><RecordingToken>{one}</RecordingToken>"
                "<Mode>Active</Mode></JobConfiguration></JobItem>"
                for one in self.recordings
            ),
            "GetRecordingJobState": "<State><State>Active</State></State>",
            "GetRecordingInformation": f"<RecordingInformation><RecordingToken>{which}</RecordingToken><Track>"
            f"<TrackType>Video</TrackType>{span}</Track></RecordingInformation>",
            "GetMediaAttributes": self.attributes(body),
        }
        self.answers |= {name: WRAP.format(name, inner).encode() for name, inner in answers.items()} | self.instead
        return super().answer(request)

    instead: dict[str, tuple[int, bytes]] = {}  # noqa: RUF012 - replaced, never changed

    def told(self, moment: datetime) -> str:
        return (moment + self.clock + self.shift).strftime("%Y-%m-%dT%H:%M:%SZ")

    def attributes(self, body: str) -> str:
        found = re.search(r"Time>([^<]*)<", body)
        if found is None:
            return ""
        at = datetime.fromisoformat(found[1]) - self.clock - self.shift
        missing = self.hole is not None and self.hole[0] < at < self.hole[1]
        there = (self.always or not missing) and not self.never
        video = "<VideoAttributes/>" if there else ""
        return "".join(
            f"<MediaAttributes><RecordingToken>{one}</RecordingToken><TrackAttributes>{video}</TrackAttributes>"
            "</MediaAttributes>"
            for one in re.findall(r"RecordingTokens>([^<]*)</", body)
        )


def ago(**kwargs: float) -> datetime:
    return datetime.now(UTC) - timedelta(**kwargs)


async def test_what_is_recorded_is_told_by_our_clock():
    device = Recorder({}, clock=timedelta(hours=-7))
    device.hole = ago(hours=5), ago(hours=3)
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port))
    assert seen.failure is None
    one, other = seen.facts["recordings"]
    assert one["age_seconds"] == pytest.approx(5, abs=3)
    assert one["job"] == "active"
    for recording in (one, other):
        (gap,) = recording["gaps"]
        assert abs(datetime.fromisoformat(gap["from"]) - device.hole[0]) < timedelta(seconds=65)
        assert abs(datetime.fromisoformat(gap["to"]) - device.hole[1]) < timedelta(seconds=65)
        assert gap["resolution_seconds"] <= 60
    assert all(asked.startswith("Get") for asked in device.asked)
    assert device.asked.count("GetMediaAttributes") < 64, "both recordings are asked about at once"


async def test_what_is_known_is_not_asked_again():
    device = Recorder({})
    using = tools(memory=Memory())
    async with listening(device) as port:
        await probe("recording", target(onvif=port), using=using)
        first = device.asked.count("GetMediaAttributes")
        seen = await probe("recording", target(onvif=port), using=using)
    assert seen.failure is None
    assert 40 < first <= 48
    assert device.asked.count("GetMediaAttributes") - first <= 1


async def test_a_device_without_recording_services_says_just_that():
    device = Recorder({})
    device.services = ("http://www.onvif.org/ver10/media/wsdl",)
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port))
    assert seen.failure is None
    assert seen.facts["profile_g"] is False
    assert "recordings" not in seen.facts
    assert "GetRecordings" not in device.asked


@pytest.mark.parametrize(
    "refused", ["GetRecordingJobs", "GetRecordingJobState", "GetMediaAttributes", "GetRecordingSummary"]
)
async def test_one_operation_that_fails_costs_only_what_it_would_have_told(refused: str):
    device = Recorder({})
    device.instead = {refused: (500, fault("ActionNotSupported", "no"))}
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port))
    assert seen.failure is None
    assert refused in str(seen.facts["refused"])
    for recording in seen.facts["recordings"]:
        assert recording["age_seconds"] < 60
        if refused == "GetMediaAttributes":
            assert recording["gaps"] is None
            assert recording["gap_seconds"] is None


async def test_what_was_told_long_ago_is_not_told_on():
    device = Recorder({})
    memory, later = Memory(), timedelta(0)
    using = tools(memory=memory, now=lambda: datetime.now(UTC) + later)
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port), using=using)
        assert all("age_seconds" in recording for recording in seen.facts["recordings"])
        device.instead = dict.fromkeys(
            ("GetRecordingInformation", "GetRecordingSummary"), (500, fault("ActionNotSupported", "no"))
        )
        later = device.clock = timedelta(hours=2)
        seen = await probe("recording", target(onvif=port), using=using)
    assert seen.failure is None
    assert not any("age_seconds" in recording for recording in seen.facts["recordings"])
    assert "age_seconds" not in seen.facts


async def test_a_recorder_that_never_says_it_has_something_has_no_gaps_that_could_be_told():
    device = Recorder({})
    device.never = True
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port))
    assert [recording["gaps"] for recording in seen.facts["recordings"]] == [None, None]


async def test_recordings_told_in_local_time_for_utc_are_understood_because_nothing_is_recorded_in_the_future():
    device = Recorder({})
    device.shift = timedelta(hours=8)
    device.hole = ago(hours=5), ago(hours=3)
    using = tools(memory=Memory())
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port), using=using)
        assert abs(seen.facts["age_seconds"]) < 901
        (gap,) = seen.facts["recordings"][0]["gaps"]
        assert abs(datetime.fromisoformat(gap["to"]) - device.hole[1]) < timedelta(seconds=901)
        device.behind = timedelta(hours=2)
        seen = await probe("recording", target(onvif=port), using=using)
    assert seen.facts["age_seconds"] > 6000, "once known, a halt is seen"


async def test_a_recorder_that_begins_to_tell_local_time_loses_none_of_its_recordings():
    device = Recorder({})
    device.hole = ago(hours=5), ago(hours=3)
    using = tools(memory=Memory())
    async with listening(device) as port:
        for shift in (timedelta(0), timedelta(hours=8)):
            device.shift = shift
            seen = await probe("recording", target(onvif=port), using=using)
            (gap,) = seen.facts["recordings"][0]["gaps"]
            assert abs(datetime.fromisoformat(gap["to"]) - device.hole[1]) < timedelta(seconds=901)


async def test_a_recorder_whose_clock_was_set_back_is_believed_again_as_soon_as_it_writes_at_the_right_time():
    device, later = Recorder({}), timedelta(0)
    using = tools(memory=Memory(), now=lambda: datetime.now(UTC) + later)
    async with listening(device) as port:
        device.behind = timedelta(hours=-1)
        seen = await probe("recording", target(onvif=port), using=using)
        assert abs(seen.facts["age_seconds"]) < 901
        later = device.clock = timedelta(seconds=3700)
        device.behind = timedelta(seconds=5)
        seen = await probe("recording", target(onvif=port), using=using)
    assert abs(seen.facts["age_seconds"]) < 10


@pytest.mark.parametrize("services", [SERVICES, SERVICES[1:]], ids=["recording", "search alone"])
async def test_a_wrong_password_is_sent_twice_at_most_whichever_of_both_probes_asks(services: tuple[str, ...]):
    device = Recorder({}, password="another", open_operations=("GetSystemDateAndTime", "GetServices"))
    device.services = services
    using = tools()
    async with listening(device) as port:
        where = target(onvif=port, rtsp=port, http=port)
        for _ in range(3):
            for name in ("recording", "onvif"):
                seen = await probe(name, where, using=using)
                assert seen.failure is not None
                assert seen.failure.kind is FailureKind.AUTH
    assert device.refusals <= 2
    assert "left alone until" in seen.failure.detail


async def test_a_recorder_with_many_recordings_is_asked_in_turns_within_the_time_given():
    device = Recorder({})
    device.recordings = tuple(f"r{number}" for number in range(200))
    using = tools(memory=Memory())
    async with listening(device) as port:
        for _ in range(4):
            seen = await probe("recording", target(onvif=port), using=using, timeout=1.6)
            assert seen.failure is None
    known = [one for one in seen.facts["recordings"] if one.get("age_seconds") is not None]
    assert len(seen.facts["recordings"]) == 128
    assert len(known) == 128


async def test_times_by_a_clock_that_is_not_told_say_nothing_of_age():
    device = Recorder({}, clock=timedelta(hours=-9), window=1e6)
    device.instead = {"GetSystemDateAndTime": (500, fault("ActionNotSupported", "no"))}
    async with listening(device) as port:
        seen = await probe("recording", target(onvif=port))
    assert seen.failure is None
    assert "age_seconds" not in seen.facts
    assert [recording.get("age_seconds") for recording in seen.facts["recordings"]] == [None, None]
    assert all(recording["job"] == "active" for recording in seen.facts["recordings"])


class Waking(Recorder):
    """One that does not answer the first question of a kind, or so many: its disk has to wake up."""

    sleeps: list[bytes]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_http(reader)
            for question in set(self.sleeps):
                if question in request.body:
                    self.sleeps.remove(question)
                    await asyncio.Event().wait()
            writer.write(self.answer(request))


@pytest.mark.parametrize("question", [b"GetMediaAttributes", b"GetRecordingInformation", b"GetRecordingJobState"])
async def test_what_a_recorder_was_late_with_once_is_asked_again_by_the_next_run_and_not_in_a_day(question: bytes):
    device, using = Waking({}), tools(memory=Memory())
    device.sleeps = [question]
    now = datetime.now(UTC)
    device.hole = now - timedelta(hours=5), now - timedelta(hours=3)
    async with listening(device) as port:
        for _ in range(3):
            seen = await probe("recording", target(onvif=port), using=using, timeout=8)
            assert seen.failure is None
    assert device.sleeps == []
    for one in seen.facts["recordings"]:
        assert one["gap_seconds"] == pytest.approx(7200, abs=120)
        assert one["job"] == "active"


async def test_a_recorder_that_hung_for_one_run_is_asked_of_all_its_recordings_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onvif_round, "CUT_SHORT", 2)
    device, using = Waking({}), tools(memory=Memory())
    device.sleeps = [b"GetRecordingInformation"] * 2
    async with listening(device) as port:
        for _ in range(2):
            seen = await probe("recording", target(onvif=port), using=using, timeout=10)
    assert device.sleeps == []
    assert all(one.get("age_seconds") is not None for one in seen.facts["recordings"])


async def test_silence_is_no_answer_about_recordings():
    async def silent(reader, writer):
        await reader.read()

    async with listening(silent) as port:
        seen = await probe("recording", target(onvif=port), timeout=0.3)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.TIMEOUT
