"""A reference for health and incidents, written for being seen through instead of for speed: one aspect, a drawn
topology, everything worked out from whole histories in whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

HOLD, RECHECK, TOGETHER, SILENCE = 60, 30, 60, 150


@dataclass
class Loss:
    """An outage of one device as far as it is known. ``ready``: when it may be told; ``excused_until``: a parent that
    is back explains it until it is found bad after this."""

    start: int
    cause: str
    ready: int
    explained: bool = False
    excused_until: int | None = None
    told: int | None = None
    looked: int = -(10**9)


@dataclass
class One:
    """A device: its readings (second, cause or empty text), its state, its loss, and when parents' outages were."""

    parents: tuple[str, ...]
    readings: list[tuple[int, str]] = field(default_factory=list)
    state: str = "unknown"
    before_silence: str = "unknown"
    cause: str = ""
    since: int = 0
    against: list[tuple[int, str]] = field(default_factory=list)
    heard: str | None = None
    window: list[bool] = field(default_factory=list)
    loss: Loss | None = None
    outage: tuple[int, int] | None = None


class Reference:
    """What should be true."""

    def __init__(self, parents: dict[str, tuple[str, ...]]) -> None:
        self.devices = {name: One(above) for name, above in parents.items()}
        self.opened: list[tuple[str, int, int]] = []
        self.ended: list[tuple[str, int, int]] = []

    def hear(self, name: str, now: int, cause: str) -> None:
        one = self.devices[name]
        one.window.append(one.heard is not None and bool(one.heard) != bool(cause))
        one.heard = cause
        one.readings.append((now, cause))
        changes = one.window[-20:][::-1]
        share = sum((1.2 - 0.4 * place / 19) for place, changed in enumerate(changes) if changed) / 20
        if one.state == "flapping":
            if share >= 0.25:
                one.cause = cause or one.cause
                return
            self._settle(one, name, "down" if cause else "ok", now, cause, now)
        elif share >= 0.30:
            self._settle(one, name, "flapping", now, cause or one.cause or self._suspected(one), now)
        elif cause:
            self._bad(one, name, now, cause)
        else:
            self._good(one, name, now)

    def _suspected(self, one: One) -> str:
        return next(cause for _, cause in reversed(one.readings) if cause)

    def _bad(self, one: One, name: str, now: int, cause: str) -> None:
        if one.state == "down" and cause == one.cause:
            one.against = []
            return
        if one.state == "stale" and one.before_silence == "down" and cause == one.cause:
            self._settle(one, name, "down", now, cause, now)
            return
        same = one.against and one.against[-1][1] and (one.state != "down" or one.against[-1][1] == cause)
        one.against = [*one.against, (now, cause)] if same else [(now, cause)]
        if len(one.against) >= 3:
            self._settle(one, name, "down", one.against[0][0], cause, now)

    def _good(self, one: One, name: str, now: int) -> None:
        if one.state == "ok":
            one.against = []
            return
        one.against = [*one.against, (now, "")] if one.against and not one.against[-1][1] else [(now, "")]
        was_down = (one.before_silence if one.state == "stale" else one.state) == "down"
        if len(one.against) >= (2 if was_down else 1):
            self._settle(one, name, "ok", one.against[0][0], "", now)

    def _settle(self, one: One, name: str, state: str, start: int, cause: str, now: int) -> None:
        one.state, one.cause, one.against, one.before_silence = state, cause, [], "unknown"
        if state == "ok":
            if one.loss is not None:
                one.outage = (one.loss.start, start)
                if one.loss.told is not None:
                    self.ended.append((name, one.loss.start, max(start, one.loss.start)))
                one.loss = None
        elif one.loss is None:
            one.loss = Loss(start, cause, now + HOLD)
            one.outage = None
        else:
            one.loss.cause = cause

    def pass_time(self, now: int) -> None:
        """Silence becomes stale; then what is lost is weighed."""
        for one in self.devices.values():
            if one.readings and one.state not in ("stale", "unknown") and now - one.readings[-1][0] > SILENCE:
                one.before_silence = one.state
                if one.state != "down":
                    one.cause = ""
                one.state, one.against, one.window, one.heard = "stale", [], [], None
        for name, one in self.devices.items():
            if one.loss is not None:
                self._weigh(name, one, one.loss, now)
        due = [
            (one.loss.start, name, one)
            for name, one in self.devices.items()
            if one.loss is not None
            and one.loss.told is None
            and not one.loss.explained
            and one.state != "stale"
            and one.loss.ready <= now
        ]
        for start, name, one in sorted(due, key=lambda found: found[:2]):
            assert one.loss is not None
            one.loss.told = now
            self.opened.append((name, start, now))

    def _weigh(self, name: str, one: One, loss: Loss, now: int) -> None:
        if self._cut(name, frozenset()):
            loss.explained, loss.excused_until = True, None
            return
        if loss.explained and loss.excused_until is None:
            ends = [self.devices[above].outage for above in self._above(name)]
            back = [outage[1] for outage in ends if outage is not None]
            loss.excused_until = (max(back) if back else now) + RECHECK
        elif not loss.explained:
            for above in self._above(name):
                outage = self.devices[above].outage
                if outage and outage[0] - TOGETHER <= loss.start <= outage[1] and loss.looked < outage[1]:
                    loss.explained, loss.excused_until = True, outage[1] + RECHECK
                    break
        last, cause = one.readings[-1]
        if loss.excused_until is not None and cause and one.state != "stale" and last > loss.excused_until:
            loss.ready = max(loss.ready, loss.excused_until + HOLD)
            loss.looked, loss.explained, loss.excused_until = loss.excused_until, False, None
            # Another parent may have come back later than the one that has just been looked behind.
            self._weigh(name, one, loss, now)

    def _cut(self, name: str, walked: frozenset[str]) -> bool:
        parents = self.devices[name].parents
        return bool(parents) and all(
            self.devices[above].loss is not None or self._cut(above, walked | {name}) for above in parents
        )

    def _above(self, name: str) -> list[str]:
        found: list[str] = []
        for above in self.devices[name].parents:
            found += [above, *self._above(above)]
        return found

    @property
    def open(self) -> dict[str, int]:
        return {name: one.loss.start for name, one in self.devices.items() if one.loss and one.loss.told is not None}
