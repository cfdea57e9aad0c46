"""This file is the one place where a device's password is taken, and the guard that keeps its account from being
locked.

Cameras lock an account after a few refusals (some after five, for half an hour), so: what has not worked yet is tried
by one run at a time; after two refusals in a window, or one where nothing else is left to try, the device is left alone
for ``Tools.auth_quiet`` seconds, whichever protocol asks. A new version of the credential is tried at once.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.memory import EVERYTHING, Trials
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
        self._has_turn = False
        self.refused_here = False
        context.secrets += trials.secrets

    def __repr__(self) -> str:
        return f"Login({self._device!r}, {self._protocol!r})"

    async def permit(self) -> None:
        """Ask before each request that carries the password. Raises ProbeError(AUTH) while the device is left alone."""
        self._check_quiet()
        if self._protocol in self._trials.worked or self._has_turn:
            return
        self._context.stage = Stage.AUTHENTICATE
        await self._trials.turn.acquire()
        self._has_turn = True
        self._check_quiet()

    def accepted(self) -> None:
        """The device took the password: what it refused on the way there was the manner, not the password."""
        trials = self._trials
        if self._protocol not in trials.worked:
            trials.worked.add(self._protocol)
            trials.refusals.pop(self._protocol, None)
        self.close()

    def refused(self) -> None:
        """Count a refusal. Another manner of asking may follow, if ``permit`` allows it."""
        self.refused_here = True
        trials, tools = self._trials, self._context.tools
        now, wall = _now(), tools.now()
        if now >= trials.window_end:
            trials.refusals.clear()
            trials.window_end = now + tools.auth_quiet
        trials.refusals[self._protocol] = trials.refusals.get(self._protocol, 0) + 1
        trials.refused_at = wall
        if sum(trials.refusals.values()) >= ATTEMPTS:
            self._leave_alone(EVERYTHING)

    def failure(self, said: str) -> ProbeError:
        """The error of a run whose password was refused, with nothing left to try.

        A password that worked before may be refused because the device has no free connection (some answer 401 then):
        that is told as ``busy`` once, and tried once more by a later run.
        """
        trials = self._trials
        if self._protocol in trials.worked:
            trials.worked.discard(self._protocol)
            if EVERYTHING not in trials.quiet:
                detail = f"{said}; this password worked before, so it is tried once more before it is called wrong"
                return ProbeError(FailureKind.BUSY, Stage.AUTHENTICATE, detail)
        if not trials.quiet & {EVERYTHING, self._protocol}:
            self._leave_alone(self._protocol if trials.worked else EVERYTHING)
        return ProbeError(FailureKind.AUTH, Stage.AUTHENTICATE, f"{said}; {self._until()}")

    def close(self) -> None:
        """Let others have their turn."""
        if self._has_turn:
            self._has_turn = False
            self._trials.turn.release()

    def _leave_alone(self, protocol: str) -> None:
        quiet = self._context.tools.auth_quiet
        self._trials.quiet.add(protocol)
        self._trials.window_end = _now() + quiet
        self._trials.until = self._context.tools.now() + timedelta(seconds=quiet)

    def _check_quiet(self) -> None:
        trials = self._trials
        if not trials.quiet:
            return
        if _now() >= trials.window_end:
            trials.quiet.clear()
            trials.refusals.clear()
        elif trials.quiet & {EVERYTHING, self._protocol}:
            assert trials.refused_at is not None
            detail = f"the password was refused at {_clock(trials.refused_at)}; {self._until()}"
            raise ProbeError(FailureKind.AUTH, Stage.AUTHENTICATE, detail)

    def _until(self) -> str:
        assert self._trials.until is not None
        return f"left alone until {_clock(self._trials.until)} so that its account is not locked"


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
    return Login(context, target, protocol, credential, trials)


def wanted(target: Target, protocol: str, said: str) -> ProbeError:
    """The error for a device that asks for a password where there is none to give."""
    if name := target.credential_for(protocol):
        remedy = f"the credential {name!r} is not known here: add it, or register another for this device"
    else:
        remedy = "no credential is registered for this device: add one"
    return ProbeError(FailureKind.AUTH, Stage.AUTHENTICATE, f"{said}, and {remedy}")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"
