"""The command that shows it all in two minutes: demo, the service with a simulated fleet and a script of faults."""

from __future__ import annotations

import argparse
import asyncio
import errno
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import PIPE
from typing import IO, TYPE_CHECKING

from camera_registry.cli.opening import loaded_from
from camera_registry.cli.outcome import CommandError
from camera_registry.cli.serve import serve
from camera_registry.cli.shape import DEFAULT_CONFIG
from camera_registry.cli.values import number, port
from camera_registry.model.people import Role, User
from camera_registry.rules.inventory import files
from camera_registry.service.loop import run
from camera_registry.simulator.script import Script, ScriptError
from camera_registry.store import Transaction, access, intake
from camera_registry.store.passwords import Passwords
from camera_registry.texts import texts

if TYPE_CHECKING:
    from camera_registry.app import App
    from camera_registry.cli.shape import Commands

FOLDER = Path("config/demo")
ACCOUNT = "demo"
_A_YEAR = 525_600
"""Minutes."""
PORTS = {"http": 18080, "rtsp": 18554, "tcp": 18023, "https": 18443, "snmp": 18161}
"""Where the fleet listens if nobody else does: the same in each run, so that the register does not change."""


@dataclass(frozen=True)
class Fleet:
    """A simulated fleet that is being served: its inventory, and the input on which it hears that it may begin."""

    inventory: str
    input: IO[str]

    def begin(self) -> None:
        """Let the script of faults begin now. Raises CommandError."""
        try:
            print(file=self.input, flush=True)
        except OSError as error:
            raise CommandError("no_fleet") from error


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    demo = commands.add_parser("demo", parents=[common])
    demo.add_argument("--devices", metavar="N", type=int, default=200)
    demo.add_argument("--minutes", metavar="M", type=number(0, _A_YEAR))
    demo.add_argument("--port", metavar="PORT", type=port)
    demo.add_argument("--faults", metavar="FILE", type=Path, default=FOLDER / "faults.toml")
    demo.set_defaults(func=_demo)


def _demo(args: argparse.Namespace) -> int:
    loaded = loaded_from(args, FOLDER / "camera_registry.toml" if args.config == DEFAULT_CONFIG else None)
    from camera_registry.service import logs

    logs.set_up(loaded.settings.logs.level, loaded.settings.logs.format)
    words = texts(args.lang)
    web = loaded.settings.web
    if args.port is not None:
        web = web.model_copy(update={"port": args.port})
        loaded = replace(loaded, settings=loaded.settings.model_copy(update={"web": web}))
    if not _is_free(web.port, web.listen):
        raise CommandError("demo_port", port=web.port, other=web.port + 1)
    try:
        first = min((step.at for step in Script.load(args.faults).steps), default=None)
    except ScriptError as error:
        raise CommandError("told", why=error) from error
    with _fleet(args.devices, args.faults, args.lang) as fleet:

        async def started(app: App) -> None:
            await _register(app, fleet.inventory)
            password = await _account(app, args.lang)
            print(words("demo.running", address=app.url, devices=args.devices), flush=True)
            print(words("demo.sign_in", account=ACCOUNT, password=password), flush=True)
            # Counted from here: until now nobody could have looked.
            fleet.begin()
            if first is not None:
                print(words("demo.begins", faults=args.faults, seconds=f"{first:g}"), flush=True)

        return run(lambda: serve(loaded, started, args.minutes))


@contextmanager
def _fleet(devices: int, faults: Path, language: str) -> Iterator[Fleet]:
    """A simulated fleet in a process of its own, which ends with this one however that ends."""
    command = [sys.executable, "-m", "camera_registry", "simulate", "--wait", "--lang", language]
    command += ["--devices", str(devices), "--faults", str(faults)]
    taken = []
    for protocol, wished in PORTS.items():
        free = _is_free(wished, datagrams=protocol == "snmp")
        command += [f"--{protocol}-port", str(wished if free else 0)]
        if not free:
            taken.append(str(wished))
    if taken:
        print(texts(language)("demo.elsewhere", ports=", ".join(taken)), flush=True)
    # Nothing here comes from outside but a number and a path, and no shell reads them.
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as fleet:  # noqa: S603
        assert fleet.stdin is not None
        assert fleet.stdout is not None
        # The fleet closes its standard output after the inventory, and goes on serving until its input ends.
        inventory = fleet.stdout.read()
        if not inventory:
            raise CommandError("no_fleet")
        try:
            yield Fleet(inventory, fleet.stdin)
        finally:
            fleet.stdin.close()


def _is_free(port: int, host: str = "", *, datagrams: bool = False) -> bool:
    """Whether a program may listen there; ``host`` empty: on every address of IPv4, as a fleet does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


async def _register(app: App, inventory: str) -> None:
    """Put the fleet into the register, as an operator would with its file."""
    sheets, networks = files.read(inventory.encode()), app.settings.devices.networks
    looked = await app.store.read(intake.look, sheets, networks)
    if not looked.inventory.sound:
        raise CommandError("other_register", folder=app.settings.storage.directory)
    await app.store.write(lambda tx: intake.take(tx, sheets, networks, looked, app.vault, author=ACCOUNT, at=app.now()))
    await app.follow()


async def _account(app: App, language: str) -> str:
    """An administrator with a password of this run's own, whatever an earlier run left."""
    password = secrets.token_urlsafe(9)
    kept = await asyncio.to_thread(Passwords().hash_now, password)

    def make(tx: Transaction) -> None:
        if access.account(tx, ACCOUNT) is None:
            user = User(ACCOUNT, Role.ADMIN, language)
            access.create_account(tx, user, kept, author=ACCOUNT, at=app.now())
        else:
            access.set_password(tx, ACCOUNT, kept, author=ACCOUNT, at=app.now())

    await app.store.write(make)
    return password
