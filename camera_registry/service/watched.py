"""This file holds one device as the ledger sees it: its file, what is asked of it, and what is held true of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, Reading, State, Subject
from camera_registry.model.observation import Failure, FailureKind, Observation, ProbeSeen
from camera_registry.model.policy import Policy, PollPolicy
from camera_registry.model.roster import Entry, Hurry, LeaveAlone, Run
from camera_registry.rules import health, opinions
from camera_registry.rules.alike import Alike, news
from camera_registry.rules.opinions import Opinion
from camera_registry.rules.pace import USUAL, Urgency
from camera_registry.rules.pictures import trend
from camera_registry.rules.pictures.watching import believed, doubts, noticed, shifted
from camera_registry.rules.plan import feeders, learn, leave_alone, plan, reach_feeder
from camera_registry.rules.schedule import SOON, TELLING, phase
from camera_registry.rules.verdict import read
from camera_registry.service.memory import Known

PATIENCE = timedelta(seconds=30)
"""How long a newest time may move without being written, if the device's interval is not shorter. A crash forgets no
more than that of *when* something was last seen, and nothing of *what* was true."""
FLEETING = frozenset({"clock_offset_seconds", "connect_seconds", "device_time", "handshake_seconds", "seconds"})
"""Facts that are another number at each run. That they moved is not worth a row of several kilobytes: what they mean is
a state, which is written."""
RESTATED = 5
"""Minutes after which they are written all the same."""

_NEVER = datetime.max.replace(tzinfo=UTC)

NOBODY = Device("", Kind.CAMERA)
"""In place of a device file that was not read yet."""


@dataclass(slots=True)
class Watched:
    """One device. ``reach`` is the run that reach is judged by; ``feeders``: what is measured, by which runs, and how
    often (seconds); ``opinions`` are those on subjects that several runs feed."""

    device: Device
    channels: tuple[Channel, ...]
    policy: Policy
    entry: Entry | None = None
    reach: Run = ("", "")
    feeders: Mapping[Subject, Mapping[Run, float]] = field(default_factory=dict)
    opinions: dict[Subject, dict[Run, Opinion]] = field(default_factory=dict)
    states: dict[Subject, AspectState] = field(default_factory=dict)
    seen: dict[Run, ProbeSeen] = field(default_factory=dict)
    learned: dict[str, object] = field(default_factory=dict)
    patience: timedelta = PATIENCE
    urgency: Urgency = USUAL
    stirred: tuple[Run, ...] = ()
    """The runs of it whose times have moved and are not written yet."""
    restated: tuple[Run, ...] = ()
    """Those of them that say something new besides."""
    ordered: int = 0
    """How many states there were when they were put in the order in which they are told."""
    fresh_until: datetime | None = None
    """Until when nothing of it can go stale, whatever is read meanwhile; None: that has to be looked at."""

    def channel(self, id: str) -> Channel | None:
        """What is registered of a channel; None: it is not in the register."""
        return next((channel for channel in self.channels if channel.id == id), None)

    def plan(self, polls: PollPolicy, parents: Sequence[Device], zone: str) -> Entry | None:
        """What it is asked from now on, behind these parents; None: nothing. ``zone`` is what burnt-in clocks show of
        which none is registered."""
        channels = [one if one.osd_zone or not one.osd_box else replace(one, osd_zone=zone) for one in self.channels]
        went_well = {run for run, seen in self.seen.items() if seen.last_success is not None}
        control = self.states.get(Subject(self.device.id, Aspect.CONTROL))
        # What tells where streams are has been heard when it is known to fail: once may be of the rush of a start.
        unsettled = TELLING if control is None or control.settled is State.UNKNOWN else ()
        return plan(
            self.device,
            channels,
            polls,
            self.learned,
            {run for run in self.seen if run in went_well or run[0] not in unsettled},
            parents,
            went_well,
            self.urgency,
        )

    def take_up(self, entry: Entry | None, now: datetime) -> None:
        """Be asked by this plan from now on; None: by nobody."""
        self.entry = entry
        self.reach = reach_feeder(entry) if entry else ("", "")
        known = {subject: subject for subject in self.states}
        wanted = feeders(entry) if entry else {}
        # By the subjects that states have already: each weighs as much as a short text.
        self.feeders = {known.get(subject, subject): runs for subject, runs in wanted.items()}
        shortest = min((task.interval for task in entry.tasks) if entry else (), default=PATIENCE.total_seconds())
        self.patience = min(PATIENCE, timedelta(seconds=shortest))
        self.fresh_until = None
        self._gather_opinions(now)

    def look_at_silence(self, now: datetime) -> Iterator[tuple[AspectState, Flip]]:
        """What goes stale at ``now``: the states after it, each with its flip. Costs next to nothing as long as nothing
        can."""
        if self.fresh_until is not None and now < self.fresh_until:
            return
        until = _NEVER
        for subject, intervals in self.feeders.items():
            state, interval = self.states[subject], min(intervals.values())
            until = min(until, health.stale_from(state, interval, self.policy) or _NEVER)
            if len(intervals) > 1 and opinions.bears_out(self.opinions[subject].values(), state.good, now):
                continue
            asked = subject.aspect is not Aspect.PICTURE or self.asked_since(state, intervals)
            after, flip = health.tick(state, now, interval, self.policy, asked=asked)
            if flip is not None:
                yield after, flip
        self.fresh_until = until

    def in_order(self) -> tuple[AspectState, ...]:
        """Its states in the order in which they are told."""
        states = self.states.values()
        return tuple(states if len(states) == self.ordered else health.in_order(states))

    def begin(self) -> None:
        """Begin to hold something true of all that is measured of it, if only that it is not known."""
        known, self.states = self.states, {}
        for subject in health.in_telling_order({**self.feeders, **known}):
            self.states[subject] = known.get(subject) or AspectState(subject)
        self.ordered = len(self.states)

    def stirred_runs(self, *, whole: bool) -> Iterator[tuple[ProbeSeen, bool]]:
        """Those runs, each with whether it is to be written whole; ``whole``: all are."""
        for run in self.stirred:
            yield self.seen[run], whole or run in self.restated

    def moved(self) -> Iterator[AspectState]:
        """The states that those runs feed."""
        for subject, runs in self.feeders.items():
            if not runs.keys().isdisjoint(self.stirred):
                yield self.states[subject]

    def look_again(self, run: Run, *, back: bool, answers: bool) -> list[Hurry]:
        """What to ask now that ``run`` of the device, which was lost, is over: its reach, which may not be due for
        minutes, where it ``answers`` anything again; once it is ``back``, within minutes what is asked so rarely that
        nobody has seen it for long, spread as those are that were never seen."""
        device = self.device.id
        if not back:
            return [Hurry(device, *self.reach, after=0.0)] if answers and run != self.reach else []
        unseen = {
            one
            for subject, runs in self.feeders.items()
            if self.states[subject].settled is State.STALE
            for one, interval in runs.items()
            if interval > SOON
        }
        return [Hurry(device, *one, after=phase((device, *one)) * SOON) for one in sorted(unseen)]

    def memory(self) -> Known:
        """What is remembered of the device."""
        held = tuple((subject, tuple(opinions.items())) for subject, opinions in self.opinions.items())
        states, seen = tuple(self.states.values()), tuple(self.seen.values())
        return Known(self.device.id, self.entry, states, seen, held, dict(self.learned), self.urgency.long_down)

    def recall(self, known: Known, now: datetime) -> None:
        """Remember it again."""
        self.take_up(known.entry, now)
        self.states = {state.subject: state for state in known.states}
        self.seen = {(one.probe, one.channel): one for one in known.seen}
        self.opinions = {subject: dict(held) for subject, held in known.opinions}
        self.learned = dict(known.learned)
        self.fresh_until = None
        self.urgency = replace(self.urgency, long_down=known.long_down)

    def counts(self, run: Run, reading: Reading, now: datetime) -> bool:
        """Keep the opinion of this run, and say whether it counts against those of others."""
        held = self.opinions.get(reading.subject)
        if held is None:
            return True
        interval = self.feeders[reading.subject].get(run)
        if interval is None:
            return False
        held[run] = opinions.opinion(reading, interval, self.policy)
        return opinions.counts(reading, (one for other, one in held.items() if other != run), now)

    def asked_since(self, state: AspectState, feeders: Iterable[Run]) -> bool:
        """Whether any of these runs has asked the device since that was read, and did not fail on our side."""
        runs = (self.seen[run] for run in feeders if run in self.seen)
        return any(run.at != state.read_at and not _is_ours(run.failure) for run in runs)

    def know(self, run: ProbeSeen, alike: Alike) -> None:
        """Take up the newest of a run as the store kept it."""
        self.seen[run.probe, run.channel] = replace(run, facts=alike.after({}, run.facts))
        self.learned.update(alike.shared(learn(run.probe, run.facts)))

    def remember(self, seen: Observation, alike: Alike) -> bool:
        """Take this for the newest of its run; whether it holds what must be known after a crash."""
        run = (seen.probe, seen.channel)
        earlier = self.seen.get(run)
        facts = alike.after(earlier.facts if earlier is not None else {}, seen.facts)
        failure, success = seen.failure, seen.at if seen.ok else None
        if earlier is not None:
            failure = _with_way(failure, earlier.failure)
            success = success or earlier.last_success
        self.seen[run] = ProbeSeen(seen.probe, seen.channel, seen.at, seen.took, failure, success, facts)
        if _restates(self.seen[run], earlier) and run not in self.restated:
            self.restated += (run,)
        # What is believed of a picture is: or the next one would be taken for a recovery. And what it adds to its day:
        # or the day's median would be that of other pictures.
        if earlier is None:
            self._need_not_come_soon(run)
            return True
        if _news(earlier.failure, seen.failure):
            return True
        if facts is earlier.facts:
            return False
        counts = trend.FACT in facts and trend.FACT in news(facts, earlier.facts)
        return counts or believed(facts) != believed(earlier.facts)

    def read_anew(self, before: Policy, now: datetime) -> Iterator[Reading]:
        """What was last seen, where the policy of ``before`` read it in another way."""
        for run, seen in self.seen.items():
            again = Observation(self.device.id, seen.probe, seen.at, seen.took, seen.channel, seen.facts, seen.failure)
            reach = run == self.reach
            was = {one.subject: one.cause for one in read(again, {}, before, self.device, feeds_reach=reach)}
            for reading in read(again, {}, self.policy, self.device, feeds_reach=reach):
                changed = reading.cause is not was[reading.subject] and reading.subject in self.states
                if changed and self.counts(run, reading, now):
                    yield reading

    def left_alone(self) -> Iterator[LeaveAlone]:
        """What a poller that has not asked the device yet must know of refused passwords."""
        for seen in self.seen.values():
            if (told := leave_alone(self.device.id, seen.failure)) is not None:
                yield told

    def pictured_well(self, seen: Observation) -> bool | None:
        """See ``Ledger.pictured_well``."""
        state = self.states.get(Subject(seen.device, Aspect.PICTURE, seen.channel))
        run = self.seen.get((seen.probe, seen.channel))
        if run is None or run.at != seen.at or state is None or state.good is None:
            return None
        if noticed(run.facts).keys() & doubts(run.facts):
            return False
        return state.good if state.read_at == seen.at else None

    def shift(self, step: timedelta) -> None:
        """Tell the times of evidence by a clock that was set by ``step``."""
        self.fresh_until = None
        for subject, state in self.states.items():
            self.states[subject] = replace(
                state,
                read_at=state.read_at and state.read_at + step,
                run_at=state.run_at and state.run_at + step,
            )
        for run, seen in self.seen.items():
            self.seen[run] = replace(seen, at=seen.at + step, facts=shifted(seen.facts, step))
        for held in self.opinions.values():
            for run, one in held.items():
                held[run] = replace(one, until=one.until + step)

    def _need_not_come_soon(self, run: Run) -> None:
        """Something is known of this run now. Its plan goes on: whoever runs it needs no word of that."""
        if self.entry is not None:
            tasks = (replace(one, soon=False) if (one.probe, one.channel) == run else one for one in self.entry.tasks)
            self.entry = replace(self.entry, tasks=tuple(tasks))

    def _gather_opinions(self, now: datetime) -> None:
        """Hold opinions of what several runs feed. Those that are not known yet follow from the newest runs, so that a
        restart does not begin with the word of whoever speaks first."""
        shared = {subject: runs for subject, runs in self.feeders.items() if len(runs) > 1}
        known, self.opinions = self.opinions, {subject: {} for subject in shared}
        if not shared:
            return
        for run, seen in self.seen.items():
            # Facts of a failed run are those of an earlier one.
            facts = seen.facts if seen.failure is None else {}
            again = Observation(self.device.id, seen.probe, seen.at, seen.took, seen.channel, facts, seen.failure)
            for reading in read(again, {}, self.policy, self.device, feeds_reach=False):
                self.counts(run, reading, now)
        for subject, runs in shared.items():
            held = known.get(subject, {})
            self.opinions[subject].update({run: one for run, one in held.items() if run in runs})


def _restates(now: ProbeSeen, before: ProbeSeen | None) -> bool:
    """Whether a run says something that must be written down besides when it was: anything but what is another number
    at each run, and that too once in RESTATED minutes."""
    if before is None or now.failure is not None or before.failure is not None:
        return True
    if now.at.minute // RESTATED != before.at.minute // RESTATED:
        return True
    return now.facts is not before.facts and any(name not in FLEETING for name in news(now.facts, before.facts))


def _with_way(now: Failure | None, before: Failure | None) -> Failure | None:
    """The way is asked when a failure begins, and told of as long as it is the same one."""
    if now is None or before is None or now.way is not None or now.kind is not before.kind:
        return now
    return replace(now, way=before.way)


def _is_ours(failure: Failure | None) -> bool:
    return failure is not None and failure.kind is FailureKind.INTERNAL


def _news(before: Failure | None, now: Failure | None) -> bool:
    """Whether a run ended in another way than the one before it, or the device is left alone until another time: that
    must be known after a crash, or the password would be tried anew."""
    if before is None or now is None:
        return before is not now
    told = before.values.get("until") != now.values.get("until")
    return told or before.kind is not now.kind or (now.way is not None and now.way != before.way)
