"""Whatever a device shows as its certificate is read or refused."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from probes.wire import certificate
from tests.certificates import self_signed
from tests.probes.wire.refusal import refusal


@cache
def good() -> bytes:
    with TemporaryDirectory() as folder:
        self_signed(Path(folder), days=3)
        text = (Path(folder) / "camera.pem").read_text(encoding="ascii")
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


def test_names_and_times_are_read():
    read = certificate.read(good())
    assert (read.subject, read.issuer, read.self_signed) == ("CN=camera", "CN=camera", True)
    assert (read.not_after - read.not_before).days == 103
    assert read.not_after.utcoffset() is not None
    assert len(certificate.fingerprint(good())) == 64


def test_a_certificate_larger_than_any_is_not_parsed():
    assert "at most" in refusal(certificate.read, good() + bytes(certificate.LARGEST))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4), st.integers(0, 500))
def test_a_damaged_certificate_is_a_value_or_a_wire_error(damage, length):
    octets = bytearray(good())
    for place, octet in damage:
        octets[place % len(octets)] = octet
    refusal(certificate.read, bytes(octets))
    refusal(certificate.read, bytes(octets[:length]))
