"""`simulate`: serve a fleet of simulated devices on loopback, and print its inventory."""

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

from camera_registry.cli.outcome import GOOD, CommandError
from camera_registry.cli.shape import Commands
from camera_registry.texts import texts


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("simulate", parents=[common])
    parser.add_argument("--devices", metavar="N", type=int, required=True)
    parser.add_argument("--listen", metavar="NETWORK", default="127.0.0.0/8")
    parser.add_argument("--seed", metavar="S", type=int, default=1)
    parser.add_argument("--faults", metavar="FILE", type=Path)
    parser.add_argument("--http-port", metavar="PORT", type=int, default=18080)
    parser.add_argument("--rtsp-port", metavar="PORT", type=int, default=18554)
    parser.add_argument("--tcp-port", metavar="PORT", type=int, default=18023)
    parser.add_argument("--https-port", metavar="PORT", type=int, default=18443)
    parser.add_argument("--snmp-port", metavar="PORT", type=int, default=18161)
    parser.add_argument("--discovery-port", metavar="PORT", type=int, default=3702)
    parser.add_argument("--processes", metavar="P", type=int, default=1)
    parser.add_argument("--until-eof", action="store_true")
    parser.add_argument("--wait", action="store_true")
    parser.set_defaults(func=simulate)


def simulate(args: argparse.Namespace) -> int:
    """Serve until a signal says stop."""
    from camera_registry.simulator.member import Ports
    from camera_registry.simulator.plan import Fleet, PlanError
    from camera_registry.simulator.script import Script, ScriptError
    from camera_registry.simulator.serving import serve
    from camera_registry.simulator.simulation import open_sockets
    from camera_registry.simulator.sockets import ListenError

    asked = {protocol.name: getattr(args, f"{protocol.name}_port") for protocol in fields(Ports)}
    for name, port in asked.items():
        if not 0 <= port <= 65535:
            raise CommandError("port_option", option=f"--{name}-port")
    if not 1 <= args.processes <= 64:
        raise CommandError("processes")
    try:
        fleet = Fleet.plan(args.devices, args.seed, args.listen)
        events = Script.load(args.faults).resolve(fleet) if args.faults else ()
        opened = open_sockets(Ports(**asked), args.processes)
    except (PlanError, ScriptError, ListenError) as error:
        raise CommandError("told", why=error) from error
    print(fleet.inventory_csv(opened[0].ports), end="", flush=True)
    # Whoever reads the inventory through a pipe sees its end, while the fleet goes on.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    until = sys.stdin.fileno() if args.until_eof or args.wait else None
    words = texts(args.lang)

    def tell(text: str) -> None:
        # Beside the inventory; in one write, since several processes may speak at once.
        sys.stderr.write(f"{words('simulate.told', told=text)}\n")
        sys.stderr.flush()

    serve(fleet, events, opened, words, tell, until, discovery=args.discovery_port, waits=args.wait)
    return GOOD
