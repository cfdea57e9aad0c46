"""Answers that are like an earlier one in all but their texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probes.wire.onvif import information_in, read_information
from probes.wire.onvif_clock import clock_in
from probes.wire.refusal import Refusal
from probes.wire.soap import Operation, SoapError, read_answer

ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'


def clock(hour: str, minute: str = "30", zone: str = "CST-8", extra: str = "") -> bytes:
    told = (
        f"<GetSystemDateAndTimeResponse><SystemDateAndTime><DateTimeType>NTP</DateTimeType><TimeZone><TZ>{zone}</TZ>"
        f"</TimeZone>{extra}<UTCDateTime><Time><Hour>{hour}</Hour><Minute>{minute}</Minute><Second>7</Second></Time>"
        "<Date><Year>2026</Year><Month>11</Month><Day>27</Day></Date></UTCDateTime></SystemDateAndTime>"
        "</GetSystemDateAndTimeResponse>"
    )
    return ENVELOPE.format(told).encode()


def identity(model: str, serial: str) -> bytes:
    told = (
        f"<GetDeviceInformationResponse><Manufacturer>Maker</Manufacturer><Model>{model}</Model>"
        f"<SerialNumber>{serial}</SerialNumber></GetDeviceInformationResponse>"
    )
    return ENVELOPE.format(told).encode()


def told(body: bytes) -> datetime | None:
    read = clock_in(200, body)
    return read.moment if read is not None else None


def test_each_minute_tells_its_own_time() -> None:
    for hour in range(24):
        assert told(clock(str(hour))) == datetime(2026, 11, 27, hour, 30, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        ("", None),  # an empty text is no place of a number
        ("x", None),
        ("99", None),
        ("<!-- 1 -->6", 6),
        ("1<!-- -->2", 12),
        ("<![CDATA[6]]>", 6),
        ("&#54;", 6),
        (" 6\n", 6),
        ("٦", None),
    ],
)
def test_an_hour_that_is_written_otherwise_is_read_as_it_always_was(hour: str, expected: int | None) -> None:
    for _ in range(2):
        assert told(clock("5")) == datetime(2026, 11, 27, 5, 30, 7, tzinfo=UTC)
        moment = told(clock(hour))
        assert moment == (None if expected is None else datetime(2026, 11, 27, expected, 30, 7, tzinfo=UTC))


def test_two_devices_of_one_model_keep_their_serials_and_odd_ones_theirs() -> None:
    for serial in ("A-1", "A-2", "海康 7", "<i>5</i>", "1 &amp; 2", "A\u200b9"):
        found = information_in(200, identity("M", serial))
        assert found.model == "M"
        assert found.serial == {"<i>5</i>": "", "1 &amp; 2": "1 & 2", "A\u200b9": "A 9"}.get(serial, serial)


def test_an_answer_in_sixteen_bits_is_read_in_full_however_it_is_broken() -> None:
    whole = identity("M", "1").decode().encode("utf-16")
    broken = whole.replace(b"<\x00M\x00", b"> <\x00M\x00", 1)
    for body in (whole, broken, whole):
        expected = read_information(read_answer(200, body, Operation.INFORMATION))
        assert information_in(200, body) == expected


def test_what_was_a_good_answer_is_a_refusal_by_its_status() -> None:
    good = identity("M", "1")
    assert information_in(200, good).serial == "1"
    with pytest.raises(SoapError) as refused:
        information_in(401, good)
    assert refused.value.refusal is Refusal.AUTH


@pytest.mark.parametrize("declared", ["<!DOCTYPE x>", '<!DOCTYPE x [<!ENTITY e "9">]>', "<!\nENTITY e>"])
def test_a_document_type_is_refused_every_time(declared: str) -> None:
    assert told(clock("5")) is not None
    for hour in ("5", "6"):
        with pytest.raises(SoapError, match="document type"):
            clock_in(200, declared.encode() + clock(hour))


def test_a_fault_with_numbers_in_it_is_a_fault_every_time() -> None:
    for number in ("1", "2"):
        with pytest.raises(SoapError, match=f"fault, HTTP 200: {number}"):
            clock_in(200, ENVELOPE.format(f"<s:Fault><faultstring>{number}</faultstring></s:Fault>").encode())


def test_an_answer_that_tells_another_operation_is_not_the_time() -> None:
    for serial in ("1", "2"):
        with pytest.raises(SoapError):
            clock_in(200, identity("M", serial))
