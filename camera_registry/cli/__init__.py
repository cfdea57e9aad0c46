"""Reads the command line and runs the command that it names."""

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from camera_registry import __version__
from camera_registry.cli import streams, usage
from camera_registry.cli.outcome import GOOD, INTERRUPTED, MISUSE, CommandError
from camera_registry.cli.shape import DEFAULT_CONFIG, CommandModule
from camera_registry.texts import Texts, texts

MODULES: Mapping[str, Sequence[str]] = {
    "serve": ("serve", "check-config"),
    "demo": ("demo",),
    "doctor": ("doctor",),
    "inventory": ("import", "export"),
    "discover": ("discover",),
    "probe": ("probe",),
    "capture": ("capture",),
    "judge": ("judge",),
    "replay": ("replay",),
    "reports": ("report",),
    "database": ("init", "migrate", "backup", "restore"),
    "administration": ("user", "token", "credential", "audit"),
    "windows": ("windows",),
    "simulate": ("simulate",),
}
"""The modules of this package that add commands, in the order of the help, and which. A command is looked up here: to
import them all takes a second and a half, and what ``simulate`` needs a tenth of that."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What writing fails with where there is no room, or the place is broken."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code: 0 good, 1 a fault was found, 2 usage or configuration error."""
    streams.settle()
    language = _asked_language(argv)
    try:
        try:
            args = parser(language, _asked_command(argv)).parse_args(argv)
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


def modules(command: str | None = None) -> list[CommandModule]:
    """The module that adds this command; all where none does."""
    names = [name for name, commands in MODULES.items() if command in commands] or MODULES
    return [cast("CommandModule", importlib.import_module(f"{__name__}.{name}")) for name in names]


def parser(language: str = "en", command: str | None = None) -> argparse.ArgumentParser:
    """Build the parser with every command in it, or with those of one command's module alone; what it says is told in
    ``language``."""
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
    for module in modules(command):
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


def _asked_command(argv: Sequence[str] | None) -> str | None:
    """The first word of the command line that is no global option: the command, if it is one."""
    words = iter(sys.argv[1:] if argv is None else argv)
    for word in words:
        if word in ("--config", "--lang"):
            next(words, None)
        elif word != "--json" and not word.startswith(("--config=", "--lang=")):
            return word
    return None


def _language(environ: Mapping[str, str]) -> str:
    """Take the language from the locale, by the order of precedence that POSIX gives its variables."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
