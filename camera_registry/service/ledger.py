"""The ledger: what is held true of every device, judged observation by observation. It decides nothing itself (rules
do) and writes nothing (the recorder does); it is the one owner of states while the service runs."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import heappop, heappush
from itertools import islice

from camera_registry.board import BoardEntry
from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, AspectState, Flip, Reason, State, Subject
from camera_registry.model.observation import Facts, Failure, Observation, ProbeSeen
from camera_registry.model.policy import Policies, Policy, PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.roster import Drop, Entry, Hurry, Put, RosterChange
from camera_registry.rules import health, opinions, power, topology
from camera_registry.rules.adoption import adopt
from camera_registry.rules.pictures.watching import believed, doubts, judged, noticed, take_in
from camera_registry.rules.plan import learn, leave_alone, plan
from camera_registry.rules.verdict import read
from camera_registry.service.changes import Changes
from camera_registry.service.lookout import Lookout
from camera_registry.service.memory import Known, OfLedger, Waiting
from camera_registry.service.watched import Watched


class Ledger:
    """States of all devices in memory. Not thread-safe: it belongs to the event loop."""

    def __init__(self, policy: Policies, polls: PollPolicy, poller: str = "local", zone: tzinfo = UTC) -> None:
        self.policy = policy
        self.polls = polls
        self.zone = zone
        """That of the cameras' local time: by day and by night a picture means different things."""
        self.pictures: Counter[str] = Counter()
        """Pictures that were judged, by what came of it: ``good`` or ``doubtful``."""
        self.not_checked: Counter[str] = Counter()
        """Causes that a picture could not tell about, by why not."""
        self.changes = Changes()
        self.adoptable: dict[str, Facts] = {}
        self._watched: dict[str, Watched] = {}
        self.poller = poller
        self.lookout = Lookout(poller)
        self._parents: Mapping[str, tuple[str, ...]] = {}
        self._below: dict[str, list[str]] = {}
        self._down: set[str] = set()
        self._back: dict[str, datetime] = {}
        self._stirred: list[tuple[datetime, str]] = []
        """A heap: when what only moved its newest time is to be written, and of which device."""
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
        self._parents = register.parents()
        self._below = topology.children(self._parents)
        self.lookout.follow(register)
        told: list[RosterChange] = []
        for gone in sorted(self._watched.keys() - register.devices.keys()):
            told += self._retire(gone, now)
        moved: set[str] = set()
        # In an order of its own, and not that of a query: what is decided here must be the same again in a replay.
        for _, device in sorted(register.devices.items()):
            own = tuple(channels.get(device.id, ()))
            site = register.sites.get(device.site)
            policy = self.policy.of(device, site.category if site else None)
            watched = self._watched.get(device.id)
            if watched is not None:
                if watched.entry is not None:
                    self._judge_again(watched, policy, now)
                if (watched.device, watched.channels) == (device, own) and not anew:
                    continue
            watched = watched or self._of(device.id)
            watched.device, watched.channels, watched.policy = device, own, policy
            moved.add(device.id)
            self.changes.touched.add(device.id)
        # Whoever stands behind a device that was edited must know where to ask for it.
        behind = {below for id in moved for below in topology.descendants(id, self._below)}
        for id in sorted(moved | behind):
            told += self._replan(self._watched[id], now)
        return told

    def judge(self, batch: Sequence[Observation], now: datetime) -> list[RosterChange]:
        """Judge observations in the order they came; what the poller should do about them."""
        told: list[RosterChange] = []
        for seen in _of_today(batch, now):
            watched = self._watched.get(seen.device)
            run = (seen.probe, seen.channel)
            if watched is None or watched.entry is None:
                continue
            earlier = watched.seen.get(run)
            if earlier is not None and seen.at <= earlier.at:
                continue
            before = earlier.facts if earlier is not None else {}
            seen = take_in(seen, before, watched.policy.picture, watched.device, self.zone)  # noqa: PLW2901
            self._count(seen)
            hurry = False
            for reading in read(seen, before, watched.policy, watched.device, feeds_reach=run == watched.reach):
                if not watched.counts(run, reading, now):
                    continue
                state = watched.states.get(reading.subject) or AspectState(reading.subject)
                for canary in self.lookout.look(state, reading, watched.policy, now):
                    told += self._ask(canary)
                if self.lookout.doubts(reading):
                    continue
                state, flip = health.advance(state, reading, watched.policy, now)
                self._keep(watched, state, flip)
                hurry = hurry or bool(state.run)
                if reading.subject.aspect is Aspect.REACH and not reading.good and state.run == 1:
                    told += [change for parent in watched.device.parents for change in self._ask(parent)]
                if flip is not None and flip.subject.aspect is Aspect.REACH and flip.at == self._back.get(seen.device):
                    told += self._ask_those_behind(seen.device)
            told += _soon(seen, watched.policy, hurry=hurry)
            self._remember(watched, seen, earlier)
            if seen.probe == "snmp":
                self.changes.touched.update(one for one in self._below.get(seen.device, ()) if one in self._down)
            first = earlier is None or (seen.ok and earlier.last_success is None)
            told += self._learn(watched, seen, now, first=first)
            self.changes.touched.add(seen.device)
        return told

    def _count(self, seen: Observation) -> None:
        if (judgement := judged(seen.facts)) is not None:
            self.pictures["doubtful" if judgement["faults"] else "good"] += 1
            self.not_checked.update(judgement["not_checked"].values())

    def tick(self, now: datetime, share: int) -> list[RosterChange]:
        """Let time alone pass for one of ``share`` parts of the devices; call it again for the next part. What changes
        for the poller: what has been down for long is asked less often."""
        told: list[RosterChange] = []
        self.lookout.pass_time(now, self.policy.base)
        self._turn = (self._turn + 1) % share
        for watched in islice(self._watched.values(), self._turn, None, share):
            for subject, intervals in watched.feeders.items():
                state = watched.states[subject]
                if len(intervals) > 1 and opinions.bears_out(watched.opinions[subject].values(), state.good, now):
                    continue
                state, flip = health.tick(state, now, min(intervals.values()), watched.policy)
                if flip is not None:
                    self._keep(watched, state, flip)
                    self.changes.touched.add(subject.device)
            if watched.device.id in self._down and not watched.long_down:
                told += self._pace(watched, now)
        return told

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell the times of evidence by the new clock, so silence is measured right."""
        for watched in self._watched.values():
            watched.shift(step)
        self._stirred = [(due + step, device) for due, device in self._stirred]

    def collect(self, now: datetime | None) -> Changes:
        """Take the changes that wait to be written. What only moved its newest time is among them once that has waited
        for ``watched.PATIENCE`` or one interval; ``now`` None: at once."""
        taken, self.changes = self.changes, Changes()
        while self._stirred and (now is None or self._stirred[0][0] <= now):
            _, device = heappop(self._stirred)
            watched = self._watched.get(device)
            if watched is not None and watched.stirred:
                taken.states.update(watched.moved())
                taken.seen.update({(device, run): watched.seen[run] for run in watched.stirred})
                watched.stirred = ()
        return taken

    def restore(self, taken: Changes) -> None:
        """Put back changes that could not be written."""
        self.changes = taken.under(self.changes)

    def memory(self) -> tuple[OfLedger, list[Known]]:
        """Everything that is remembered, as it is now."""
        waiting = Waiting.of(self.changes)
        own = OfLedger(self._turn, tuple(sorted(self._down)), dict(self._back), *self.lookout.memory, waiting)
        # So many new tuples at once would make Python look for garbage in all there is: half a second for a city.
        collects = gc.isenabled()
        gc.disable()
        try:
            return own, [watched.memory() for watched in self._watched.values()]
        finally:
            if collects:
                gc.enable()

    def recall(self, own: OfLedger, devices: Iterable[Known], register: Register, now: datetime) -> None:
        """Remember all that again, beside this register; in place of ``load``, and of the first ``follow``."""
        known = tuple(devices)
        for one in known:
            self._of(one.device)
        self.follow(register, now)
        for one in known:
            self._watched[one.device].recall(one, now)
        self._turn, self._down, self._back = own.turn, set(own.down), dict(own.back)
        self.lookout.recall(own.sight, own.asked)
        self.changes = own.waiting.changes()

    def entry(self, device: str) -> BoardEntry | None:
        """What readers are shown of a device."""
        watched = self._watched.get(device)
        if watched is None:
            return None
        blamed, checked = self._blame(device)
        states = tuple(health.in_order(watched.states.values()))
        status, since, reasons = health.derive(states, blamed, checked)
        if not blamed:
            reasons = self._explained(watched.device, reasons)
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

    def pictured_well(self, seen: Observation) -> bool | None:
        """Whether an observation that was judged has a picture in which nothing is wrong; None where that was not
        judged. One that is in doubt is not good, though a single picture is not enough to believe it."""
        state = self.state(Subject(seen.device, Aspect.PICTURE, seen.channel))
        watched = self._watched.get(seen.device)
        run = watched.seen.get((seen.probe, seen.channel)) if watched is not None else None
        if run is None or run.at != seen.at or state is None or state.good is None:
            return None
        if noticed(run.facts).keys() & doubts(run.facts):
            return False
        return state.good if state.read_at == seen.at else None

    def roster_entry(self, device: str) -> Entry | None:
        """What the poller is told of a device."""
        watched = self._watched.get(device)
        return watched.entry if watched else None

    def policy_of(self, device: str) -> Policy:
        """The policy by which a device is judged."""
        watched = self._watched.get(device)
        return watched.policy if watched else self.policy.base

    def _judge_again(self, watched: Watched, policy: Policy, now: datetime) -> None:
        """Judge what was last seen of a device by its new policy, if it is new. Only what that changes counts: a
        verdict that was reached by more than the newest facts stays."""
        before, watched.policy = watched.policy, policy
        if policy == before:
            return
        for run, seen in watched.seen.items():
            again = Observation(
                watched.device.id, seen.probe, seen.at, seen.took, seen.channel, seen.facts, seen.failure
            )
            reach = run == watched.reach
            was = {one.subject: one for one in read(again, {}, before, watched.device, feeds_reach=reach)}
            for reading in read(again, {}, policy, watched.device, feeds_reach=reach):
                state = watched.states.get(reading.subject)
                changed = was[reading.subject].cause is not reading.cause
                if state is not None and changed and watched.counts(run, reading, now):
                    self._keep(watched, *health.judge_again(state, reading, now))
        for state in list(watched.states.values()):
            self._keep(watched, *health.confirm(state, policy, now))
        self.changes.touched.add(watched.device.id)

    def _of(self, device: str) -> Watched:
        watched = self._watched.get(device)
        if watched is None:
            watched = self._watched[device] = Watched(Device(device, Kind.CAMERA), (), self.policy.base)
        return watched

    def _replan(self, watched: Watched, now: datetime) -> list[RosterChange]:
        device = watched.device
        above = (self._watched.get(parent) for parent in topology.only_way(device.id, self._parents))
        parents = [parent.device for parent in above if parent is not None]
        succeeded = {run for run, seen in watched.seen.items() if seen.last_success is not None}
        entry = plan(
            device,
            watched.channels,
            self.polls,
            watched.learned,
            watched.seen,
            parents,
            succeeded,
            long_down=watched.long_down,
        )
        if entry == watched.entry and entry is not None:
            return []
        was = watched.entry
        watched.take_up(entry, now)
        for subject in [one for one in watched.states if one not in watched.feeders]:
            self._forget(watched, subject, now)
            self.changes.states[subject] = AspectState(subject)
        for subject in watched.feeders:
            watched.states.setdefault(subject, AspectState(subject))
        if entry is not None and was is None:
            quiet = (leave_alone(device.id, seen.failure) for seen in watched.seen.values())
            return [Put(entry), *(one for one in quiet if one is not None)]
        if entry is not None:
            return [Put(entry)]
        return [Drop(device.id)] if was is not None else []

    def _pace(self, watched: Watched, now: datetime) -> list[RosterChange]:
        """Ask a device less often once it is down for long, until it answers; never one that others stand behind."""
        id = watched.device.id
        state = watched.states.get(Subject(id, Aspect.REACH))
        since = state.since if state is not None and id in self._down and not self._below.get(id) else None
        long = since is not None and (now - since).total_seconds() >= self.polls.long_down
        answers = state is not None and state.good is True
        if (long and not answers) == watched.long_down:
            return []
        watched.long_down = not watched.long_down
        return self._replan(watched, now)

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

    def _forget(self, watched: Watched, subject: Subject, now: datetime) -> None:
        state = watched.states.pop(subject)
        flip = health.forget(state, now)
        if flip is not None:
            self.changes.flips.append(flip)
        self._mark_reach(AspectState(subject))

    def _keep(self, watched: Watched, state: AspectState, flip: Flip | None) -> None:
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
        step = self._watched[parent].policy.retry / max(1, len(behind))
        return [Hurry(device, *reach, step * place) for place, (device, reach) in enumerate(behind)]

    def _blame(self, device: str) -> tuple[str, datetime | None]:
        """The parent that explains what ``device`` has lost; for one that is back, until when it still does."""
        if self._down and (blamed := topology.blamed(device, self._parents, self._down)):
            return blamed, None
        back = [one for one in topology.ancestors(device, self._parents) if one in self._back] if self._back else []
        if back:
            # A device gets the time in which a fault is confirmed: it may have to start first.
            blamed = max(back, key=self._back.__getitem__)
            return blamed, self._back[blamed] + self._watched[device].policy.recheck
        return "", None

    def _explained(self, device: Device, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
        """The reasons of a lost device by what its switch knows of the port it is plugged in: no power, or no link."""
        parent = self._watched.get(device.parent)
        known = parent.seen.get(("snmp", "")) if parent is not None else None
        if known is None or device.id not in self._down or (found := power.explain(device, known.facts)) is None:
            return reasons
        cause, detail = found
        return tuple(
            replace(one, cause=cause, detail=detail) if one.cause in health.BEHIND_A_PARENT else one for one in reasons
        )

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

    def _ask(self, device: str) -> list[RosterChange]:
        """Ask a parent at once when something behind it is lost, so that it is to blame before its children are."""
        parent = self._watched.get(device)
        if parent is None or parent.entry is None:
            return []
        state = parent.states.get(Subject(device, Aspect.REACH))
        if state is None or state.run or state.settled is State.DOWN:
            return []
        return [Hurry(device, *parent.reach, after=0.0)]

    def _remember(self, watched: Watched, seen: Observation, earlier: ProbeSeen | None) -> None:
        run = (seen.probe, seen.channel)
        facts = {**earlier.facts, **seen.facts} if earlier is not None else seen.facts
        success = seen.at if seen.ok else (earlier.last_success if earlier is not None else None)
        failure = _with_way(seen.failure, earlier.failure if earlier is not None else None)
        watched.seen[run] = ProbeSeen(seen.probe, seen.channel, seen.at, seen.took, failure, success, facts)
        if not watched.stirred:
            heappush(self._stirred, (seen.at + watched.patience, seen.device))
        if run not in watched.stirred:
            watched.stirred += (run,)
        # What is believed of a picture must be known after a crash, or the next one would be taken for a recovery.
        if earlier is None or _news(earlier.failure, seen.failure) or believed(facts) != believed(earlier.facts):
            self.changes.seen[seen.device, run] = watched.seen[run]

    def _learn(self, watched: Watched, seen: Observation, now: datetime, *, first: bool) -> list[RosterChange]:
        """What a device told: that it answers again, where its streams are, what its file does not say yet."""
        paced = self._pace(watched, now) if watched.long_down else []
        if seen.ok and adopt(watched.device, seen.facts) is not None:
            self.adoptable[seen.device] = seen.facts
        told = learn(seen.probe, seen.facts)
        if told.items() <= watched.learned.items() and not first:
            return paced
        watched.learned.update(told)
        return [*paced, *self._replan(watched, now)]


def _of_today(batch: Iterable[Observation], now: datetime) -> Iterator[Observation]:
    """The batch, with what is of tomorrow taken for now: the clock was set back while it was asked, and held to be of
    tomorrow it would make all of today's count nothing."""
    return (seen if seen.at <= now else replace(seen, at=now) for seen in batch)


def _soon(seen: Observation, policy: Policy, *, hurry: bool) -> list[RosterChange]:
    """Ask again soon, where a change waits for confirmation or another look at a picture would tell more."""
    again = seen.facts.get("again_in")
    if hurry or not isinstance(again, int | float):
        return [Hurry(seen.device, seen.probe, seen.channel, policy.retry)] if hurry else []
    return [Hurry(seen.device, seen.probe, seen.channel, max(again, policy.retry))]


def _with_way(now: Failure | None, before: Failure | None) -> Failure | None:
    """The way is asked when a failure begins, and told of as long as it is the same one."""
    if now is None or before is None or now.way is not None or now.kind is not before.kind:
        return now
    return replace(now, way=before.way)


def _news(before: Failure | None, now: Failure | None) -> bool:
    """Whether a run ended in another way than the one before it, or the device is left alone until another time: that
    must be known after a crash, or the password would be tried anew."""
    if before is None or now is None:
        return before is not now
    told = before.values.get("until") != now.values.get("until")
    return told or before.kind is not now.kind or (now.way is not None and now.way != before.way)
