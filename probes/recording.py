"""This file probes whether a recorder still writes, over ONVIF's recording services (Profile G): what each recording
holds, what is missing from the last day, how jobs and storage fare.

Only Get* operations: no search is started, for a search is a session that somebody would have to end. What is missing
is found by asking about moments, more closely where it changes, a bounded number of them at each run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from math import ceil

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes.base import Context
from probes.onvif_device import OnvifDevice
from probes.onvif_round import Round
from probes.presence import RESOLUTION, SPACING, Trace
from probes.wire import onvif, onvif_recording, soap
from probes.wire.onvif_recording import Holdings, Job, JobState, Recording
from probes.wire.soap import Operation
from probes.wire.text import clean

MOMENTS_AT_ONCE = 64
"""Moments asked about in one run; a day has 48 that are asked in any case."""
FRESH = 3600.0
"""Seconds for which what a recording was said to hold is told on; a large recorder is asked in turns."""
GAPS_EXPLAINED = 16
"""Gaps that are told to somebody who asked for an explanation."""

_MEMORY = "recording"
_ZONE_STEP = 900.0


@dataclass(slots=True)
class _Known:
    """What is remembered of a recorder: of each recording by token, and of each job. ``newest``: of all recordings, as
    it told it; ``ahead``: seconds by which it tells its recordings in local time for UTC."""

    traces: dict[str, Trace] = field(default_factory=dict)
    holdings: dict[str, Holdings] = field(default_factory=dict)
    states: dict[str, JobState] = field(default_factory=dict)
    turns: dict[str, float] = field(default_factory=dict)
    newest: datetime | None = None
    ahead: float = 0.0


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Ask what is recorded. No options.

    Facts: ``profile_g`` (false: the device has no recording services, and nothing else is told); ``recordings``
    [{token, name, source, earliest, latest, age_seconds of the latest when ``asked``, status, job, error, tracks
    [{token, kind, earliest, latest}], gaps [{from, to, resolution_seconds}] of the last 24 hours, gap_seconds,
    ``searched_from`` when on until the latest all gaps are told, spacing_seconds of the moments asked about}];
    ``earliest``, ``latest`` and ``age_seconds`` of all of them; ``jobs`` [{token, recording, mode, source, state,
    error}]; ``storage`` [{token, kind, fault}] where it says how it fares; ``replay`` (it says where recordings can be
    played); ``refused``. Times are ISO 8601 in UTC by our clock: the device's are corrected by how far it is off, and
    left out where it does not tell its clock. Gaps that can't be told are null.
    """
    kept = context.tools.memory.of(target.device).kept
    known = kept.get(_MEMORY)
    if not isinstance(known, _Known):
        known = kept[_MEMORY] = _Known()
    with OnvifDevice(context, target) as device:
        round_ = Round(device, target, context)
        await round_.ask_time()
        await round_.ask_services()
        offered = {soap.RECORDING, soap.SEARCH} & round_.services.keys()
        if round_.services:
            context.facts["profile_g"] = bool(offered)
        if not offered:
            if not round_.services:
                raise round_.nothing_known()
            return context.facts
        survey = _Survey(round_, context, known)
        if not await survey.ask():
            raise round_.nothing_known()
        survey.tell()
    return context.facts


class _Survey:
    """One run's questions about recordings."""

    def __init__(self, round_: Round, context: Context, known: _Known) -> None:
        self._round = round_
        self._context = context
        self._known = known
        self._recordings: tuple[Recording, ...] = ()
        self._jobs: tuple[Job, ...] | None = None
        self._asked: dict[str, float] = {}
        self._timed = "clock_offset_seconds" in context.facts
        """Whether its clock is known; times by a clock that is not say nothing of how old a recording is."""

    async def ask(self) -> bool:
        """Ask in the order of what matters; whether anything was learned. What a recorder has many of is asked in
        turns, and leaves time for the rest."""
        time = self._context.remaining()
        answered = await self._ask_what_there_is()
        tokens = [recording.token for recording in self._recordings]
        searches = soap.SEARCH in self._round.services
        for token in self._oldest_first(tokens) if searches else ():
            if self._context.remaining() > time / 2:
                await self._ask_holdings(token)
        for job in self._oldest_first(job.token for job in self._jobs or ()):
            if self._context.remaining() > time / 4:
                await self._ask_job_state(job)
        self._take_up(tokens)
        await self._ask_replay(tokens)
        if searches and self._timed:
            await self._ask_moments(tokens)
        return answered

    async def _ask_what_there_is(self) -> bool:
        facts, services = self._context.facts, self._round.services
        answered = False
        if soap.RECORDING in services:
            answer = await self._round.ask_service(soap.RECORDING, Operation.RECORDINGS)
            if answer is not None:
                self._recordings, answered = onvif_recording.read_recordings(answer), True
            answer = await self._round.ask_aside(soap.RECORDING, Operation.RECORDING_JOBS, needed=True)
            if answer is not None:
                self._jobs = onvif_recording.read_jobs(answer)
                if not self._recordings:
                    named = dict.fromkeys(job.recording for job in self._jobs if job.recording)
                    self._recordings = tuple(Recording(token, "", "") for token in named)
        if soap.SEARCH in services:
            answer = await self._round.ask_aside(soap.SEARCH, Operation.RECORDING_SUMMARY)
            if answer is not None:
                answered = True
                earliest, latest = onvif_recording.read_summary(answer)
                self._tell_span(earliest, latest)
        answer = await self._round.ask_aside(soap.DEVICE, Operation.STORAGE)
        if answer is not None:
            storage = onvif_recording.read_storage(answer)
            facts["storage"] = [
                {"token": clean(one.token), "kind": one.kind, "fault": one.fault or None}
                for one in storage
                if one.known
            ]
        return answered

    async def _ask_holdings(self, token: str) -> None:
        self._known.turns[token] = self._now()
        answer = await self._round.ask_aside(soap.SEARCH, Operation.RECORDING_INFORMATION, [token], needed=True)
        held = onvif_recording.read_holdings(answer) if answer is not None else None
        if held is not None:
            self._known.holdings[token] = held
            self._asked[token] = self._now()

    async def _ask_job_state(self, token: str) -> None:
        self._known.turns[token] = self._now()
        answer = await self._round.ask_aside(soap.RECORDING, Operation.RECORDING_JOB_STATE, [token], needed=True)
        if answer is not None:
            self._known.states[token] = onvif_recording.read_job_state(answer)
        else:
            self._known.states.pop(token, None)

    def _take_up(self, tokens: Iterable[str]) -> None:
        """Keep what recordings hold, by our clock, and forget those that are gone."""
        known, wanted = self._known, set(tokens)
        jobs = {job.token for job in self._jobs or ()}
        known.holdings = {token: held for token, held in known.holdings.items() if token in wanted}
        known.traces = {token: trace for token, trace in known.traces.items() if token in known.holdings}
        known.states = {token: state for token, state in known.states.items() if token in jobs}
        known.turns = {token: turn for token, turn in known.turns.items() if token in wanted | jobs}
        if not self._timed:
            return
        self._find_zone()
        for token, asked in self._asked.items():
            held = known.holdings[token]
            earliest, latest = (self._ours(told) if told else None for told in (held.earliest, held.latest))
            known.traces.setdefault(token, Trace()).hold(earliest, latest, asked)

    def _find_zone(self) -> None:
        """Find out whether the recorder tells local time for UTC: nothing is recorded in the future.

        What was found holds until it goes on writing at times that are right as they are; one that has stopped passes
        our time by standing still.
        """
        known = self._known
        told = (known.holdings[token].latest for token in self._asked)
        newest = max((latest for latest in told if latest is not None), default=None)
        if newest is None:
            return
        moved, known.newest = known.newest is not None and newest > known.newest, newest
        beyond = newest.timestamp() - self._round.clock_offset - self._now()
        if beyond > 2 * RESOLUTION:
            known.ahead = max(known.ahead, _ZONE_STEP * ceil((beyond - RESOLUTION) / _ZONE_STEP))
        elif moved and beyond > -_ZONE_STEP:
            known.ahead = 0.0

    async def _ask_moments(self, tokens: list[str]) -> None:
        """Ask about moments, all recordings at once, until nothing is left to know or the run has asked enough."""
        traces, now = self._known.traces, self._now()
        for _ in range(MOMENTS_AT_ONCE):
            wanted = {token: traces[token].questions(now) for token in tokens if token in traces}
            moment = next((moments[0] for moments in wanted.values() if moments), None)
            if moment is None or not self._round.has_time:
                return
            asked = [token for token, moments in wanted.items() if moment in moments]
            at = datetime.fromtimestamp(moment + self._round.clock_offset + self._known.ahead, UTC)
            answer = await self._round.ask_aside(soap.SEARCH, Operation.MEDIA_ATTRIBUTES, asked, at, needed=True)
            if answer is None:
                return
            present = onvif_recording.read_presences(answer)
            for token in asked:
                there = present.get(token)
                traces[token].note(moment, present=there is not None)
                if there is not None and there.since is not None and there.until is not None:
                    since, until = self._ours(there.since), self._ours(there.until)
                    if since <= moment <= until:
                        traces[token].note_span(since, until)

    async def _ask_replay(self, tokens: list[str]) -> None:
        if soap.REPLAY in self._round.services and tokens:
            answer = await self._round.ask_aside(soap.REPLAY, Operation.REPLAY_URI, tokens[:1])
            address = onvif.read_uri(answer) if answer is not None else None
            self._context.facts["replay"] = address is not None and address.scheme in ("rtsp", "rtsps")

    def tell(self) -> None:
        """Put what is known into facts."""
        facts, known = self._context.facts, self._known
        if self._jobs is not None:
            facts["jobs"] = [self._job_facts(job) for job in self._jobs]
        recordings = [self._recording_facts(recording) for recording in self._recordings]
        facts["recordings"] = recordings
        told = [known.holdings[token] for token in self._asked]
        earliest = min((held.earliest for held in told if held.earliest), default=None)
        latest = max((held.latest for held in told if held.latest), default=None)
        if latest is not None:
            self._tell_span(earliest, latest)
        self._context.step("recording.found", count=len(recordings), latest=str(facts.get("latest") or "?"))
        missing = (
            (recording.name or clean(recording.token), gap)
            for recording in self._recordings
            for gap in known.traces.get(recording.token, Trace()).gaps(self._now()) or ()
        )
        for name, gap in islice(missing, GAPS_EXPLAINED):
            self._context.step("recording.gap", name=name, begin=_iso(gap.begin), end=_iso(gap.end))

    def _tell_span(self, earliest: datetime | None, latest: datetime | None) -> None:
        facts = self._context.facts
        if not self._timed:
            return
        if earliest is not None:
            facts["earliest"] = self._shown(earliest)
        if latest is not None:
            facts["latest"] = self._shown(latest)
            facts["age_seconds"] = round(self._now() - self._ours(latest), 1)

    def _recording_facts(self, recording: Recording) -> dict[str, object]:
        known, token = self._known, recording.token
        facts: dict[str, object] = {"token": clean(token), "name": recording.name, "source": recording.source}
        jobs = [job for job in self._jobs or () if job.recording == token]
        states = [known.states[job.token] for job in jobs if job.token in known.states]
        if self._jobs is not None:
            worst = next((state for state in states if state.state == "error"), states[0] if states else None)
            facts["job"] = worst.state if worst is not None else (jobs[0].mode if jobs else None)
            facts["error"] = worst.error or None if worst is not None else None
        held, trace = known.holdings.get(token), known.traces.get(token)
        if held is None or trace is None or not self._timed or self._now() - trace.asked > FRESH:
            return facts
        facts["status"] = held.status
        facts["tracks"] = [
            {
                "token": one.token,
                "kind": one.kind,
                "earliest": self._told(one.earliest),
                "latest": self._told(one.latest),
            }
            for one in held.tracks
        ]
        facts["earliest"], facts["latest"] = self._told(held.earliest), self._told(held.latest)
        facts["asked"] = _iso(trace.asked)
        facts["age_seconds"] = round(trace.asked - trace.latest, 1) if trace.latest is not None else None
        gaps = trace.gaps(self._now())
        facts["gaps"] = gaps and [
            {"from": _iso(gap.begin), "to": _iso(gap.end), "resolution_seconds": round(gap.resolution)} for gap in gaps
        ]
        facts["gap_seconds"] = None if gaps is None else round(sum(gap.length for gap in gaps))
        searched = trace.searched(self._now())
        facts["searched_from"] = None if searched is None else _iso(searched)
        facts["spacing_seconds"] = round(SPACING)
        return facts

    def _job_facts(self, job: Job) -> dict[str, object]:
        state = self._known.states.get(job.token)
        return {
            "token": clean(job.token),
            "recording": clean(job.recording),
            "mode": job.mode,
            "source": job.source,
            "state": state.state if state is not None else None,
            "error": state.error or None if state is not None else None,
        }

    def _oldest_first(self, tokens: Iterable[str]) -> list[str]:
        """A recorder too large for one run is asked in turns."""
        return sorted(tokens, key=lambda token: self._known.turns.get(token, 0.0))

    def _now(self) -> float:
        return self._context.tools.now().timestamp()

    def _ours(self, told: datetime) -> float:
        """A time as the device counts it, by our clock, in seconds since the epoch."""
        return told.timestamp() - self._round.clock_offset - self._known.ahead

    def _shown(self, told: datetime) -> str:
        return _iso(self._ours(told))

    def _told(self, told: datetime | None) -> str | None:
        return self._shown(told) if told is not None else None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
