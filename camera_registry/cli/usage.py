"""What the command line says: its help, which stands in the texts by command and argument, and what it does not
understand, in the reader's language."""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from camera_registry.texts import texts

_SAID: Sequence[tuple[str, re.Pattern[str]]] = [
    ("required", re.compile(r"the following arguments are required: (?P<names>.+)", re.DOTALL)),
    ("choice", re.compile(r"argument (?P<name>.+?): invalid choice: (?P<given>.+) \(choose from (?P<known>.+)\)")),
    ("value", re.compile(r"argument (?P<name>.+?): invalid (?P<type>\w+) value: (?P<given>.+)")),
    ("expected_one", re.compile(r"argument (?P<name>.+?): expected one argument")),
    ("expected_some", re.compile(r"argument (?P<name>.+?): expected at least one argument")),
    ("unrecognized", re.compile(r"unrecognized arguments: (?P<given>.+)", re.DOTALL)),
    ("not_with", re.compile(r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)")),
    ("one_of", re.compile(r"one of the arguments (?P<names>.+) is required")),
    ("option.time", re.compile(r"argument (?P<name>.+?): (?P<given>.+) is no time", re.DOTALL)),
    (
        "option.number",
        re.compile(
            r"argument (?P<name>.+?): (?P<given>.+) is no number from (?P<least>\S+) to (?P<most>\S+)", re.DOTALL
        ),
    ),
    ("ambiguous", re.compile(r"ambiguous option: (?P<given>.+) could match (?P<known>.+)")),
]
"""What argparse and ``values`` say, which have no other words than these; whatever is said besides is passed on as it
is."""

LINE, ABOUT = "line", "about"
"""Keys beside those of a command's arguments: what it does in a line, and, where there is more to say, in sentences."""


_PIECE = re.compile(r"\s+|[!-~]+|.")
"""What stays together in a line: words of Latin letters; a Chinese text may be broken behind any character."""


def keys_of(parser: argparse.ArgumentParser, name: str) -> tuple[str, str]:
    """Where the text of a command's argument stands (``help.probe.target``), or else one that several have in common.
    The name of an argument is that of its value; a dash in the name of a command is a line in the key's."""
    return f"{_place(parser.prog)}.{name}", f"help.shared.{name}"


def _place(prog: str) -> str:
    """Where the texts of a command stand: after the name of the program come its own words."""
    return ".".join(["help", *prog.replace("-", "_").split()[1:]])


class _Formatter(argparse.HelpFormatter):
    """Breaks lines by the room that characters take: a Chinese one takes two places."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return list(_wrapped(text, width))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in _wrapped(text, width - len(indent)))


def room_of(text: str) -> int:
    """How many places a text takes in a terminal."""
    return sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, with columns as wide as what stands in them."""
    widths = [max(map(room_of, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell + " " * (width - room_of(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()


def _wrapped(text: str, width: int) -> Iterator[str]:
    line, room = "", width
    for piece in _PIECE.findall(text):
        takes = room_of(piece)
        # A mark that ends a phrase stays behind it, even where that is one place too much.
        if takes > room and not piece.isspace() and line.strip() and piece not in "，。；：、）”":
            yield line.rstrip()
            line, room = "", width
        if line or not piece.isspace():
            line, room = line + piece, room - takes
    if line.strip():
        yield line.rstrip()


def parser_in(language: str) -> type[argparse.ArgumentParser]:
    """A parser, and with it those of its commands, that helps and refuses in a language."""
    words = texts(language)
    known = words.entries

    class Verbs(argparse._SubParsersAction):  # type: ignore[type-arg]  # noqa: SLF001 - argparse has no public name for it
        def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
            place = _place(f"{self._prog_prefix} {name}")
            line, about = known.get(f"{place}.{LINE}"), known.get(f"{place}.{ABOUT}")
            made = super().add_parser(name, help=line, description=about or line, **options)
            assert isinstance(made, argparse.ArgumentParser)
            return made

    class Parser(argparse.ArgumentParser):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{"formatter_class": _Formatter, **options})
            self.register("action", "parsers", Verbs)
            self._positionals.title, self._optionals.title = words("usage.arguments"), words("usage.options")

        def format_help(self) -> str:
            for action in self._actions:
                action.help = next((known[key] for key in keys_of(self, action.dest) if key in known), None)
            if self._subparsers is not None:
                self._subparsers.title = words("usage.commands")
            return super().format_help().replace("usage: ", words("usage.usage"), 1)

        def error(self, message: str) -> NoReturn:
            told = message
            for key, pattern in _SAID:
                if found := pattern.fullmatch(message):
                    told = words(f"usage_error.{key}", **found.groupdict())
                    break
            usage = self.format_usage().removeprefix("usage: ")
            self.exit(2, words("usage_error.told", usage=usage, program=self.prog, why=told) + "\n")

    return Parser
