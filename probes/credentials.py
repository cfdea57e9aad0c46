"""This file is the one place where a device's password is taken, and the guard that keeps its account from being
locked.

Cameras lock an account after a few refusals (some after five, for half an hour), so: what has not worked yet is tried
by one run at a time; after two refusals in a window, or one where nothing else is left to try, the device is left alone
for ``Tools.auth_quiet`` seconds, whichever protocol asks. After that one run tries once, and all goes on as usual, or
the device is left alone again. A new version of the credential is tried at once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.memory import EVERYTHING, DeviceMemory, Trials, joined
from probes.redaction import forms_of

ATTEMPTS = 2
"""Refusals that a device may see in one window."""


class Login:
    """One run's use of a credential over one protocol. ``close`` it when the run ends, however it ends."""

    def __init__(self, context: Context, target: Target, protocol: str, credential: Credential, trials: Trials) -> None:
        self.username = credential.username
        self.password = credential.password
        self._context = context
        self._device = target.device
        self._protocol = protocol
        self._trials = trials
        self._turn: asyncio.Lock | None = None
        self.refused_here = False
        self._doubted = False
        self.held_back = False
        """Whether this run was kept from sending the password, for the device is left alone."""
        context.secrets += trials.secrets

    def __repr__(self) -> str:
        return f"Login({self._device!r}, {self._protocol!r})"

    @property
    def _left_alone(self) -> bool:
        """Whether this password is not sent over this protocol, or only once to see whether it is taken by now."""
        return bool(self._trials.quiet & {EVERYTHING, self._protocol})

    @property
    def _trial(self) -> asyncio.Lock:
        """What lets one run at a time try what has not worked yet."""
        return self._context.tools.memory.trial(self._device, self._trials.version)

    @property
    def last_try(self) -> bool:
        """Whether the device was left alone and is tried once now: a request that may fail for another reason than the
        password (a remembered nonce) must not be that try."""
        return self._left_alone and _now() >= self._trials.window_end

    async def permit(self) -> None:
        """Ask before each request that carries the password. Raises ProbeError(AUTH) while the device is left alone."""
        self._check_quiet()
        if self._turn is not None or (self._protocol in self._trials.worked and not self._left_alone):
            return
        self._context.stage = Stage.AUTHENTICATE
        turn = self._trial
        await turn.acquire()
        self._turn = turn
        self._check_quiet()

    def accepted(self) -> None:
        """The device took the password: what it refused on the way there was the manner, not the password."""
        trials = self._trials
        if self._left_alone:
            trials.quiet = frozenset()
            trials.refusals.clear()
        self._doubted = False
        if self._protocol not in trials.worked:
            trials.worked = joined(trials.worked, self._protocol)
        trials.refusals.pop(self._protocol, None)
        self.close()

    def doubt(self) -> None:
        """Something was refused in a run in which the password was taken: it counts if the next thing is ``refused``
        too, and not if that is ``accepted``."""
        self._doubted = True

    def refused(self) -> None:
        """Count a refusal. Another manner of asking may follow, if ``permit`` allows it."""
        self.refused_here = True
        counted, self._doubted = 1 + self._doubted, False
        trials, tools = self._trials, self._context.tools
        now, last_try = _now(), self.last_try
        if now >= trials.window_end:
            trials.refusals.clear()
            trials.window_end = now + tools.auth_quiet
        trials.refusals[self._protocol] = trials.refusals.get(self._protocol, 0) + counted
        trials.refused_at = tools.now()
        if last_try or sum(trials.refusals.values()) >= ATTEMPTS:
            self._leave_alone(*(() if last_try else (EVERYTHING,)))

    def failure(self, manner: str) -> ProbeError:
        """The error of a run whose password was refused, with nothing left to try; ``manner``: how it was asked.

        A password that worked before may be refused because the device has no free connection (some answer 401 then):
        that is told as ``busy`` once, and tried once more by a later run.
        """
        trials = self._trials
        if self._protocol in trials.worked:
            trials.worked -= {self._protocol}
            if not self._left_alone:
                return ProbeError.told(FailureKind.BUSY, Stage.AUTHENTICATE, "auth.once_more", manner=manner)
        if not self._left_alone:
            self._leave_alone(self._protocol if trials.worked else EVERYTHING)
        return self._refusal("auth.refused" if self._context.tools.lasting else "auth.wrong", manner=manner)

    def close(self) -> None:
        """Let others have their turn."""
        if self._turn is not None:
            self._turn.release()
            self._turn = None

    def _leave_alone(self, *protocols: str) -> None:
        trials, tools = self._trials, self._context.tools
        trials.quiet |= frozenset(protocols)
        trials.window_end = _now() + tools.auth_quiet
        trials.refused_at = tools.now()
        trials.until = trials.refused_at + timedelta(seconds=tools.auth_quiet)

    def _check_quiet(self) -> None:
        """Raise ProbeError(AUTH) while the device is left alone, and after that for all but the one run that tries."""
        if not self._left_alone or (self._turn is not None and self.last_try):
            return
        if not self.last_try:
            key = "auth.quiet" if self._context.tools.lasting else "auth.not_again"
        elif self._trial.locked():
            key = "auth.being_tried"
        else:
            return
        self.held_back = True
        raise self._refusal(key)

    def _refusal(self, key: str, **values: object) -> ProbeError:
        trials = self._trials
        assert trials.refused_at is not None
        assert trials.until is not None
        credential, version = trials.version
        kept = {
            "at": trials.refused_at.isoformat(timespec="seconds"),
            "until": trials.until.isoformat(timespec="seconds"),
            "credential": credential,
            "version": version,
            "protocol": EVERYTHING if EVERYTHING in trials.quiet else self._protocol,
        }
        return ProbeError.told(FailureKind.AUTH, Stage.AUTHENTICATE, key, **kept, **values)


def login(context: Context, target: Target, protocol: str) -> Login | None:
    """The login for ``protocol`` ("onvif", "rtsp", "http"), or None where no credential is registered."""
    name = target.credential_for(protocol)
    credential = context.tools.credential(name) if name else None
    if credential is None:
        return None
    memory = context.tools.memory.of(target.device)
    version = (credential.id, credential.version)
    trials = memory.trials.get(credential.id)
    if trials is None or trials.version != version:
        trials = memory.trials[credential.id] = Trials(version, forms_of(credential.username, credential.password))
        _recall(trials, memory, context)
    return Login(context, target, protocol, credential, trials)


def wanted(context: Context, target: Target, protocol: str) -> ProbeError:
    """The error for a device that asks for a password where there is none to give."""
    name = target.credential_for(protocol)
    key = "auth.unknown" if name else "auth.none" if context.tools.lasting else "auth.not_given"
    return ProbeError.told(FailureKind.AUTH, Stage.AUTHENTICATE, key, credential=name)


def _recall(trials: Trials, memory: DeviceMemory, context: Context) -> None:
    """Go on leaving a device alone that was left alone before a restart."""
    known = [one for one in memory.left_alone if (one.credential, one.version) == trials.version]
    for one in known:
        memory.left_alone = tuple(other for other in memory.left_alone if other is not one)
        trials.quiet |= {one.protocol}
        trials.refused_at = max(one.at, trials.refused_at or one.at)
        trials.until = max(one.until, trials.until or one.until)
        trials.window_end = _now() + (trials.until - context.tools.now()).total_seconds()


def _now() -> float:
    return asyncio.get_running_loop().time()
