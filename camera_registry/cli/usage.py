"""What the command line says of arguments that it does not understand, in the reader's language."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

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


def parser_in(language: str) -> type[argparse.ArgumentParser]:
    """A parser, and with it those of its commands, that refuses in a language."""
    words = texts(language)

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            told = message
            for key, pattern in _SAID:
                if found := pattern.fullmatch(message):
                    told = words(f"usage_error.{key}", **found.groupdict())
                    break
            usage = self.format_usage().removeprefix("usage: ")
            self.exit(2, words("usage_error.told", usage=usage, program=self.prog, why=told) + "\n")

    return Parser
