"""Tests that a text which promises what is not there is found out."""

from __future__ import annotations

import pytest

from tests.tools import load

TARGETS = {"demo", "test"}
COMMANDS = {"probe", "check-config"}


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
