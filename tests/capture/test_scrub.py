"""What belongs to a site never stands in a recording, in whatever spelling; what a recording is for stays."""

from __future__ import annotations

import time
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camera_registry.capture.certificates import another
from camera_registry.capture.pseudonyms import Given
from camera_registry.capture.recording import Answer, Asked, Body, Exchange, Port, Recording, Size, write
from camera_registry.capture.redactors import OTHERS, REDACTORS
from camera_registry.capture.scrub import Scrubber
from tests.capture import canary
from tests.capture.canary import ALL, HOST, MAC, PASSWORD, SERIAL, USER, base64, found
from tests.certificates import self_signed

GIVEN = Given(USER, PASSWORD, (HOST, canary.HOSTNAME))


def soap(inside: str, headers: tuple[tuple[str, str], ...] = (), path: str = "/onvif/device_service") -> Exchange:
    body = f"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>{inside}</s:Body></s:Envelope>"
    return Exchange(
        "onvif", "http", Asked("POST", path, "ver10/device/X"), Answer(200, "OK", headers, Body(body.encode()))
    )


def sdp(text: str) -> Exchange:
    return Exchange("rtsp", "rtsp", Asked("DESCRIBE", "/live"), Answer(200, "OK", (), Body(text.encode())))


def scrubbed(*exchanges: Exchange) -> str:
    """The file that these exchanges make."""
    return written(Scrubber(GIVEN, exchanges).scrub(exchanges))


def written(exchanges: tuple[Exchange, ...]) -> str:
    return write(Recording("2026-11-26", "test", "test", ("onvif",), {"onvif": Port(80)}, exchanges))


INFORMATION = soap(
    "<d:GetDeviceInformationResponse><d:Manufacturer>Example</d:Manufacturer><d:Model>EX-200 Dome</d:Model>"
    f"<d:FirmwareVersion>V5.7.13.1</d:FirmwareVersion><d:SerialNumber>EX-200{SERIAL}</d:SerialNumber>"
    f"<d:HardwareId>{SERIAL}</d:HardwareId></d:GetDeviceInformationResponse>"
)
EVERYWHERE = soap(
    f"<n:Info><n:Name>eth0</n:Name><n:HwAddress>{MAC}</n:HwAddress></n:Info><n:Address>{canary.OTHER}</n:Address>"
    f"<n:Address>{canary.IPV6}</n:Address><n:Hostname><n:Name>{canary.HOSTNAME}</n:Name></n:Hostname>"
    f"<p:Profiles token='{canary.NAME}'><p:Name>{canary.NAME}</p:Name></p:Profiles>"
    f"<o:OSD><o:PlainText>{canary.CHINESE}</o:PlainText></o:OSD><o:Anything>{canary.CHINESE}</o:Anything>"
    f"<r:Location>{canary.PLACE}</r:Location><g:GeoLocation lon='{canary.LONGITUDE}' lat='31.8'/>"
    f"<d:ScopeItem>onvif://www.onvif.org/name/{quote(canary.NAME)}</d:ScopeItem>"
    f"<d:ScopeItem>onvif://www.onvif.org/location/{quote(canary.PLACE)}</d:ScopeItem>"
    f"<d:ScopeItem>onvif://www.onvif.org/MAC/{MAC.replace(':', '')}</d:ScopeItem>"
    f"<d:ScopeItem>onvif://www.onvif.org/hardware/EX-200</d:ScopeItem>"
    f"<w:SSID>{canary.SSID}</w:SSID><u:Contact>mailto:{canary.EMAIL}</u:Contact><c:Id>{canary.NATIONAL}</c:Id>"
    f"<c:Owner>{canary.PERSON}</c:Owner><c:Tel>{canary.PHONE}</c:Tel><a:MessageID>urn:uuid:{canary.UUID}</a:MessageID>"
    f"<m:Uri>rtsp://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@{HOST}:554/cam?mac={MAC.replace(':', '-')}"
    "</m:Uri>"
    f"<m:Uri>http://{canary.OTHER}:8080/snap?user={quote(USER)}&amp;pwd={quote(PASSWORD, safe='')}</m:Uri>"
    f"<x:A>{escape(PASSWORD)}</x:A><x:B>{base64(f'{USER}:{PASSWORD}')}</x:B><x:C>{PASSWORD.encode().hex()}</x:C>"
    f"<x:D>{base64('x' + SERIAL)}</x:D><x:E>{MAC.lower().replace(':', '')}</x:E><x:F>{base64(canary.HOSTNAME)}</x:F>"
    f"<x:G>{''.join(f'&#{ord(letter)};' for letter in SERIAL)}</x:G>",
    (
        ("www-authenticate", f'Digest realm="Login to {SERIAL}", nonce="{base64(MAC)}"'),
        ("set-cookie", f"session={USER}"),
        ("x-serial", SERIAL),
        ("location", f"https://{canary.HOSTNAME}/login"),
    ),
    f"/onvif/{quote(canary.NAME)}/{SERIAL.lower()}",
)
DESCRIPTION = sdp(
    f"v=0\r\no={USER} 1 1 IN IP4 {HOST}\r\ns={canary.NAME}\r\ni={canary.CHINESE}\r\ne={canary.EMAIL}\r\n"
    f"p=+86 {canary.PHONE}\r\na=x-qt-text-nam:{canary.PLACE}\r\nm=video 0 RTP/AVP 96\r\n"
    f"a=control:rtsp://{HOST}:554/{SERIAL}/trackID=1\r\na=rtpmap:96 H264/90000\r\n"
)


@pytest.mark.parametrize("value", ALL)
def test_nothing_of_the_site_is_in_the_file_in_any_spelling(value: str):
    assert not found(value, scrubbed(INFORMATION, EVERYWHERE, DESCRIPTION))


def test_what_is_looked_for_would_be_found():
    """Else the test above would prove nothing."""
    raw = written((INFORMATION, EVERYWHERE, DESCRIPTION))
    assert not [value for value in ALL if not found(value, raw)]


def test_maker_model_and_firmware_stay():
    text = scrubbed(INFORMATION, EVERYWHERE, DESCRIPTION)
    assert "<d:Manufacturer>Example<" in text
    assert "<d:Model>EX-200 Dome<" in text
    assert "<d:FirmwareVersion>V5.7.13.1<" in text
    assert "hardware/EX-200<" in text
    assert "a=rtpmap:96 H264/90000" in text


def test_one_value_has_one_pseudonym_throughout_a_file():
    one = soap(f"<d:HwAddress>{MAC}</d:HwAddress><d:SerialNumber>{SERIAL}</d:SerialNumber>", path=f"/{SERIAL}/x")
    text = scrubbed(one, soap(f"<d:Other>{MAC.lower().replace(':', '-')}</d:Other><d:Serial>{SERIAL}</d:Serial>"))
    assert text.count("serial-1") == 3
    assert "02:00:00:00:00:01" in text
    assert "<d:Other>02-00-00-00-00-01<" in text, "a MAC is written as the device wrote it"


def test_two_values_have_two_pseudonyms():
    text = scrubbed(soap("<d:SerialNumber>QX-1111</d:SerialNumber><d:HardwareId>QX-2222</d:HardwareId>"))
    assert "serial-1" in text
    assert "serial-2" in text


def test_an_everyday_user_name_does_not_tear_protocols_apart():
    exchange = soap("<d:Username>onvif</d:Username><d:XAddr>http://10.1.1.1/onvif/admin</d:XAddr>")
    scrubber = Scrubber(Given("onvif", "canary-password", ("10.1.1.1",)), [exchange])
    answer = scrubber.scrub([exchange])[0].answer
    assert answer is not None
    assert b"<d:Username>user-1</d:Username><d:XAddr>http://192.0.2.1/onvif/admin</d:XAddr>" in answer.body.content


def test_a_name_in_an_address_is_replaced_alike_where_it_is_told_and_where_it_is_asked_for():
    told = soap(f"<d:Uri>rtsp://{HOST}:554/{canary.CHINESE}/main?x={canary.CHINESE}</d:Uri>")
    asked = Exchange("rtsp", "rtsp", Asked("DESCRIBE", f"/{quote(canary.CHINESE)}/main?x={quote(canary.CHINESE)}"))
    text = scrubbed(told, asked)
    assert "rtsp://192.0.2.1:554/name-1/main?x=name-1<" in text
    assert '"path": "/name-1/main?x=name-1"' in text


@pytest.mark.parametrize("name", ["canarygate", "北门", "gate-7", "Gate_North"])
def test_a_name_of_one_short_word_is_found_where_else_it_stands(name: str):
    told = soap(f"<d:Profiles token='{name}'><d:Name>{name}</d:Name></d:Profiles>", path=f"/{quote(name)}/x")
    assert not found(name, scrubbed(told, soap(f"<d:Uri>rtsp://{HOST}/{name}/main</d:Uri>")))


@pytest.mark.parametrize("name", ["H264", "Profile_1", "main", "101"])
def test_a_name_of_everyday_words_is_replaced_where_it_is_a_name_and_nowhere_else(name: str):
    text = scrubbed(soap(f"<d:Name>{name}</d:Name><d:Encoding>{name}</d:Encoding>"))
    assert f"<d:Name>name-1</d:Name><d:Encoding>{name}</d:Encoding>" in text


def test_headers_that_are_not_known_to_be_harmless_are_left_out():
    text = scrubbed(EVERYWHERE)
    assert "set-cookie" not in text
    assert "x-serial" not in text


def test_a_realm_is_replaced_whole_whatever_quotes_it_holds():
    challenge = f'Digest realm="gate \\"canary hall\\" {SERIAL}", nonce="{base64(MAC)}", qop="auth"'
    text = scrubbed(soap("<d:X/>", (("www-authenticate", challenge),)))
    assert "canary hall" not in text
    assert r"realm=\"realm-1\", nonce=" in text


def test_masks_and_the_names_of_standards_stay():
    text = scrubbed(
        soap(
            "<a xmlns:t='http://vendor.example/ver10'>255.255.255.0</a><b>0.0.0.0</b><c>127.0.0.1</c>"
            "<d:Namespace>http://www.vendor.example/ver20/x</d:Namespace><e>2.4.1.1.9</e>"
        )
    )
    for kept in ("255.255.255.0", "0.0.0.0", "127.0.0.1", "vendor.example/ver10", "vendor.example/ver20", "2.4.1.1.9"):
        assert kept in text


def test_text_in_gbk_is_scrubbed_and_stays_gbk():
    body = f"<s:Envelope><d:Model>网络摄像机</d:Model><d:Name>{canary.CHINESE}</d:Name></s:Envelope>".encode("gb18030")
    exchange = Exchange("onvif", "http", Asked("POST", "/"), Answer(200, "OK", (), Body(body)))
    answer = Scrubber(GIVEN, [exchange]).scrub([exchange])[0].answer
    assert answer is not None
    assert answer.body.content.decode("gb18030") == (
        "<s:Envelope><d:Model>网络摄像机</d:Model><d:Name>name-1</d:Name></s:Envelope>"
    )


def test_pages_and_unknown_bodies_are_left_out_and_pictures_are_drawn_anew(jpeg: bytes):
    bodies = {"page": f"<html><title>{canary.NAME}</title></html>".encode(), "binary": b"\x00\x01" + SERIAL.encode()}
    answers = [Answer(200, "OK", (), Body(body)) for body in (*bodies.values(), jpeg)]
    exchanges = [Exchange("http", "http", Asked("GET", f"/{place}"), answer) for place, answer in enumerate(answers)]
    page, binary, picture = (one.answer.body for one in Scrubber(GIVEN, exchanges).scrub(exchanges) if one.answer)
    assert page.content == b"<html><body>A page stood here.</body></html>"
    assert (binary.content, binary.omitted) == (b"", len(bodies["binary"]))
    assert (picture.content, picture.picture) == (b"", Size(320, 240))
    kept = Scrubber(GIVEN, exchanges, media=True).scrub(exchanges)[2].answer
    assert kept is not None
    assert kept.body.content == jpeg, "unless somebody asks for it"


@pytest.fixture
def jpeg() -> bytes:
    import cv2
    import numpy as np

    return bytes(cv2.imencode(".jpg", np.full((240, 320, 3), 99, np.uint8))[1].tobytes())


def test_a_certificate_becomes_another_of_the_same_life(tmp_path):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    self_signed(tmp_path, "canary-certificate")
    given = x509.load_pem_x509_certificate((tmp_path / "canary-certificate.pem").read_bytes())
    made = another(given.public_bytes(Encoding.DER))
    assert made is not None
    new = x509.load_der_x509_certificate(made)
    assert new.not_valid_after_utc == given.not_valid_after_utc
    assert "canary" not in new.subject.rfc4514_string()
    text = scrubbed(soap(f"<d:Data>{canary.b64encode(given.public_bytes(Encoding.DER)).decode()}</d:Data>"))
    assert not found("canary-certificate", text)


def test_every_redactor_has_words_in_both_languages():
    from camera_registry.texts import texts

    for name in [*(redactor.name for redactor in REDACTORS), *OTHERS]:
        assert {texts(lang)(f"command.capture.of.{name}") for lang in ("zh", "en")} != {f"command.capture.of.{name}"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.binary(max_size=200))
@example("<", b"")
def test_whatever_a_device_sends_the_file_is_made_and_holds_no_secret(text: str, raw: bytes):
    exchanges = (
        soap(f"<d:SerialNumber>{text}{SERIAL}</d:SerialNumber>{text}<d:Name>{text}", (("server", text),), f"/{text}"),
        Exchange("onvif", "http", Asked("GET", "/"), Answer(200, "OK", (), Body(b"<Envelope>" + raw))),
        Exchange("onvif", "http", Asked("GET", "/"), None, raw + SERIAL.encode()),
        sdp(f"v=0\r\ns={text}\r\no={text} {SERIAL}\r\n"),
    )
    assert SERIAL not in scrubbed(INFORMATION, *exchanges)


@pytest.mark.parametrize(
    "hostile",
    [
        "A" * 300_000,
        " " * 300_000,
        "<d:Name>" + " " * 200_000,
        "<d:Name>x</d:Name>" * 5_000,
        "".join(f"<d:SerialNumber>{number:012d}-x</d:SerialNumber>" for number in range(1_000)),
        "a@" * 100_000,
        "1.2.3.4" * 50_000,
        "::" * 100_000,
        "<d:token token='" * 20_000,
    ],
    ids=lambda text: text[:20].strip() or "blanks",
)
def test_no_answer_keeps_the_scrubber_busy_for_long(hostile: str):
    begun = time.process_time()
    scrubbed(INFORMATION, soap(hostile))
    assert time.process_time() - begun < 20
