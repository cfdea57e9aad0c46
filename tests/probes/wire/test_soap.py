"""ONVIF answers in every condition that devices send them in, and requests that are as the schema wants them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from probes.wire import onvif, onvif_clock, soap, soap_requests
from probes.wire.refusal import Refusal
from probes.wire.soap import Operation, SoapError, read_answer
from tests.probes.loopback import DEVICES, fault, recorded
from tests.probes.wire.refusal import refusal

INFORMATION = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://www.onvif.org/ver10/device/wsdl">'
    "<e:Body><d:GetDeviceInformationResponse><d:Manufacturer>Hik &amp; Co</d:Manufacturer><d:Model>M1</d:Model>"
    "<d:FirmwareVersion>V1</d:FirmwareVersion><d:SerialNumber>S1</d:SerialNumber><d:HardwareId>H</d:HardwareId>"
    "</d:GetDeviceInformationResponse></e:Body></e:Envelope>"
)


def information(raw: bytes, status: int = 200) -> onvif.Information:
    return onvif.read_information(read_answer(status, raw, Operation.INFORMATION))


@pytest.mark.parametrize(
    "raw",
    [
        INFORMATION.encode(),
        b"\r\n\xef\xbb\xbf" + INFORMATION.encode(),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + INFORMATION.encode(),
        b"<?xml version=\xe2\x80\x9d1.0\xe2\x80\x9d ?>" + INFORMATION.encode(),
        INFORMATION.encode() + b"\x00\x00",
        INFORMATION.replace("&amp;", "&").replace("Hik & Co", "Hik &amp; Co").encode(),
        INFORMATION.replace("2003/05", "2001/12").encode(),
        INFORMATION.replace(' xmlns:d="http://www.onvif.org/ver10/device/wsdl"', "").encode(),
        INFORMATION.replace("d:", "tds:").replace("xmlns:tds", "xmlns:tds").encode(),
        INFORMATION.replace("GetDeviceInformationResponse", "getDeviceInformationResponse").encode(),
        INFORMATION.replace("<d:Model>", "<d:Extra><d:Model>no</d:Model></d:Extra><d:Model>").encode(),
        INFORMATION.replace("</d:GetDeviceInformationResponse></e:Body></e:Envelope>", "").encode(),
        INFORMATION.encode("utf-16"),
        INFORMATION.replace("Hik &amp; Co", "Hik &amp; Co\x0b\x00").encode(),
    ],
)
def test_an_answer_is_read_in_whatever_condition_it_comes(raw: bytes):
    told = information(raw)
    assert (told.manufacturer, told.model, told.serial) == ("Hik & Co", "M1", "S1")


@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "海康威视"), ("gbk", "海康威视"), ("latin-1", "Müller ñ")])
def test_names_in_any_bytes_are_read(encoding: str, name: str):
    assert information(INFORMATION.replace("M1", name).encode(encoding)).model == name


def test_text_that_could_break_a_log_or_a_page_is_cleaned_at_entry():
    told = information(INFORMATION.replace("S1", "a\nb&#13;\u202ec\x7f" + "x" * 500).encode())
    assert told.serial.startswith("a b c x") or told.serial.startswith("a b c")
    assert told.serial.isprintable()
    assert len(told.serial) <= 256


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (400, fault("NotAuthorized", "Sender not Authorized"), Refusal.AUTH),
        (200, fault("NotAuthorized", ""), Refusal.AUTH),
        (500, fault("FailedAuthentication", "x"), Refusal.AUTH),
        (400, fault("InvalidArgVal", "Authentication failed"), Refusal.AUTH),
        (401, b"<html><h1>401</h1></html>", Refusal.AUTH),
        (401, b"", Refusal.AUTH),
        (403, b"", Refusal.AUTH),
        (400, fault("ActionNotSupported", "Optional Action Not Implemented"), Refusal.NOT_SUPPORTED),
        (500, fault("Whatever", "Action not supported"), Refusal.NOT_SUPPORTED),
        (404, b"<html>404</html>", Refusal.NOT_SUPPORTED),
        (503, b"", Refusal.BUSY),
        (500, fault("Action", "internal error"), Refusal.PROTOCOL),
        (200, b"<html>It works</html>", Refusal.PROTOCOL),
        (200, b"", Refusal.PROTOCOL),
        (200, b"plain text", Refusal.PROTOCOL),
        (302, b"", Refusal.PROTOCOL),
    ],
)
def test_a_refusal_is_understood_by_code_text_and_status(status: int, body: bytes, refusal: Refusal):
    with pytest.raises(SoapError) as caught:
        read_answer(status, body, Operation.INFORMATION)
    assert caught.value.refusal is refusal
    assert str(caught.value).isprintable()


def test_a_soap_11_fault_is_understood():
    body = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        b"<faultstring>Sender not Authorized</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    with pytest.raises(SoapError, match="Sender not Authorized"):
        read_answer(500, body, Operation.TIME)


def test_the_malformed_fault_of_a_real_device_is_a_protocol_failure():
    body = recorded("quirks/malformed_fault", "GetProfiles")["GetProfiles"]
    assert isinstance(body, bytes)
    with pytest.raises(SoapError) as caught:
        read_answer(500, body, Operation.TIME)
    assert caught.value.refusal is Refusal.PROTOCOL
    assert "fault reason" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!doctype a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_document_types_and_entities_are_refused_unread(declared: str, encoding: str):
    with pytest.raises(SoapError, match="document type"):
        read_answer(200, (declared + INFORMATION).encode(encoding), Operation.INFORMATION)


def read_everything(status: int, body: bytes) -> None:
    element = read_answer(status, body, Operation.INFORMATION)
    for read in (onvif.read_information, onvif.read_profiles, onvif.read_services, onvif.read_uri):
        read(element)


@given(st.binary(max_size=300), st.integers(100, 599))
def test_any_bytes_give_an_answer_or_a_declared_error(body: bytes, status: int):
    for data in (body, INFORMATION[:200].encode() + body, b"<GetDeviceInformationResponse>" + body):
        assert refusal(read_everything, status, data).isprintable()


@pytest.mark.parametrize("device", ["agsh_onvif", "bosch_flexidome_5100i"])
def test_the_clock_of_real_devices_is_read(device: str):
    body = recorded(device, "GetSystemDateAndTime")["GetSystemDateAndTime"]
    assert isinstance(body, bytes)
    moment = onvif_clock.read_time(read_answer(200, body, Operation.TIME))
    expected = {
        "agsh_onvif": datetime(2014, 12, 24, 19, 14, 37, tzinfo=UTC),
        "bosch_flexidome_5100i": datetime(2023, 5, 24, 21, 25, 5, tzinfo=UTC),
    }
    assert moment == expected[device]


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("CST-8", (2024, 1, 1, 8, 0, 0), datetime(2024, 1, 1, 0, 0, 0, tzinfo=UTC)),
        ("GMT+5:30", (2024, 1, 1, 8, 0, 0), datetime(2024, 1, 1, 13, 30, 0, tzinfo=UTC)),
        ("nonsense", (2024, 1, 1, 8, 0, 0), datetime(2024, 1, 1, 8, 0, 0, tzinfo=UTC)),
        ("UTC0", (2024, 12, 31, 23, 59, 60), datetime(2025, 1, 1, 0, 0, 0, tzinfo=UTC)),
        ("UTC0", (2024, 2, 31, 1, 1, 1), None),
        ("UTC0", (2024, 1, 1, 99, 1, 1), None),
        ("UTC-14", (9999, 12, 31, 24, 59, 59), None),
    ],
)
def test_a_clock_without_utc_is_read_from_its_zone(zone: str, local: tuple[int, ...], expected: datetime | None):
    year, month, day, hour, minute, second = local
    answer = etree.fromstring(
        f"<R><TimeZone><TZ>{zone}</TZ></TimeZone><LocalDateTime><Time><Hour>{hour}</Hour><Minute>{minute}</Minute>"
        f"<Second>{second}</Second></Time><Date><Year>{year}</Year><Month>{month}</Month><Day>{day}</Day></Date>"
        "</LocalDateTime></R>"
    )
    assert onvif_clock.read_time(answer) == expected


def test_profiles_of_the_second_media_service_are_read():
    answer = etree.fromstring(
        '<R xmlns:t="x"><Profiles token="p1"><t:Name>main</t:Name><Configurations><VideoEncoder>'
        "<Encoding>h265</Encoding>"
        "<Resolution><Width>3840</Width><Height>2160</Height></Resolution><RateControl><FrameRateLimit>12.5</FrameRateLimit>"
        "</RateControl></VideoEncoder></Configurations></Profiles></R>"
    )
    (profile,) = onvif.read_profiles(answer)
    assert (profile.token, profile.encoding, profile.width, profile.frame_rate) == ("p1", "H265", 3840, 12.5)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("rtsp://10.0.0.1/a?b=1", onvif.Address("rtsp", "10.0.0.1", None, "/a?b=1")),
        ("rtsp://user:p@ss:word@10.0.0.1:8554/a", onvif.Address("rtsp", "10.0.0.1", 8554, "/a")),
        ("http://10.0.0.1:80:80/x", onvif.Address("http", "10.0.0.1", 80, "/x")),
        ("HTTP://[2001:DB8::1]:8080", onvif.Address("http", "2001:db8::1", 8080, "/")),
        ("http://h/snap?user=admin&pwd=x&channel=1", onvif.Address("http", "h", None, "/snap?channel=1")),
        ("rtsp://h/\u202e路\x01", onvif.Address("rtsp", "h", None, "/%E2%80%AE%E8%B7%AF%01")),
        ("http://h:99999/", onvif.Address("http", "h", None, "/")),
        ("", None),
        ("/only/a/path", None),
    ],
)
def test_addresses_that_devices_tell_are_taken_apart(uri: str, expected: onvif.Address | None):
    assert onvif.read_address(uri) == expected


@given(st.text(max_size=60))
def test_any_address_is_read_or_is_none(uri: str):
    for text in (uri, "rtsp://" + uri, "http://h/" + uri):
        address = onvif.read_address(text)
        if address is not None:
            assert address.port is None or 0 < address.port < 65536
            assert (address.scheme + address.host + address.path).isprintable()
            assert address.path.isascii()


@pytest.mark.parametrize("old", [False, True], ids=["SOAP 1.2", "SOAP 1.1"])
@pytest.mark.parametrize(("namespace", "operation"), sorted(soap_requests.ALLOWED))
def test_every_request_is_well_formed_and_asks_what_it_should(namespace: str, operation: Operation, old: bool):
    header = soap.security_header("a<b>&", "p", datetime(2024, 1, 1, tzinfo=UTC), b"n")
    request = soap_requests.request(namespace, operation)
    tokens = ['to<k>"en', r"\1 & 通道", "@token@"]
    envelope = etree.fromstring(request.write(header, tokens, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), old=old))
    soap_namespace = etree.QName(envelope).namespace
    assert (
        soap_namespace
        == f"http://{'schemas.xmlsoap.org/soap/envelope/' if old else 'www.w3.org/2003/05/soap-envelope'}"
    )
    names = [etree.QName(element).localname for element in envelope]
    assert names == ["Header", "Body"]
    asked = etree.QName(envelope[1][0])
    # DeviceIO takes over this one from Media, element and all (ONVIF DeviceIO, section 5.1.1).
    borrowed = (namespace, operation) == (soap.DEVICE_IO, Operation.VIDEO_SOURCES)
    assert asked.text == f"{{{soap.MEDIA if borrowed else namespace}}}{operation}"
    named = [element.text for element in envelope[1].iter() if re.search("Tokens?$", str(element.tag))]
    assert named in ([], tokens)
    assert [element.text for element in envelope.iter() if str(element.tag).endswith("}Time")] in (
        [],
        ["2026-01-02T03:04:05Z"],
    )
    assert str(operation) in dict(request.headers(old=old))["SOAPAction" if old else "Content-Type"]


def test_nothing_but_what_is_on_the_list_can_be_written():
    assert all(operation.value.startswith("Get") for operation in Operation)
    assert {operation for _, operation in soap_requests.ALLOWED} == set(Operation), "each is asked somewhere"
    with pytest.raises(KeyError):
        soap_requests.request(soap.DEVICE, "SystemReboot")  # type: ignore[arg-type] # that is the point
    with pytest.raises(KeyError):
        soap_requests.request(soap.SEARCH, "FindRecordings")  # type: ignore[arg-type] # that is the point
    with pytest.raises(KeyError):
        soap_requests.request(soap.MEDIA, Operation.RECORDINGS)
    with pytest.raises(KeyError):
        soap_requests.request("http://www.onvif.org/ver20/ptz/wsdl", Operation.IMAGING_STATUS)


def test_the_security_header_holds_a_digest_of_password_nonce_and_time():
    written = soap.security_header(
        "admin", "secret", datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC), b"0123456789abcdef"
    )
    text = written.decode()
    values = {name: re.search(rf"<ws\w+:{name}(?: [^>]*)?>([^<]*)<", text) for name in ("Password", "Nonce", "Created")}
    password, nonce, created = (found[1] for found in values.values() if found)
    assert created == "2024-05-06T07:08:09.123Z"
    assert b64decode(nonce) == b"0123456789abcdef"
    assert b64decode(password) == hashlib.sha1(b"0123456789abcdef" + created.encode() + b"secret").digest()
    assert "secret" not in text


def in_a_process_of_its_own(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=DEVICES.parent.parent
    )
    assert done.returncode == 0, done.stderr


def test_a_process_that_never_speaks_onvif_never_loads_zeep_nor_the_onvif_package():
    in_a_process_of_its_own(
        "import sys, probes.onvif, probes.rtsp, probes.snapshot\n"
        "assert 'zeep' not in sys.modules and 'onvif' not in sys.modules\n"
        "from probes.wire import soap_requests; soap_requests.prepare()\n"
        "assert 'zeep' in sys.modules and 'onvif' not in sys.modules\n"
    )


def test_a_service_has_its_requests_written_elsewhere_and_they_are_the_same():
    in_a_process_of_its_own(
        "import asyncio, sys; from probes import soap_writer; from probes.wire import soap, soap_requests\n"
        "asyncio.run(soap_writer.write(soap.DEVICE, lasting=True))\n"
        "assert 'zeep' not in sys.modules\n"
        "elsewhere = {one: soap_requests.request(*one) for one in soap_requests.ALLOWED}\n"
        "soap_requests._written.clear(); soap_requests.prepare()\n"
        "assert elsewhere == {one: soap_requests.request(*one) for one in soap_requests.ALLOWED}\n"
    )


def test_where_no_process_can_be_begun_the_service_writes_its_requests_itself():
    in_a_process_of_its_own(
        "import asyncio, sys; from probes import soap_writer; from probes.wire import soap, soap_requests\n"
        "sys.executable = '/nowhere'\n"
        "asyncio.run(soap_writer.write(soap.DEVICE, lasting=True))\n"
        "assert soap_requests.request(soap.DEVICE, soap.Operation.TIME).action.endswith('GetSystemDateAndTime')\n"
    )


def test_requests_that_are_not_on_the_list_are_not_taken_over():
    with pytest.raises(ValueError, match="other requests"):
        soap_requests.take_over({soap.DEVICE: {"GetSystemDateAndTime": ("a", "b", "c")}})
