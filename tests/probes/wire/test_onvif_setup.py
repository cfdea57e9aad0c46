"""How a device is set up, read from real answers and from sloppy ones."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from probes.wire import onvif_setup
from probes.wire.soap import Operation, read_answer
from tests.certificates import self_signed
from tests.probes.loopback import recorded


def answer(device: str, operation: Operation) -> etree._Element:
    body = recorded(device, str(operation))[str(operation)]
    assert isinstance(body, bytes)
    return read_answer(200, body, operation)


def test_the_set_up_of_a_real_camera_is_read():
    interfaces = onvif_setup.read_interfaces(answer("agsh_onvif", Operation.NETWORK_INTERFACES))
    assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", str(interfaces["mac"]))
    (interface,) = interfaces["interfaces"]  # type: ignore[misc] # a list, as the next line holds
    assert interface["name"]
    assert interface["addresses"]
    dns = onvif_setup.read_dns(answer("agsh_onvif", Operation.DNS))["dns"]
    assert dns["dhcp"] is False  # type: ignore[index]
    assert len(dns["servers"]) == 2  # type: ignore[index]
    assert onvif_setup.read_ntp(answer("agsh_onvif", Operation.NTP))["ntp"]["servers"]  # type: ignore[index]
    assert onvif_setup.read_hostname(answer("agsh_onvif", Operation.HOSTNAME))["hostname"]
    assert len(onvif_setup.read_video_sources(answer("agsh_onvif", Operation.VIDEO_SOURCES))) == 1


@pytest.mark.parametrize(("device", "brightness"), [("agsh_onvif", 255.0), ("bosch_flexidome_5100i", 128.0)])
def test_the_imaging_settings_of_real_cameras_are_read(device: str, brightness: float):
    told = onvif_setup.read_imaging(answer(device, Operation.IMAGING_SETTINGS))
    assert told["brightness"] == brightness
    assert told["contrast"] == 128.0


@pytest.mark.parametrize(
    ("told", "mac"),
    [
        ("28:57:BE:65:7D:D5", "28:57:be:65:7d:d5"),
        ("28-57-be-65-7d-d5", "28:57:be:65:7d:d5"),
        ("2857be657dd5", "28:57:be:65:7d:d5"),
        (" 2857.be65.7dd5 ", "28:57:be:65:7d:d5"),
        ("00:00:00:00:00:00", None),
        ("28:57:be", None),
        ("unknown", None),
    ],
)
def test_a_hardware_address_is_read_however_it_is_written(told: str, mac: str | None):
    element = etree.fromstring(
        f'<R><NetworkInterfaces Token="e"><Info><HWAddress>{told}</HWAddress></Info></NetworkInterfaces></R>'
    )
    assert onvif_setup.read_interfaces(element).get("mac") == mac


def test_the_hardware_address_is_that_of_the_interface_in_use():
    element = etree.fromstring(
        "<R><NetworkInterfaces><Enabled>false</Enabled><Info><HwAddress>02:00:00:00:00:01</HwAddress></Info>"
        "</NetworkInterfaces><NetworkInterfaces><Enabled>true</Enabled><Info><HwAddress>02:00:00:00:00:02</HwAddress>"
        "</Info><IPv6><Config><Manual><Address>2001:db8::7</Address></Manual></Config></IPv6></NetworkInterfaces></R>"
    )
    told = onvif_setup.read_interfaces(element)
    assert told["mac"] == "02:00:00:00:00:02"
    assert [one["addresses"] for one in told["interfaces"]] == [[], ["2001:db8::7"]]  # type: ignore[attr-defined]


def test_servers_from_dhcp_come_first_where_dhcp_is_in_force():
    element = etree.fromstring(
        "<R><NTPInformation><FromDHCP>1</FromDHCP><NTPManual><DNSname>manual.example</DNSname></NTPManual>"
        "<NTPFromDHCP><IPv4Address>10.0.0.1</IPv4Address></NTPFromDHCP></NTPInformation></R>"
    )
    assert onvif_setup.read_ntp(element) == {"ntp": {"dhcp": True, "servers": ["10.0.0.1", "manual.example"]}}


def test_what_events_could_be_had_is_read_and_nothing_subscribed_to():
    element = etree.fromstring('<R><Capabilities WSPullPointSupport="1" MaxPullPoints="10"/></R>')
    assert onvif_setup.read_events(element) == {"events": {"pull_points": True, "most": 10}}
    assert onvif_setup.read_events(etree.fromstring("<R/>")) == {}


def test_certificates_are_told_by_their_print_and_end(tmp_path: Path):
    self_signed(tmp_path)
    der = load_pem_x509_certificate((tmp_path / "camera.pem").read_bytes()).public_bytes(Encoding.DER)
    element = etree.fromstring(
        f"<R><NvtCertificate><CertificateID>c1</CertificateID><Certificate><Data>\n {b64encode(der).decode()}\n </Data>"
        "</Certificate></NvtCertificate><NvtCertificate><Certificate><Data>bm9uZQ==</Data></Certificate></NvtCertificate>"
        "<NvtCertificate><Certificate><Data>%%%</Data></Certificate></NvtCertificate></R>"
    )
    found = onvif_setup.read_certificates(element)["certificates"]
    assert isinstance(found, list)
    assert found[0]["id"] == "c1"
    assert datetime.fromisoformat(found[0]["not_after"]) > datetime(2020, 1, 1, tzinfo=UTC)
    assert [len(one["fingerprint"]) for one in found] == [64, 64]
    assert "not_after" not in found[1]


def test_a_lens_that_reports_an_error_is_told():
    element = etree.fromstring(
        "<R><Status><FocusStatus20><MoveStatus>UNKNOWN</MoveStatus><Error>motor stuck</Error></FocusStatus20></Status>"
        "</R>"
    )
    assert onvif_setup.read_focus(element) == {"focus_state": "unknown", "focus_error": "motor stuck"}
