"""WS-Discovery: what is asked is valid, and whatever answers is read or refused, never believed blindly."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probes.wire import WireError, wsdiscovery
from probes.wire.wsdiscovery import MATCH_LIMIT, Match, mac_text, read_matches, read_scopes, write_probe

W = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
D = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"

# The answer of an encoder of 2014, from the npm package onvif 0.8.1 (MIT, Copyright (c) 2018 Andrew Laptev).
ENCODER = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:wsdd="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><SOAP-ENV:Header>
<wsa:MessageID>urn:uuid:01234567-dead-beef-baad-abcdeffedcba</wsa:MessageID><wsa:RelatesTo>urn:uuid:asked</wsa:RelatesTo>
<wsa:To SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>
<wsa:Action SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action>
<wsdd:AppSequence MessageNumber="161" InstanceId="0"></wsdd:AppSequence></SOAP-ENV:Header><SOAP-ENV:Body>
<wsdd:ProbeMatches><wsdd:ProbeMatch><wsa:EndpointReference>
<wsa:Address>uuid:C9790c3a-701b-464d-a189-0060351c8ada</wsa:Address></wsa:EndpointReference>
<wsdd:Types>dn:NetworkVideoTransmitter tds:Device</wsdd:Types>
<wsdd:Scopes>onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/type/ptz
 onvif://www.onvif.org/hardware/HD_PREDATOR onvif://www.onvif.org/name/PREDATOR%20HD
 onvif://www.onvif.org/MAC/00-60-35-1C-8A-DA onvif://www.onvif.org/location/</wsdd:Scopes>
<wsdd:XAddrs>http://10.20.0.7:8000/onvif/device_service http://[fe80::1]/onvif/device_service</wsdd:XAddrs>
<wsdd:MetadataVersion>1</wsdd:MetadataVersion></wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"""


@pytest.mark.parametrize("types", wsdiscovery.TYPES)
def test_a_probe_is_what_the_specification_asks_for(types: str) -> None:
    root = ET.fromstring(write_probe("urn:uuid:a&b", types))
    assert root.findtext(f".//{W}MessageID") == "urn:uuid:a&b"
    assert root.findtext(f".//{W}To") == "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
    assert root.findtext(f".//{W}Action") == "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe"
    assert root.findtext(f".//{D}Probe/{D}Types") == types


def test_an_answer_says_whom_it_answers_what_the_unit_is_and_where_it_thinks_it_is() -> None:
    relates, (match,) = read_matches(ENCODER)
    assert relates == "urn:uuid:asked"
    assert match.endpoint == "c9790c3a-701b-464d-a189-0060351c8ada"
    assert (match.name, match.hardware, match.mac) == ("PREDATOR HD", "HD_PREDATOR", "00:60:35:1c:8a:da")
    assert [(one.host, one.port, one.path) for one in match.addresses] == [
        ("10.20.0.7", 8000, "/onvif/device_service"),
        ("fe80::1", None, "/onvif/device_service"),
    ]


@pytest.mark.parametrize(
    "sloppy",
    [
        ENCODER.replace(b"wsdd:", b"x:"),  # a prefix that was never declared
        b"\r\n\xef\xbb\xbf" + ENCODER + b"\x00\x00",
        ENCODER.replace(b"</SOAP-ENV:Envelope>", b""),
        ENCODER.replace(b"2003/05/soap-envelope", b"soap/envelope/"),
        ENCODER.replace(b"UTF-8", b"GB2312").replace(b"PREDATOR%20HD", "枪机".encode("gb2312")),
    ],
)
def test_sloppy_answers_are_read_all_the_same(sloppy: bytes) -> None:
    _, (match,) = read_matches(sloppy)
    assert match.hardware == "HD_PREDATOR"
    assert match.addresses


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"not xml at all",
        b"<html><body>404</body></html>",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + ENCODER,
        b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l "l"><!ENTITY m "&l;&l;&l;">]><l>&m;</l>',
        b"\xff\xfe" + "<!DOCTYPE a>".encode("utf-16-le"),
        ENCODER.replace(b"ProbeMatches", b"Hello"),
        b"<a>" * 20_000,
    ],
)
def test_what_is_no_answer_is_refused(hostile: bytes) -> None:
    with pytest.raises(WireError):
        read_matches(hostile)


def test_ten_thousand_matches_in_one_answer_are_read_as_a_few() -> None:
    one = ENCODER[ENCODER.index(b"<wsdd:ProbeMatch>") : ENCODER.index(b"</wsdd:ProbeMatches>")]
    _, matches = read_matches(ENCODER.replace(one, one * 10_000))
    assert len(matches) == MATCH_LIMIT


def test_scopes_and_addresses_without_end_are_cut_off() -> None:
    long = b"onvif://www.onvif.org/name/" + b"x" * 5000
    endless = ENCODER.replace(b"onvif://www.onvif.org/name/PREDATOR%20HD", b" ".join([long] * 500))
    endless = endless.replace(b"http://10.20.0.7", b"http://10.20.0.7/ " * 3000 + b"http://10.20.0.7")
    _, (match,) = read_matches(endless)
    assert len(match.name) <= 256
    assert len(match.addresses) <= wsdiscovery.ADDRESS_LIMIT


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("onvif://www.onvif.org/name/%E6%9E%AA%E6%9C%BA", {"name": "枪机"}),
        ("ONVIF://www.onvif.org/Name/East%20gate", {"name": "East gate"}),
        ("onvif://www.onvif.org/macaddr/e0500c112233", {"mac": "e0:50:0c:11:22:33"}),
        ("onvif://www.onvif.org/serial/4C0301", {"serial": "4C0301"}),
        ("onvif://www.onvif.org/mac/000000000000", {}),
        ("onvif://www.onvif.org/name/", {}),
        ("onvif://www.onvif.org/name/a%0d%0ab%00", {"name": "a b"}),
        ("http://example.org/hardware/<img>", {"hardware": "<img>"}),
        ("name/x", {}),
    ],
)
def test_scopes_tell_what_makers_put_into_them(scope: str, expected: dict[str, str]) -> None:
    assert read_scopes([scope]) == expected


@pytest.mark.parametrize(
    ("told", "mac"),
    [("4C-BD-8F-01-02-03", "4c:bd:8f:01:02:03"), ("ff:ff:ff:ff:ff:ff", ""), ("00:00:00:00:00:00", ""), ("12", "")],
)
def test_a_mac_that_is_nobodys_own_is_none(told: str, mac: str) -> None:
    assert mac_text(told) == mac


@given(
    st.binary(max_size=600)
    | st.builds(lambda at, junk: ENCODER[:at] + junk + ENCODER[at:], st.integers(0, 1900), st.binary(max_size=40))
)
@example(ENCODER)
@settings(max_examples=2000, deadline=None)
def test_any_bytes_give_values_or_a_wire_error(data: bytes) -> None:
    try:
        relates, matches = read_matches(data)
    except WireError:
        return
    assert isinstance(relates, str)
    assert all(isinstance(match, Match) for match in matches)
