"""What probes tell people has a text in both languages, with the values they give."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import probes
from camera_registry.texts import LANGUAGES, texts


def told() -> Iterator[tuple[str, set[str]]]:
    """Every ``context.step("key", value=...)`` in the sources of the probes."""
    for file in Path(probes.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"):
                continue
            key, values = node.args[0], {str(keyword.arg) for keyword in node.keywords}
            if isinstance(key, ast.Constant):
                yield str(key.value), values
            else:
                assert ast.unparse(key) == "f'onvif.{name}'", "the one place where a key is put together"
                yield from (("onvif.stream_uri", values), ("onvif.snapshot_uri", values))


def test_every_step_has_a_text_in_every_language_with_its_values():
    for language in LANGUAGES:
        entries = texts(language).entries
        for key, values in told():
            wanted = {name for _, name, _, _ in string.Formatter().parse(entries[f"step.{key}"]) if name}
            assert wanted <= values, (language, key)


def test_no_text_of_a_step_is_left_over():
    written = {key.removeprefix("step.") for key in texts("en").entries if key.startswith("step.")}
    assert written == {key for key, _ in told()}
