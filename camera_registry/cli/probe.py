"""The command `probe`: one device, explained step by step, without settings or database."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

from camera_registry.cli.outcome import FAULT, GOOD, CommandError, why
from camera_registry.cli.probe_target import Named, read_target
from camera_registry.cli.shape import Commands
from camera_registry.cli.values import number
from camera_registry.model.chain import Chain, first_broken
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import AspectState, Cause, Reading, Reason, Status, Subject
from camera_registry.model.observation import FailureKind, Observation, Stage
from camera_registry.model.people import Credential
from camera_registry.model.policy import Policy
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Target
from camera_registry.rules import health, verdict
from camera_registry.rules.chain import chain
from camera_registry.rules.plan import learn
from camera_registry.service.diagnosis import Diagnosis
from camera_registry.texts import Texts, texts
from probes import base, catalog
from probes.guard import AddressGuard, Unresolved, look_up
from probes.memory import Memory
from probes.places import Places

PASSWORD_VARIABLE = "CAMERA_REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable, not a password
_USUAL = {"http": 80, "rtsp": 554, "tls": 443}
"""Where a device may be alive that does not answer at the port it was asked at."""
_ONE_DEVICE = "target"
_ONE_CREDENTIAL = "given"
_SECONDS = number(0.1, 600)
_AT_ONCE = Policy(failures=1, recoveries=1, failures_by_cause={})
"""A verdict on what was seen once: nothing waits for confirmation."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("probe", parents=[common])
    add_arguments(parser)
    parser.set_defaults(func=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What names one device and says how it is asked."""
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--user", metavar="USER")
    parser.add_argument("--password-file", metavar="FILE", type=Path)
    parser.add_argument("--probes", metavar="LIST")
    parser.add_argument("--allow", metavar="CIDR", action="append")
    parser.add_argument("--timeout", metavar="SECONDS", type=_SECONDS, default=10.0)
    parser.add_argument("--seconds", metavar="SECONDS", type=_SECONDS)


@dataclass(frozen=True, slots=True)
class Asked:
    """One device, which probes ask it, with what, and for how long each (seconds). ``allow``: networks that may be
    connected to; None: the device's own address alone."""

    named: Named
    names: tuple[str, ...]
    credential: Credential | None
    allow: Sequence[str] | None
    timeout: float

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports that were named; that of host:port belongs to the only probe asked for."""
        if len(self.names) == 1 and self.named.plain_port:
            return {**self.named.ports, PROBES[self.names[0]].port: self.named.plain_port}
        return self.named.ports


def ask_of(args: argparse.Namespace) -> Asked:
    """What the arguments ask. Raises CommandError."""
    named = read_target(args.target)
    names = _chosen(args.probes, named.probes)
    credential = _credential(args, named, names)
    if any(PROBES[name].port == "onvif" for name in names):
        from probes.wire import soap_requests

        soap_requests.prepare()  # now, so that the time of the probe is the device's
    if args.seconds is not None:
        played = {**named.options.get("rtsp", {}), "seconds": args.seconds}
        named = replace(named, options={**named.options, "rtsp": played})
    return Asked(named, names, credential, args.allow, args.timeout)


def run(args: argparse.Namespace) -> int:
    """Probe, tell, and say by the exit code whether all is well."""
    asked = ask_of(args)
    if args.json:
        result = asyncio.run(look(asked))
        print(json.dumps(_as_json(asked.named.shown, result), ensure_ascii=False))
    else:
        words = texts(args.lang)
        print(words("command.probe.title", target=asked.named.shown), flush=True)

        def tell(seen: Observation, steps: Sequence[base.Step]) -> None:
            # At once, for a device that does not answer takes its time for each probe.
            print("\n".join(_run_in_words(seen, steps, words)), flush=True)

        result = asyncio.run(look(asked, tell=tell))
        print("\n".join(_verdict_in_words(result, words)))
    return GOOD if result.status is Status.OK else FAULT


@dataclass(frozen=True, slots=True)
class Result:
    """What was seen, and the verdict."""

    observations: tuple[Observation, ...]
    status: Status
    reasons: tuple[Reason, ...]

    @property
    def chain(self) -> Chain:
        """Every link between us and the picture."""
        return chain(self.observations, {reason.cause for reason in self.reasons})


async def look(
    asked: Asked,
    *,
    tap: base.Tap | None = None,
    now: Callable[[], datetime] | None = None,
    explain: bool = True,
    tell: Callable[[Observation, Sequence[base.Step]], None] | None = None,
) -> Result:
    """One round of the probes, each told what those before it learned, and the verdict. ``tap`` hears what passes;
    ``now`` is our time, if it is not the system's. ``explain``: also judge the picture, and look for the first broken
    link of what failed. ``tell`` is given each run when it is over, and its steps. Raises CommandError for networks
    that leave the device out."""
    named, names, credential, timeout = asked.named, asked.names, asked.credential, asked.timeout
    guard = await _guard(named.host, asked.allow)
    ports = asked.ports
    login = _ONE_CREDENTIAL if credential else ""
    target = Target(_ONE_DEVICE, named.host, ports, login, onvif_path=named.onvif_path, tls=named.tls)
    tools = base.Tools(
        guard, Memory(), credential=lambda name: credential if name == _ONE_CREDENTIAL else None, lasting=False
    )
    tools = replace(tools, tap=tap, now=now or tools.now)
    diagnosis = Diagnosis(tools, Places(2))
    known = replace(target, ports={**_USUAL, **ports})
    observations: list[Observation] = []
    learned: dict[str, object] = {}
    async with _Pictures(wanted=explain and not {"snapshot", "key_frame"}.isdisjoint(names)) as pictures:
        tools = replace(tools, pictures=pictures)
        for name in names:
            options = _options(name, named, learned)
            if name == "snapshot" and not options and "onvif" in names:
                if not any(seen.probe == "rtsp" and seen.ok for seen in observations):
                    continue  # the device told no address of a picture, and its stream has none to show
                name = "key_frame"  # noqa: PLW2901 - the fleet's plan does the same
                options = _options(name, named, learned)
            steps: list[base.Step] = []
            seen = await base.observe(
                name, catalog.load(name), target, options, tools, timeout=timeout, caller=base.Caller(steps)
            )
            if _guessed_in_vain(seen, options, ports, observations):
                continue
            if explain:
                seen = await diagnosis.explain(seen, known, ports.get(PROBES[name].port, 0))
            observations.append(seen)
            if tell is not None:
                tell(seen, steps)
            learned |= learn(name, seen.facts)
    status, reasons = judge(observations)
    return Result(tuple(observations), status, reasons)


def _guessed_in_vain(
    seen: Observation, options: Mapping[str, object], ports: Mapping[str, int], before: Sequence[Observation]
) -> bool:
    """Whether a stream was looked for where streams usually are and nothing listens, because the device would not tell
    over ONVIF where it has one: that says nothing of the stream."""
    if seen.failure is None or seen.failure.kind is not FailureKind.REFUSED or PROBES[seen.probe].port != "rtsp":
        return False
    if "rtsp" in ports or "stream_uri" in options:
        return False
    asked = next((one.failure for one in before if one.probe == "onvif"), None)
    return asked is not None and asked.stage not in (Stage.ADDRESS, Stage.CONNECT)


def judge(observations: Sequence[Observation]) -> tuple[Status, tuple[Reason, ...]]:
    """The verdict on one round, by the same rules that judge a fleet, believed at once."""
    device = Device(_ONE_DEVICE, Kind.CAMERA)
    order = [name for name in PROBES if any(seen.probe == name for seen in observations)]
    states: dict[Subject, AspectState] = {}
    internal: list[Reason] = []
    told: list[Reading] = []
    for seen in observations:
        own = verdict.own_aspect(seen.probe)
        readings = verdict.read(seen, {}, _AT_ONCE, device, feeds_reach=seen.probe == order[0])
        if seen.failure is not None and own is not None:
            if seen.failure.kind is FailureKind.INTERNAL:
                internal.append(Reason(own, Cause.INTERNAL, seen.at, seen.failure.detail))
            elif all(reading.good for reading in readings):
                # The fleet's rules leave some failures to another probe; here this one was the question.
                cause = Cause(seen.failure.kind)
                readings = (*readings, Reading(Subject(seen.device, own), seen.at, cause, seen.failure.detail))
        told.extend(readings)
    # What one probe finds bad is not made good by another.
    faults = {reading.subject for reading in told if not reading.good}
    for reading in told:
        if not reading.good or reading.subject not in faults:
            before = states.get(reading.subject) or AspectState(reading.subject)
            states[reading.subject], _ = health.advance(before, reading, _AT_ONCE, reading.at)
    status, _, reasons = health.derive(states.values())
    refused = [seen.failure is not None and seen.failure.kind is FailureKind.REFUSED for seen in observations]
    if refused and all(refused):
        # A refusal is an answer by the host, but nothing of the device answers at all.
        status = Status.DOWN
    if internal and status is Status.OK:
        status = Status.UNKNOWN
    return status, (*reasons, *internal)


def _as_json(shown: str, result: Result) -> dict[str, object]:
    broken = first_broken(result.chain)
    return {
        "target": shown,
        "status": result.status.value,
        "reasons": [{"aspect": reason.aspect.value, "cause": reason.cause.value} for reason in result.reasons],
        "observations": [
            {
                "probe": seen.probe,
                "ok": seen.ok,
                "took": round(seen.took, 4),
                "failure": None
                if seen.failure is None
                else {
                    "kind": seen.failure.kind.value,
                    "stage": seen.failure.stage.value,
                    "detail": seen.failure.detail,
                },
                "facts": dict(seen.facts),
            }
            for seen in result.observations
        ],
        "chain": [
            {"link": seen.link, "state": seen.state, "seconds": seen.seconds, "detail": texts("en").link(seen)}
            for seen in result.chain
        ],
        "broken": broken and broken.link,
    }


def _run_in_words(seen: Observation, steps: Iterable[base.Step], words: Texts) -> Iterable[str]:
    yield f"\n{words(f'command.probe.of.{seen.probe}')}"
    for step in steps:
        yield f"  - {words(f'step.{step.key}', **step.values)}"
    if seen.failure is None:
        yield f"  = {words('command.probe.good', seconds=f'{seen.took:.2f}')}"
    else:
        stage, kind = words.name(seen.failure.stage), words.kind(seen.failure)
        yield f"  ! {words('command.probe.failed', stage=stage, kind=kind, detail=words.failure(seen.failure))}"


def _verdict_in_words(result: Result, words: Texts) -> Iterable[str]:
    yield f"\n{words('command.probe.status', status=words.name(result.status))}"
    failures = [seen.failure for seen in result.observations if seen.failure is not None]
    wanted = any(failure.wants_credential for failure in failures)
    for reason in result.reasons:
        aspect, cause = words.name(reason.aspect), words.name(reason.cause)
        why, todo = words.why(reason.cause), words.next(reason.cause)
        if reason.cause is Cause.AUTH and wanted:
            # Nothing was sent, so nothing was refused.
            cause, why = words("failure.wants_credential"), ""
            todo = words("link_next.failure.auth.not_given")
        yield f"  - {words('command.probe.reason', aspect=aspect, cause=cause, why=why)}".rstrip()
        yield f"    {words('command.probe.next', next=todo)}"
    yield ""
    yield from words.chain(result.chain)


def _options(name: str, named: Named, learned: Mapping[str, object]) -> dict[str, object]:
    """What a probe is asked: always, as another one learned, and as it was written."""
    kind = PROBES[name]
    hint = {kind.told: learned[kind.told]} if kind.told in learned else {}
    written = named.options.get("rtsp" if name == "key_frame" else name, {})
    return {**kind.options, **hint, **written}


def _chosen(text: str | None, default: tuple[str, ...]) -> tuple[str, ...]:
    if text is None:
        return default
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in PROBES]
    if unknown or not names:
        known = ", ".join(PROBES)
        raise CommandError("no_probe" if unknown else "which_probe", names=", ".join(unknown), known=known)
    # ONVIF goes first: it tells the others where to look.
    return tuple(sorted(names, key=list(PROBES).index))


def _credential(args: argparse.Namespace, named: Named, names: Sequence[str]) -> Credential | None:
    user = args.user or named.user
    if args.password_file is not None:
        try:
            password = args.password_file.read_text(encoding="utf-8").split("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            file = f"--password-file {args.password_file}"
            raise CommandError("unreadable", file=file, why=why(error)) from error
    else:
        password = named.password or os.environ.get(PASSWORD_VARIABLE, "")
    if password and not user and names != ("snmp",):  # there it is a community
        raise CommandError("no_login_name")
    return Credential(_ONE_CREDENTIAL, user, password) if user or password else None


async def _guard(host: str, allow: Sequence[str] | None) -> AddressGuard:
    """The guard for this one run. Raises CommandError for a network that is none, or that leaves the device out."""
    if not allow:
        return AddressGuard(await addresses(host))
    for text in allow:
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            raise CommandError("network", option="--allow", given=text, why=error) from error
    guard = AddressGuard(allow)
    found = await addresses(host)
    if found and not any(guard.allows(address) for address in found):
        raise CommandError("not_allowed", host=host, found=", ".join(found), allow=" ".join(allow))
    return guard


async def addresses(host: str) -> list[str]:
    """The addresses of ``host``; none if its name is not known, which the probe itself will tell."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        return await look_up(host, 0)
    except Unresolved:
        return []


class _Pictures:
    """The picture judge's process, for as long as the command runs and only if a picture will be fetched."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted

    async def __aenter__(self) -> base.Pictures | None:
        if not self._wanted:
            return None
        from probes.picture.desk import PictureDesk

        self._desk = PictureDesk()
        await self._desk.start()
        return self._desk

    async def __aexit__(self, *_: object) -> None:
        if self._wanted:
            await self._desk.close()
