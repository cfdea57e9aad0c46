"""The command that runs the service, and the one that reads its settings: serve, check-config."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from camera_registry.cli.opening import loaded_from
from camera_registry.cli.outcome import GOOD, MISUSE, CommandError
from camera_registry.cli.shape import Commands
from camera_registry.service.loop import run
from camera_registry.settings import Loaded, Settings, SettingsError, load, too_wide
from camera_registry.store import ClaimLost, StoreError, access
from camera_registry.texts import Texts, texts

if TYPE_CHECKING:
    from camera_registry.app import App


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the commands."""
    serve = commands.add_parser("serve", parents=[common])
    serve.add_argument("--role", choices=("all", "core", "poller"), default="all")
    serve.set_defaults(func=_serve)
    check = commands.add_parser("check-config", parents=[common])
    check.set_defaults(func=_check)


async def serve(
    loaded: Loaded, started: Callable[[App], Awaitable[None]], minutes: float | None = None, *, polls: bool = True
) -> int:
    """Run the service until SIGINT or SIGTERM, or for so many minutes; SIGHUP reloads the settings.

    ``started`` is called once it can be asked. Without ``polls`` it waits for pollers. Raises CommandError when it
    can't start.
    """
    # Imported here, because the commands that only read a file need none of it.
    from camera_registry.app import running
    from camera_registry.service import garbage
    from camera_registry.service.systemd import Supervisor
    from camera_registry.service.wire.gate import GateError

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(loaded, polls=polls) as app:
            reloads: set[asyncio.Task[object]] = set()

            def reload() -> None:
                task: asyncio.Task[object] = loop.create_task(app.reload())
                reloads.add(task)
                task.add_done_callback(reloads.discard)

            loop.add_signal_handler(signal.SIGHUP, reload)
            await started(app)
            supervisor = Supervisor()
            supervisor.tell("READY=1")
            aside = [
                loop.create_task(garbage.keep_house(), name="garbage"),
                loop.create_task(supervisor.watch(app.pulse, polls=polls), name="systemd"),
            ]
            stopped = loop.create_task(stop.wait())
            timeout = None if minutes is None else minutes * 60
            await asyncio.wait({stopped, app.main}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            supervisor.tell("STOPPING=1")
            for task in aside:
                task.cancel()
            if app.main.done():
                app.main.result()
    except ExceptionGroup as group:
        lost = group.subgroup(ClaimLost)
        if lost is None:
            raise
        raise CommandError("told", why=lost.exceptions[0]) from group
    except (StoreError, GateError) as error:
        raise CommandError("told", why=error) from error
    except OSError as error:
        web = loaded.settings.web
        raise CommandError("port_taken", listen=web.listen, port=web.port, why=error.strerror or error) from error
    return GOOD


def _serve(args: argparse.Namespace) -> int:
    loaded = loaded_from(args)
    from camera_registry.service import logs

    logs.set_up(loaded.settings.logs.level, loaded.settings.logs.format)
    words = texts(args.lang)

    async def started(app: App) -> None:
        await _greet(app, words)

    if args.role == "poller":
        return run(lambda: _attend(loaded, words))
    return run(lambda: serve(loaded, started, polls=args.role == "all"))


async def _attend(loaded: Loaded, words: Texts) -> int:
    """Poll for the service of the same data directory until SIGINT or SIGTERM."""
    from camera_registry.service.systemd import Supervisor
    from camera_registry.service.wire.child import attend
    from camera_registry.service.wire.gate import SOCKET

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    path = loaded.settings.storage.directory / SOCKET
    print(words("serve_role.poller", socket=path), flush=True)
    Supervisor().tell("READY=1")
    work, stopped = loop.create_task(attend(path)), loop.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopped):
        task.cancel()
    await asyncio.wait({work, stopped})
    if not work.cancelled():
        work.result()
    return GOOD


async def _greet(app: App, words: Texts) -> None:
    """Tell where the service is, and on the first start how the first person gets in."""
    print(words("serve.listening", address=app.url), flush=True)
    token = await app.store.write(access.make_setup_token, app.now())
    if token is not None:
        print(words("serve.set_up", address=f"{app.url}/setup", token=token), flush=True)
    if not app.settings.devices.networks:
        print(words("serve.no_networks"), file=sys.stderr, flush=True)


def _check(args: argparse.Namespace) -> int:
    words = texts(args.lang)
    if not args.json:
        doubts = _doubts(loaded_from(args).settings, words)
        print("\n".join(f"{args.config}: {doubt}" for doubt in doubts) or words("check.good", path=args.config))
        return GOOD
    try:
        doubts = _doubts(load(args.config).settings, words)
    except SettingsError as error:
        problems = [words.wrong(problem) for problem in error.problems]
        print(json.dumps({"path": error.place, "problems": problems, "warnings": []}, ensure_ascii=False))
        return MISUSE
    print(json.dumps({"path": str(args.config), "problems": [], "warnings": doubts}, ensure_ascii=False))
    return GOOD


def _doubts(settings: Settings, words: Texts) -> list[str]:
    """What may well be meant otherwise than it is written."""
    networks = settings.devices.networks
    doubts = [] if networks else [words("check.no_networks")]
    if wide := too_wide(networks):
        doubts.append(words("check.wide_networks", networks=", ".join(wide)))
    return doubts
