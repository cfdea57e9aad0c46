"""Text from devices, safe for logs, labels and pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire.text import clean, decode


@given(st.text(st.characters(), max_size=300), st.integers(1, 40))
def test_any_text_becomes_one_printable_line_that_can_be_encoded(value: str, limit: int):
    cleaned = clean(value, limit)
    assert cleaned.isprintable()
    assert len(cleaned) <= limit
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("DS-2CD2143G0-I", "DS-2CD2143G0-I"),
        ("北京路 3号", "北京路 3号"),
        ("a\r\nb", "a b"),
        ("\u202eevil", "evil"),
        ("x\ud800y", "x\ufffdy"),
        ("\ufeffserial\x00\x00", "serial"),
    ],
)
def test_honest_text_stays_and_tricks_go(value: str, expected: str):
    assert clean(value) == expected


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "摄像机"), ("gbk", "摄像机"), ("latin-1", "Caméra ñ")])
def test_bytes_are_read_in_the_encodings_that_devices_use(encoding: str, text: str):
    assert decode(text.encode(encoding)) == text
