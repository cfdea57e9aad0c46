"""Reads the command line and runs the command that it names."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from camera_registry import __version__
from camera_registry.cli import (
    administration,
    capture,
    database,
    demo,
    discover,
    doctor,
    inventory,
    judge,
    probe,
    replay,
    reports,
    serve,
    simulate,
    streams,
    usage,
    windows,
)
from camera_registry.cli.outcome import GOOD, INTERRUPTED, MISUSE, CommandError
from camera_registry.cli.shape import DEFAULT_CONFIG, CommandModule
from camera_registry.texts import Texts, texts

MODULES: tuple[CommandModule, ...] = (
    serve,
    demo,
    doctor,
    inventory,
    discover,
    probe,
    capture,
    judge,
    replay,
    reports,
    database,
    administration,
    windows,
    simulate,
)

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What writing fails with where there is no room, or the place is broken."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code: 0 good, 1 a fault was found, 2 usage or configuration error."""
    streams.settle()
    language = _asked_language(argv)
    try:
        try:
            args = parser(language).parse_args(argv)
            return cast("Callable[[argparse.Namespace], int]", args.func)(args)
        finally:
            sys.stdout.flush()
    except CommandError as error:
        print(f"camera-registry: {error.told(texts(language))}", file=sys.stderr)
        return MISUSE
    except KeyboardInterrupt:
        print(f"camera-registry: {texts(language)('command_error.stopped')}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has had enough.
        streams.drop()
        return GOOD
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        streams.drop()
        print(f"camera-registry: {texts(language)('command_error.no_output', why=error.strerror)}", file=sys.stderr)
        return MISUSE


def parser(language: str = "en") -> argparse.ArgumentParser:
    """Build the parser with every command in it; what it says is told in ``language``."""
    words = texts(language)
    top = usage.parser_in(language)(
        prog="camera-registry",
        description=words("help.about"),
        parents=[_global_options(words, config=DEFAULT_CONFIG, json=False, lang=_language(os.environ))],
    )
    top.add_argument("--version", action="version", version=f"camera-registry {__version__}")
    # The same options again for every command, without defaults: what stands before the command is kept
    # unless it is said again after it.
    common = _global_options(words, config=argparse.SUPPRESS, json=argparse.SUPPRESS, lang=argparse.SUPPRESS)
    commands = top.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for module in MODULES:
        module.add(commands, common)
    return top


def _global_options(words: Texts, *, config: Path | str, json: bool | str, lang: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    group = options.add_argument_group(words("usage.global"))
    group.add_argument("--config", metavar="FILE", type=Path, default=config)
    group.add_argument("--json", action="store_true", default=json)
    group.add_argument("--lang", choices=("zh", "en"), default=lang)
    return options


def _asked_language(argv: Sequence[str] | None) -> str:
    """The language of the command line, which may be refused before it is read whole."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--lang", default=_language(os.environ))
    try:
        return str(early.parse_known_args(argv)[0].lang)
    except argparse.ArgumentError:
        return _language(os.environ)


def _language(environ: Mapping[str, str]) -> str:
    """Take the language from the locale, by the order of precedence that POSIX gives its variables."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
