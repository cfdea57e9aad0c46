"""Faults of devices and of the lines to them: one cause is one notice, and what is no fault is none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.faults.scenario import Finding, Scenario, Size
from bench.faults.stage import SEED, Pace, Running, Stage, grown, pace_of, stage, until
from camera_registry.model.device import Device, Kind
from camera_registry.simulator.faults import Fault

FLAPPING = 3
"""Devices that are up and down."""
SWITCH = "sw-00001"
"""The first switch of any fleet."""
_PATIENT = Pace(interval=6.0, timeout=5.5, hold=8.0)
"""Life where all of a small fleet is asked all there is to ask at once, on a machine that is busy with other things. A
fault is held longer than it takes to ask everybody once, as it is in life."""


async def flapping(size: Size, folder: Path) -> list[Finding]:
    """Some devices are up and down by turns, as often as they are asked, so many times as polls fit into an hour."""
    pace = Pace(0.5, 0.2, 0.2, 0.3) if size.devices < 500 else Pace(2.0)
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        await set_up.well(running)
        chosen = set_up.random.sample(set_up.leaves, FLAPPING)
        set_up.simulation.faults.set(chosen, Fault.FLAPPING, period=2 * pace.interval)
        await asyncio.sleep(size.rounds * pace.interval)
        set_up.simulation.faults.clear_all()
        await set_up.well(running)
        await until(lambda: not set_up.owed and not set_up.count("incident", "ended IS NULL"))
        told = [
            set_up.rows(
                "SELECT occasion FROM notice JOIN incident ON incident.id = notice.incident"
                " WHERE about = ? AND notice.state = 'delivered' ORDER BY notice.id",
                device,
            )
            for device in chosen
        ]
        flips = set_up.count("flip", "after = 'flapping'")
    most = max(told, key=len)
    return [
        Finding(
            f"{FLAPPING} devices up/down at every poll for {size.rounds} polls",
            "<= 1 problem + 1 flapping start + 1 end + <= 1 final each",
            f"{max(map(len, told))} notices at most ({', '.join(word for (word,) in most)}),"
            f" {flips} of {FLAPPING} known to flap",
            flips >= FLAPPING and all(0 < len(one) <= 4 for one in told),
        )
    ]


async def lost_poll(size: Size, folder: Path) -> list[Finding]:
    """One half of the fleet, then the other, does not answer for exactly as long as it takes to be asked once. Switches
    do: they are asked more often when something behind them is lost."""
    # No quick re-try: whatever is asked in its time is asked once.
    pace = Pace(interval=3.0, timeout=0.5, retry=3.0, hold=0.3)
    async with stage(folder, size.devices, pace) as set_up, set_up.service() as running:
        await set_up.well(running)
        before = await running.metrics()
        for half in (set_up.leaves[::2], set_up.leaves[1::2]):
            set_up.silence(half)
            await asyncio.sleep(pace.interval)
            set_up.wake()
            await asyncio.sleep(2 * pace.interval)
        failed = grown(before, await running.metrics(), "camera_registry_polls_total tcp timeout")
        notices, incidents = set_up.count("notice"), set_up.count("incident")
        down = set_up.count("flip", "after = 'down'")
    return [
        Finding(
            f"one lost poll on {size.devices} devices",
            "0 notices",
            f"{failed} polls failed, {down} flips to down, {incidents} incidents, {notices} notices",
            failed >= 0.8 * size.devices and not notices and not incidents,
        )
    ]


async def switch(size: Size, folder: Path) -> list[Finding]:
    """A switch dies with so many cameras behind it, in random order, and comes back."""

    def behind_one(devices: dict[str, Device]) -> dict[str, Device]:
        units = [id for id, device in devices.items() if device.kind is not Kind.NETWORK][: size.rounds]
        return devices | {id: replace(devices[id], parent=SWITCH, parent_port="") for id in units}

    pace = replace(pace_of(size.devices), hold=2.0)
    async with stage(folder, size.devices, pace, shape=behind_one) as set_up, set_up.service() as running:
        await set_up.well(running)
        affected = [SWITCH, *_beneath(set_up, SWITCH)]
        await _in_random_order(affected, set_up.silence)
        await until(lambda: running.are(down=len(affected)))
        await until(lambda: set_up.opened and not set_up.owed)
        await asyncio.sleep(3 * pace.hold)
        opened, messages = len(set_up.opened), len(set_up.receiver.got)
        roots = set_up.count("incident", "parent IS NULL")
        downs = set_up.count("flip", "after = 'down'")
        await _in_random_order(affected, set_up.wake)
        await set_up.well(running)
        await until(lambda: set_up.resolved >= set_up.opened and not set_up.owed)
        await asyncio.sleep(3 * pace.hold)
        again = set_up.count("flip", "after = 'down'") - downs
        after = len(set_up.receiver.got) - messages
    return [
        Finding(
            f"a switch with {len(affected) - 1} devices dies, order random",
            "1 notice; on return no false down",
            f"{roots} incident, {opened} told in {messages} message; on return {after} message, {again} flips to down",
            opened == messages == roots == after == 1 and not again,
        )
    ]


def _beneath(set_up: Stage, parent: str) -> list[str]:
    found = [parent]
    for one in found:  # grows while it is read
        found += [id for id, device in set_up.register.devices.items() if device.parent == one]
    return found[1:]


async def _in_random_order(devices: Sequence[str], change: object) -> None:
    """Let it happen to all of them within a second, in parts."""
    order = list(devices)
    random.Random(SEED).shuffle(order)  # noqa: S311 - a test must repeat
    part = max(1, len(order) // 10)
    for first in range(0, len(order), part):
        assert callable(change)
        change(order[first : first + part])
        await asyncio.sleep(0.1)


async def uplink(size: Size, folder: Path) -> list[Finding]:
    """The line of the poller itself is cut: nobody answers any more, and then everybody does. Then once more, while the
    service is not running."""
    # A fault is held longer than it takes to ask everybody once, as it is in life: by then it is known who is blind.
    pace = replace(pace_of(size.devices), hold=3.0)
    async with stage(folder, size.devices, pace) as set_up:
        async with set_up.service() as running:
            await set_up.well(running)
            set_up.silence(set_up.devices)
            cut = await _blind(set_up, running, size, pace, "own uplink lost")
            await running.stop()
        set_up.silence(set_up.devices)
        # Long enough for all that was known to be stale.
        await asyncio.sleep(3 * pace.interval)
        async with set_up.service() as running:
            return [cut, await _blind(set_up, running, size, pace, "a start without the uplink")]


async def _blind(set_up: Stage, running: Running, size: Size, pace: Pace, inject: str) -> Finding:
    told, known = len(set_up.receiver.told), set_up.count("incident")
    await until(lambda: len(set_up.receiver.told) > told and not set_up.owed)
    await asyncio.sleep(size.seconds + 4 * pace.interval)
    shown = await running.statuses()
    set_up.wake()
    await set_up.well(running)
    await until(lambda: set_up.resolved >= set_up.opened and not set_up.owed)
    await asyncio.sleep(3 * pace.hold + 2)
    scopes = dict(set_up.rows("SELECT scope, count(*) FROM incident WHERE id > ? GROUP BY scope", known))
    messages = [occasion for _, occasion in set_up.receiver.told[told:]]
    again = len(set_up.receiver.keys) - len(set(set_up.receiver.keys))
    return Finding(
        f"{inject}, {size.devices} devices",
        "1 blind notice, 0 incidents of devices, no recovery storm",
        f"incidents by scope: {scopes}; told: {messages}, {again} by a key that was there; meanwhile shown: {shown}",
        scopes == {"poller": 1} and messages == ["opened", "resolved"] and not shown.get("down", 0),
    )


async def passwords(size: Size, folder: Path) -> list[Finding]:
    """Somebody changes the password of every camera; the quiet time after a refusal outlasts the test."""
    pace = _PATIENT if size.devices < 500 else Pace(20.0, timeout=2.5)
    async with stage(folder, size.devices, pace, probes=("onvif",)) as set_up, set_up.service() as running:
        await set_up.well(running)
        cameras = [id for id, device in set_up.register.devices.items() if "onvif" in device.probes]
        messages, told = len(set_up.receiver.got), len(set_up.receiver.told)
        set_up.simulation.faults.set(cameras, Fault.WRONG_PASSWORD)
        await until(lambda: running.are(degraded=len(cameras)))
        before = await running.metrics()
        await until(lambda: running.polled(before, 2 * len(cameras)))
        await until(lambda: not set_up.owed)
        tried = [set_up.simulation.counts(camera).failed_authentications for camera in cameras]
        opened = [id for id, occasion in set_up.receiver.told[told:] if occasion == "opened"]
        messages = len(set_up.receiver.got) - messages
        covered = set_up.rows(
            "SELECT count(*) FROM (SELECT device FROM incident_device UNION SELECT about FROM incident"
            " WHERE scope = 'device')"
        )[0][0]
    return [
        Finding(
            f"wrong password on {len(cameras)} cameras",
            "<= 2 attempts each per window, one grouped notice",
            f"{max(tried)} attempts at most ({sum(tried)} in all, over 3 rounds of polls); {len(opened)}"
            f" incidents told in {messages} messages, of {covered} cameras",
            max(tried) <= 2 and messages <= 2 and covered == len(cameras),
        )
    ]


async def clocks_of_cameras(size: Size, folder: Path) -> list[Finding]:
    """The clocks of all cameras are a day ahead, then a day behind."""
    pace = _PATIENT if size.devices < 500 else Pace(20.0, timeout=2.5)
    async with stage(folder, size.devices, pace, probes=("onvif",)) as set_up, set_up.service() as running:
        await set_up.well(running)
        cameras = [id for id, device in set_up.register.devices.items() if "onvif" in device.probes]
        (before,) = set_up.rows("SELECT coalesce(max(id), 0) FROM flip")
        for seconds in (86_400.0, -86_400.0):
            set_up.simulation.faults.set(cameras, Fault.CLOCK_DRIFT, seconds=seconds)
            await until(lambda: running.are(degraded=len(cameras)))
            await until(partial(running.polled, await running.metrics(), len(cameras)))
        counted = "SELECT cause, count(DISTINCT device) FROM flip WHERE after = 'down' AND id > ? GROUP BY cause"
        causes = dict(set_up.rows(counted, *before))
        refused = sum(set_up.simulation.counts(camera).failed_authentications for camera in cameras)
        shown = await running.statuses()
    return [
        Finding(
            f"the clocks of {len(cameras)} cameras off by a day",
            "ONVIF authentication still works, `clock_drift`, not down",
            f"causes by devices: {causes}; {refused} refused authentications; shown: {shown}",
            causes == {"clock_drift": len(cameras)} and not refused and not shown.get("down", 0),
        )
    ]


SCENARIOS = (
    Scenario("flapping", flapping, Size(20, rounds=16), Size(1000, rounds=60)),
    Scenario("lost_poll", lost_poll, Size(60), Size(1000)),
    Scenario("switch", switch, Size(120, rounds=60), Size(1000, rounds=300)),
    Scenario("uplink", uplink, Size(200), Size(1000, seconds=30.0)),
    Scenario("passwords", passwords, Size(40), Size(1000)),
    Scenario("clocks_of_cameras", clocks_of_cameras, Size(40), Size(1000)),
)
