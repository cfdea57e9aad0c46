"""Tests that a text which promises what is not there is found out."""

from __future__ import annotations

import pytest

from tests.tools import load

TARGETS = {"demo", "test"}
COMMANDS = {"probe", "check-config"}


ERRORS = """
class StoreError(TellableError):
    section = "store_error"
class Full(StoreError): ...
raise StoreError("no_copy", file=source)
raise Full("no_copy")
raise Full("the disk is full")
raise StoreError(f"{source} is gone")
raise StoreError("no_copy" if source else "none", file=source)
raise ValueError("whatever")
"""


def test_an_error_that_people_read_is_a_key_with_the_values_of_its_text():
    tool = load("texts")
    found = tool.errors_in(ERRORS, {"store_error": {"no_copy": "{file}: gone"}}, tool.sections_in([ERRORS]))
    not_a_key = "takes a key of [store_error] in the texts, not a message"
    assert list(found) == [
        (6, "Full 'no_copy' lacks file"),
        (7, f"Full {not_a_key}"),
        (8, f"StoreError {not_a_key}"),
        (9, f"StoreError {not_a_key}"),
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("See [design](DESIGN.md) and [the rest](missing.md#part).", [(1, "missing.md does not exist")]),
        ("[Elsewhere](https://example.org/a) and [here](#start) are not looked up.", []),
        ("First:\n\n    make demo\n    make dmeo\n", [(4, "`make dmeo` does not exist")]),
        (
            "Call `camera-registry check-config`, not `camera-registry checkconfig`.",
            [(1, "`camera-registry checkconfig` does not exist")],
        ),
        ("```sh\nmake test && camera-registry prob x\n```\n", [(1, "`camera-registry prob` does not exist")]),
        ("We make sense, and camera-registry makes reports.", []),
    ],
)
def test_links_and_commands_that_do_not_hold_are_found(tmp_path, text, faults):
    (tmp_path / "DESIGN.md").touch()
    assert list(load("texts").faults_in(tmp_path / "README.md", text, TARGETS, COMMANDS)) == faults
