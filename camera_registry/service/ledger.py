"""The ledger: what is held true of every device, judged observation by observation. It decides nothing itself (rules
do) and writes nothing (the recorder does); it is the one owner of states while the service runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from camera_registry.board import BoardEntry
from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.observation import Facts, Observation, ProbeSeen
from camera_registry.model.policy import Policy, PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.roster import Drop, Entry, Hurry, Put, RosterChange
from camera_registry.rules import health, topology
from camera_registry.rules.adoption import adopt
from camera_registry.rules.plan import learn, plan, reach_feeder, subjects
from camera_registry.rules.verdict import read

Run = tuple[str, str]
"""(probe, channel)."""

PATIENCE = timedelta(seconds=30)
"""How long a newest time may move without being written, if the device's interval is not shorter. A crash forgets no
more than that of *when* something was last seen, and nothing of *what* was true."""


@dataclass(slots=True)
class _Watched:
    """One device: its file, what is asked of it, and what is held true of it."""

    device: Device
    channels: tuple[Channel, ...]
    entry: Entry | None = None
    reach: Run = ("", "")
    intervals: dict[Subject, float] = field(default_factory=dict)
    states: dict[Subject, AspectState] = field(default_factory=dict)
    seen: dict[Run, ProbeSeen] = field(default_factory=dict)
    learned: dict[str, object] = field(default_factory=dict)
    patience: timedelta = PATIENCE


@dataclass(slots=True)
class Changes:
    """What is to be written and shown. Keyed, so that changes which wait for a slow database don't pile up; only
    flips do, and none of them is dropped."""

    states: dict[Subject, AspectState] = field(default_factory=dict)
    seen: dict[tuple[str, Run], ProbeSeen] = field(default_factory=dict)
    flips: list[Flip] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def under(self, newer: Changes) -> Changes:
        """These changes with newer ones on top."""
        return Changes(
            self.states | newer.states,
            self.seen | newer.seen,
            self.flips + newer.flips,
            self.touched | newer.touched,
            (self.gone - newer.touched) | newer.gone,
        )


class Ledger:
    """States of all devices in memory. Not thread-safe: it belongs to the event loop."""

    def __init__(self, policy: Policy, polls: PollPolicy) -> None:
        self.policy = policy
        self.polls = polls
        self.changes = Changes()
        self.adoptable: dict[str, Facts] = {}
        self._watched: dict[str, _Watched] = {}
        self._parents: dict[str, str] = {}
        self._below: dict[str, list[str]] = {}
        self._down: set[str] = set()
        self._back: dict[str, datetime] = {}
        self._stirred: dict[str, datetime] = {}
        self._turn = 0

    def load(self, states: Iterable[AspectState], seen: Iterable[tuple[str, ProbeSeen]]) -> None:
        """Take up what the store kept. Comes before ``follow``."""
        for state in states:
            self._of(state.subject.device).states[state.subject] = state
            self._mark_reach(state)
        for device, run in seen:
            watched = self._of(device)
            watched.seen[run.probe, run.channel] = run
            watched.learned.update(learn(run.probe, run.facts))

    def follow(self, register: Register, now: datetime, *, anew: bool = False) -> list[RosterChange]:
        """Take up the register as it is now; what changes for the poller. ``anew``: plan unchanged devices too, because
        the poll policy changed."""
        channels: dict[str, list[Channel]] = {}
        for channel in register.channels.values():
            channels.setdefault(channel.device, []).append(channel)
        self._parents = {device.id: device.parent for device in register.devices.values()}
        self._below = topology.children(self._parents)
        told: list[RosterChange] = []
        for gone in self._watched.keys() - register.devices.keys():
            told += self._retire(gone, now)
        for device in register.devices.values():
            own = tuple(channels.get(device.id, ()))
            watched = self._watched.get(device.id)
            if watched is not None and (watched.device, watched.channels) == (device, own) and not anew:
                continue
            watched = watched or self._of(device.id)
            watched.device, watched.channels = device, own
            told += self._replan(watched, now)
            self.changes.touched.add(device.id)
        return told

    def judge(self, batch: Sequence[Observation], now: datetime) -> list[RosterChange]:
        """Judge observations in the order they came; what the poller should do about them."""
        told: list[RosterChange] = []
        for seen in batch:
            watched = self._watched.get(seen.device)
            run = (seen.probe, seen.channel)
            if watched is None or watched.entry is None:
                continue
            earlier = watched.seen.get(run)
            if earlier is not None and seen.at <= earlier.at:
                continue
            before = earlier.facts if earlier is not None else {}
            hurry = False
            for reading in read(seen, before, self.policy, watched.device, feeds_reach=run == watched.reach):
                state = watched.states.get(reading.subject) or AspectState(reading.subject)
                state, flip = health.advance(state, reading, self.policy, now)
                self._keep(watched, state, flip)
                hurry = hurry or bool(state.run)
                if reading.subject.aspect is Aspect.REACH and not reading.good and state.run == 1:
                    told += self._ask_parent(watched.device.parent)
                if flip is not None and flip.subject.aspect is Aspect.REACH and flip.at == self._back.get(seen.device):
                    told += self._ask_those_behind(seen.device)
            if hurry:
                told.append(Hurry(seen.device, seen.probe, seen.channel, self.policy.retry))
            self._remember(watched, seen, earlier)
            told += self._learn(watched, seen, now, first=earlier is None)
            self.changes.touched.add(seen.device)
        return told

    def tick(self, now: datetime, share: int) -> None:
        """Let time alone pass for one of ``share`` parts of the devices; call it again for the next part."""
        self._turn = (self._turn + 1) % share
        for watched in islice(self._watched.values(), self._turn, None, share):
            for subject, interval in watched.intervals.items():
                state, flip = health.tick(watched.states[subject], now, interval, self.policy)
                if flip is not None:
                    self._keep(watched, state, flip)
                    self.changes.touched.add(subject.device)

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell the times of evidence by the new clock, so silence is measured right."""
        for watched in self._watched.values():
            for subject, state in watched.states.items():
                watched.states[subject] = replace(
                    state,
                    read_at=state.read_at and state.read_at + step,
                    run_at=state.run_at and state.run_at + step,
                )
            for run, seen in watched.seen.items():
                watched.seen[run] = replace(seen, at=seen.at + step)

    def collect(self, now: datetime | None) -> Changes:
        """Take the changes that wait to be written. What only moved its newest time is among them once that has waited
        for ``PATIENCE`` or one interval; ``now`` None: at once."""
        taken, self.changes = self.changes, Changes()
        for device, since in list(self._stirred.items()):
            watched = self._watched.get(device)
            if watched is not None:
                if now is not None and now - since < watched.patience:
                    continue
                taken.states.update(watched.states)
                taken.seen.update({(device, run): seen for run, seen in watched.seen.items()})
            del self._stirred[device]
        return taken

    def restore(self, taken: Changes) -> None:
        """Put back changes that could not be written."""
        self.changes = taken.under(self.changes)

    def entry(self, device: str) -> BoardEntry | None:
        """What readers are shown of a device."""
        watched = self._watched.get(device)
        if watched is None:
            return None
        blamed, checked = self._blame(device)
        states = tuple(health.in_order(watched.states.values()))
        status, since, reasons = health.derive(states, blamed, checked)
        return BoardEntry(
            watched.device,
            watched.channels,
            states,
            tuple(watched.seen.values()),
            status,
            since,
            reasons,
        )

    def state(self, subject: Subject) -> AspectState | None:
        """What is held true of one subject, if it is measured at all."""
        watched = self._watched.get(subject.device)
        return watched.states.get(subject) if watched else None

    def roster_entry(self, device: str) -> Entry | None:
        """What the poller is told of a device."""
        watched = self._watched.get(device)
        return watched.entry if watched else None

    def _of(self, device: str) -> _Watched:
        watched = self._watched.get(device)
        if watched is None:
            watched = self._watched[device] = _Watched(Device(device, Kind.CAMERA), ())
        return watched

    def _replan(self, watched: _Watched, now: datetime) -> list[RosterChange]:
        device = watched.device
        entry = plan(device, watched.channels, self.polls, watched.learned, watched.seen)
        if entry == watched.entry and entry is not None:
            return []
        was, watched.entry = watched.entry, entry
        watched.reach = reach_feeder(entry) if entry else ("", "")
        watched.intervals = subjects(entry) if entry else {}
        shortest = min(watched.intervals.values(), default=PATIENCE.total_seconds())
        watched.patience = min(PATIENCE, timedelta(seconds=shortest))
        for subject in watched.states.keys() - watched.intervals.keys():
            self._forget(watched, subject, now)
            self.changes.states[subject] = AspectState(subject)
        for subject in watched.intervals.keys() - watched.states.keys():
            watched.states[subject] = AspectState(subject)
        if entry is not None:
            return [Put(entry)]
        return [Drop(device.id)] if was is not None else []

    def _retire(self, device: str, now: datetime) -> list[RosterChange]:
        watched = self._watched[device]
        for subject in list(watched.states):
            self._forget(watched, subject, now)
        del self._watched[device]
        self.changes = replace(
            self.changes,
            states={subject: state for subject, state in self.changes.states.items() if subject.device != device},
            seen={key: run for key, run in self.changes.seen.items() if key[0] != device},
            touched=self.changes.touched - {device},
            gone=self.changes.gone | {device},
        )
        return [Drop(device)]

    def _forget(self, watched: _Watched, subject: Subject, now: datetime) -> None:
        state = watched.states.pop(subject)
        flip = health.forget(state, now)
        if flip is not None:
            self.changes.flips.append(flip)
        self._mark_reach(AspectState(subject))

    def _keep(self, watched: _Watched, state: AspectState, flip: Flip | None) -> None:
        subject = state.subject
        known = watched.states.get(subject)
        watched.states[subject] = state
        if flip is not None:
            self.changes.flips.append(flip)
        if flip is not None or known is None or known.state is not state.state:
            self.changes.states[subject] = state
            self._mark_reach(state)

    def _ask_those_behind(self, parent: str) -> list[RosterChange]:
        """Look at once for what is behind a parent that is back, spread over the time of a re-try."""
        behind = [
            (device, self._watched[device].reach)
            for device in topology.descendants(parent, self._below)
            if device in self._down and device in self._watched and self._watched[device].entry is not None
        ]
        step = self.policy.retry / max(1, len(behind))
        return [Hurry(device, *reach, step * place) for place, (device, reach) in enumerate(behind)]

    def _blame(self, device: str) -> tuple[str, datetime | None]:
        """The parent that explains what ``device`` has lost; for one that is back, until when it still does."""
        if self._down and (blamed := topology.blamed(device, self._parents, self._down)):
            return blamed, None
        if self._back and (blamed := topology.blamed(device, self._parents, self._back)):
            # A device gets the time in which a fault is confirmed: it may have to start first.
            return blamed, self._back[blamed] + timedelta(seconds=self.policy.failures * self.policy.retry)
        return "", None

    def _mark_reach(self, state: AspectState) -> None:
        """Note which devices are lost; whoever stands behind one that changes must be shown anew."""
        if state.subject.aspect is not Aspect.REACH:
            return
        device = state.subject.device
        # A fault that silence has covered is not over: what is behind it must not be told again after a long pause.
        lost = State.DOWN in (state.settled, state.was)
        if lost == (device in self._down):
            return
        (self._down.add if lost else self._down.discard)(device)
        self._back.pop(device, None)
        if not lost and state.since is not None:
            self._back[device] = state.since
        self.changes.touched.update(topology.descendants(device, self._below))

    def _ask_parent(self, device: str) -> list[RosterChange]:
        """Ask a parent at once when something behind it is lost, so that it is to blame before its children are."""
        parent = self._watched.get(device)
        if parent is None or parent.entry is None:
            return []
        state = parent.states.get(Subject(device, Aspect.REACH))
        if state is None or state.run or state.settled is State.DOWN:
            return []
        return [Hurry(device, *parent.reach, after=0.0)]

    def _remember(self, watched: _Watched, seen: Observation, earlier: ProbeSeen | None) -> None:
        run = (seen.probe, seen.channel)
        facts = {**earlier.facts, **seen.facts} if earlier is not None else seen.facts
        success = seen.at if seen.ok else (earlier.last_success if earlier is not None else None)
        watched.seen[run] = ProbeSeen(seen.probe, seen.channel, seen.at, seen.took, seen.failure, success, facts)
        self._stirred.setdefault(seen.device, seen.at)
        if earlier is None or (earlier.failure is None) != seen.ok:
            self.changes.seen[seen.device, run] = watched.seen[run]

    def _learn(self, watched: _Watched, seen: Observation, now: datetime, *, first: bool) -> list[RosterChange]:
        """What the device told of itself: where its streams are, and what its file does not say yet."""
        if seen.ok and adopt(watched.device, seen.facts) is not None:
            self.adoptable[seen.device] = seen.facts
        told = learn(seen.probe, seen.facts)
        if told.items() <= watched.learned.items() and not first:
            return []
        watched.learned.update(told)
        return self._replan(watched, now)
