"""The ledger: what is held true of every device, judged observation by observation. It decides nothing itself (rules
do) and writes nothing (the recorder does); it is the one owner of states while the service runs."""

from __future__ import annotations

import gc
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from camera_registry.board import BoardEntry
from camera_registry.model.device import Channel
from camera_registry.model.health import Aspect, AspectState, Flip, State, Subject
from camera_registry.model.observation import Facts, Observation, ProbeSeen
from camera_registry.model.policy import Policies, Policy, PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.roster import Drop, Entry, Hurry, LeaveAlone, Put, RosterChange, Run
from camera_registry.rules import health, power
from camera_registry.rules.adoption import adopt
from camera_registry.rules.alike import Alike
from camera_registry.rules.pace import again_in, for_sites
from camera_registry.rules.pictures import trend
from camera_registry.rules.plan import learn
from camera_registry.rules.schedule import TELLING, phase
from camera_registry.rules.verdict import read
from camera_registry.service.changes import Changes
from camera_registry.service.lookout import Lookout
from camera_registry.service.losses import Losses
from camera_registry.service.memory import Known, OfLedger, Waiting
from camera_registry.service.sightings import Sightings
from camera_registry.service.stirred import Stirred
from camera_registry.service.watched import NOBODY, Watched

_PORTS: Run = ("snmp", "")
"""The run by which a switch tells of its ports."""


class Ledger:
    """States of all devices in memory. Not thread-safe: it belongs to the event loop."""

    def __init__(self, policy: Policies, polls: PollPolicy, poller: str = "local", zone: tzinfo = UTC) -> None:
        self.policy = policy
        self.polls = polls
        self.zone = zone
        """That of the cameras' local time: by day and by night a picture means different things."""
        self.changes = Changes()
        self.adoptable: dict[str, Facts] = {}
        self._watched: dict[str, Watched] = {}
        self.poller = poller
        self.lookout = Lookout(poller)
        self._losses = Losses()
        self._stirred = Stirred()
        self._alike = Alike()
        self.sightings = Sightings(self._watched)
        self._turn = 0

    def load(self, states: Iterable[AspectState], seen: Iterable[tuple[str, ProbeSeen]]) -> None:
        """Take up what the store kept. Comes before ``follow``."""
        for state in states:
            self._of(state.subject.device).states[state.subject] = state
            self.changes.touched.update(self._losses.mark(state))
        for device, run in seen:
            self._of(device).know(run, self._alike)

    def follow(self, register: Register, now: datetime, *, anew: bool = False) -> list[RosterChange]:
        """Take up the register as it is now; what changes for the poller. ``anew``: plan unchanged devices too, because
        the poll policy changed."""
        channels: dict[str, list[Channel]] = {}
        for channel in register.channels.values():
            channels.setdefault(channel.device, []).append(channel)
        self._losses.follow(register.parents())
        self.lookout.follow(register)
        wanted = for_sites(register, self.polls.intervals)
        told: list[RosterChange] = []
        for gone in sorted(self._watched.keys() - register.devices.keys()):
            told += self._retire(gone, now)
        moved: set[str] = set()
        # In an order of its own, and not that of a query: what is decided here must be the same again in a replay.
        for _, device in sorted(register.devices.items()):
            own = tuple(channels.get(device.id, ()))
            site = register.sites.get(device.site)
            policy = self.policy.of(device, site.category if site else None)
            known, watched = device.id in self._watched, self._of(device.id)
            if watched.entry is not None:
                self._judge_again(watched, policy, now)
            before = watched.device, watched.channels, watched.urgency.wanted
            # By the register's own objects, equal or not: or those of the one before would be kept beside it.
            watched.device, watched.channels = device, own
            if known and before == (device, own, wanted.get(device.id)) and not anew:
                continue
            watched.policy, watched.fresh_until = policy, None
            if watched.urgency.wanted != wanted.get(device.id):
                watched.urgency = replace(watched.urgency, wanted=wanted.get(device.id))
            moved.add(device.id)
            self.changes.touched.add(device.id)
        # Whoever stands behind a device that was edited must know where to ask for it.
        behind = {below for id in moved for below in self._losses.behind(id)}
        # Not in the order of their names: who is met in the order in which they are told of is met a site at a time.
        for id in sorted(moved | behind, key=lambda id: phase((id, "", ""))):
            told += self._replan(self._watched[id], now)
        self.sightings.follow(register, self.policy.base.picture.weather)
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
            seen = self.sightings.take_in(watched, seen, before, self.zone)  # noqa: PLW2901
            hurry, lost = False, seen.device in self._losses
            first = earlier is None or (seen.ok and earlier.last_success is None)
            for reading in read(seen, before, watched.policy, watched.device, feeds_reach=run == watched.reach):
                if not watched.counts(run, reading, now):
                    continue
                state = watched.states.get(reading.subject) or AspectState(reading.subject)
                told += self._ask(self.lookout.look(state, reading, watched.policy, now))
                if self.lookout.doubts(reading):
                    continue
                reading = power.retell(reading, watched.device, state, self._ports_above(watched))  # noqa: PLW2901
                state, flip = health.advance(state, reading, watched.policy, now)
                self._keep(watched, state, flip)
                hurry = hurry or bool(state.run)
                if reading.subject.aspect is Aspect.REACH and not reading.good and state.run == 1:
                    told += self._ask(watched.device.parents, ports=bool(watched.device.parent_port))
                first = first or (flip is not None and flip.before is State.UNKNOWN)
                if flip is not None and flip.subject.aspect is Aspect.REACH:
                    told += self._ask_those_behind(seen.device, flip.at)
            if (after := again_in(seen, watched.policy, hurry=hurry)) is not None:
                told.append(Hurry(seen.device, seen.probe, seen.channel, after))
            if lost:
                told += watched.look_again(run, back=seen.device not in self._losses, answers=hurry and seen.ok)
            self._remember(watched, seen)
            if run == _PORTS:
                self.changes.touched.update(filter(self._losses.__contains__, self._losses.right_behind(seen.device)))
            told += self._learn(watched, seen, now, first=first)
            self.changes.touched.add(seen.device)
        return told

    def tick(self, now: datetime, share: int) -> list[RosterChange]:
        """Let time alone pass for one of ``share`` parts of the devices; call it again for the next part. What changes
        for the poller: what has been down for long is asked less often."""
        told: list[RosterChange] = []
        self.lookout.pass_time(now, self.policy.base)
        self._turn = (self._turn + 1) % share
        for watched in islice(self._watched.values(), self._turn, None, share):
            for state, flip in list(watched.look_at_silence(now)):
                self._keep(watched, state, flip)
                self.changes.touched.add(watched.device.id)
            if watched.device.id in self._losses and not watched.urgency.long_down:
                told += self._pace(watched, now)
        return told

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``: tell the times of evidence by the new clock, so silence is measured right."""
        for watched in self._watched.values():
            watched.shift(step)
        self._stirred.shift(step)
        self.sightings.shift(step)

    def collect(self, now: datetime | None) -> Changes:
        """Take the changes that wait to be written. What only moved its newest time is among them once that has waited
        for ``watched.PATIENCE`` or one interval; ``now`` None: at once."""
        taken, self.changes = self.changes, Changes()
        self._stirred.take(self._watched, now, taken)
        return taken

    def restore(self, taken: Changes) -> None:
        """Put back changes that could not be written."""
        self.changes = taken.under(self.changes)

    def memory(self) -> tuple[OfLedger, list[Known]]:
        """Everything that is remembered, as it is now."""
        waiting = Waiting.of(self.changes)
        own = OfLedger(self._turn, *self._losses.memory, *self.lookout.memory, waiting, self.sightings.memory)
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
        self._losses.recall(own.down, own.back)
        self.lookout.recall(own.sight, own.asked)
        self.sightings.recall(own.spells)
        self._turn, self.changes = own.turn, own.waiting.changes()

    def cleaned(self, device: str, channels: Container[str], now: datetime, changes: Changes) -> None:
        """Follow the pictures of these channels anew: their lenses were cleaned. What is to be written for it is noted
        beside what says so."""
        watched = self._watched.get(device)
        for run, seen in watched.seen.items() if watched is not None else ():
            known = trend.sketch(seen.facts)
            if watched is not None and known is not None and run[1] in channels:
                facts = {**seen.facts, trend.FACT: trend.anew(known, now.astimezone(self.zone))}
                watched.seen[run] = changes.seen[device, run] = replace(seen, facts=facts)
                self._keep_days(device, run, seen.facts, facts, changes)
                changes.touched.add(device)

    def entry(self, device: str) -> BoardEntry | None:
        """What readers are shown of a device."""
        watched = self._watched.get(device)
        if watched is None:
            return None
        states, seen = watched.in_order(), tuple(watched.seen.values())
        blamed, checked = ("", None) if health.well(states) else self._blame(watched)
        status, since, reasons = health.derive(states, blamed, checked)
        if reasons and not blamed and (reach := watched.states.get(Subject(device, Aspect.REACH))) is not None:
            known = power.known(watched.device, reach, self._ports_above(watched))
            reasons = reasons if known is None else health.explained(reasons, *known)
        return BoardEntry(watched.device, watched.channels, states, seen, status, since, reasons)

    def state(self, subject: Subject) -> AspectState | None:
        """What is held true of one subject, if it is measured at all."""
        watched = self._watched.get(subject.device)
        return watched.states.get(subject) if watched else None

    def pictured_well(self, seen: Observation) -> bool | None:
        """Whether an observation that was judged has a picture in which nothing is wrong; None where that was not
        judged. One that is in doubt is not good, though a single picture is not enough to believe it."""
        watched = self._watched.get(seen.device)
        return watched.pictured_well(seen) if watched else None

    def roster_entry(self, device: str) -> Entry | None:
        """What the poller is told of a device."""
        watched = self._watched.get(device)
        return watched.entry if watched else None

    def left_alone(self, device: str) -> Iterator[LeaveAlone]:
        """What a poller that has not asked a device yet must know of refused passwords."""
        watched = self._watched.get(device)
        return watched.left_alone() if watched else iter(())

    def policy_of(self, device: str) -> Policy:
        """The policy by which a device is judged."""
        watched = self._watched.get(device)
        return watched.policy if watched else self.policy.base

    def _judge_again(self, watched: Watched, policy: Policy, now: datetime) -> None:
        """Judge what was last seen of a device by its new policy, if it is new. Only what that changes counts: a
        verdict that was reached by more than the newest facts stays."""
        before, watched.policy = watched.policy, policy
        if policy is before or policy == before:
            return
        watched.fresh_until = None
        for reading in watched.read_anew(before, now):
            self._keep(watched, *health.judge_again(watched.states[reading.subject], reading, now))
        for state in list(watched.states.values()):
            self._keep(watched, *health.confirm(state, policy, now))
        self.changes.touched.add(watched.device.id)

    def _of(self, device: str) -> Watched:
        if device not in self._watched:
            self._watched[device] = Watched(NOBODY, (), self.policy.base)
        return self._watched[device]

    def _replan(self, watched: Watched, now: datetime) -> list[RosterChange]:
        device = watched.device
        above = (self._watched.get(parent) for parent in self._losses.only_way(device.id))
        parents = [parent.device for parent in above if parent is not None]
        entry = watched.plan(self.polls, parents, str(self.zone))
        if entry == watched.entry and entry is not None:
            return []
        was = watched.entry
        watched.take_up(entry, now)
        for subject in [one for one in watched.states if one not in watched.feeders]:
            self._forget(watched, subject, now)
            self.changes.states[subject] = AspectState(subject)
        watched.begin()
        if entry is not None:
            return [Put(entry), *(self.left_alone(device.id) if was is None else ())]
        return [Drop(device.id)] if was is not None else []

    def _pace(self, watched: Watched, now: datetime) -> list[RosterChange]:
        """Ask a device less often once it is down for long, until it answers; never one that others stand behind."""
        id = watched.device.id
        state = watched.states.get(Subject(id, Aspect.REACH))
        alone = id in self._losses and not self._losses.right_behind(id)
        since = state.since if state is not None and alone else None
        long = since is not None and (now - since).total_seconds() >= self.polls.long_down
        answers = state is not None and state.good is True
        if (long and not answers) == watched.urgency.long_down:
            return []
        watched.urgency = replace(watched.urgency, long_down=not watched.urgency.long_down)
        return self._replan(watched, now)

    def _retire(self, device: str, now: datetime) -> list[RosterChange]:
        watched = self._watched[device]
        for subject in list(watched.states):
            self._forget(watched, subject, now)
        del self._watched[device]
        self.changes = self.changes.without(device)
        return [Drop(device)]

    def _forget(self, watched: Watched, subject: Subject, now: datetime) -> None:
        state = watched.states.pop(subject)
        flip = health.forget(state, now)
        if flip is not None:
            self.changes.flips.append(flip)
        self.changes.touched.update(self._losses.mark(AspectState(subject)))

    def _keep(self, watched: Watched, state: AspectState, flip: Flip | None) -> None:
        subject = state.subject
        known = watched.states.get(subject)
        watched.states[subject] = state
        if flip is not None:
            self.changes.flips.append(flip)
        if flip is not None or known is None or known.state is not state.state:
            self.changes.states[subject] = state
            self.changes.touched.update(self._losses.mark(state))
            watched.fresh_until = None

    def _ask_those_behind(self, parent: str, now: datetime) -> list[RosterChange]:
        """Look at once for what is behind a parent if that is back now, spread over the time of a re-try."""
        if self._losses.back(parent) != now:
            return []
        behind = [
            (device, self._watched[device].reach)
            for device in self._losses.behind(parent)
            if device in self._losses and device in self._watched and self._watched[device].entry is not None
        ]
        step = self._watched[parent].policy.retry / max(1, len(behind))
        return [Hurry(device, *reach, step * place) for place, (device, reach) in enumerate(behind)]

    def _blame(self, watched: Watched) -> tuple[str, datetime | None]:
        """The parent that explains what a device has lost; for one that is back, until when it still does."""
        blamed, back = self._losses.blame(watched.device.id)
        # A device gets the time in which a fault is confirmed: it may have to start first.
        return blamed, back and back + watched.policy.recheck

    def _ports_above(self, watched: Watched) -> ProbeSeen | None:
        """What the switch of a device was last asked of its ports."""
        parent = self._watched.get(watched.device.parent)
        return parent.seen.get(_PORTS) if parent is not None else None

    def _ask(self, devices: Iterable[str], *, ports: bool = False) -> list[RosterChange]:
        """Ask these at once, unless they are known to be lost or about to be: parents of what is lost, so that they are
        to blame before their children are, and canaries. ``ports``: also what they know of their ports."""
        told: list[RosterChange] = []
        for device in devices:
            watched, state = self._watched.get(device), self.state(Subject(device, Aspect.REACH))
            lost = state is None or state.run or state.settled is State.DOWN
            if watched is not None and watched.entry is not None and not lost:
                told.append(Hurry(device, *watched.reach, after=0.0))
                if ports and _PORTS in watched.seen:
                    told.append(Hurry(device, *_PORTS, after=0.0))
        return told

    def _remember(self, watched: Watched, seen: Observation) -> None:
        run = (seen.probe, seen.channel)
        before = watched.seen[run].facts if run in watched.seen else {}
        if watched.remember(seen, self._alike):
            self.changes.seen[seen.device, run] = watched.seen[run]
        after = watched.seen[run].facts
        if trend.FACT in after:
            self._keep_days(seen.device, run, before, after, self.changes)
        self._stirred.add(watched, run, seen.at)

    def _keep_days(self, device: str, run: Run, before: Facts, after: Facts, changes: Changes) -> None:
        over = trend.over(device, run[1], before, after)
        changes.days.update({(device, run[1], day.regime, day.day): day for day in over})

    def _learn(self, watched: Watched, seen: Observation, now: datetime, *, first: bool) -> list[RosterChange]:
        """What a device told: that it answers again, where its streams are, what its file does not say yet."""
        paced = self._pace(watched, now) if watched.urgency.long_down else []
        if seen.ok and adopt(watched.device, seen.facts) is not None:
            self.adoptable[seen.device] = seen.facts
        told = learn(seen.probe, seen.facts)
        if (not told or told.items() <= watched.learned.items()) and not (first and seen.probe in TELLING):
            return paced
        watched.learned.update(self._alike.shared(told))
        return [*paced, *self._replan(watched, now)]


def _of_today(batch: Iterable[Observation], now: datetime) -> Iterator[Observation]:
    """The batch, with what is of tomorrow taken for now: the clock was set back while it was asked, and held to be of
    tomorrow it would make all of today's count nothing."""
    return (seen if seen.at <= now else replace(seen, at=now) for seen in batch)
