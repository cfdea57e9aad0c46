"""What the register takes over from a device."""

from dataclasses import replace

from camera_registry.model.device import Device, Kind, TlsUse
from camera_registry.rules.adoption import adopt

CAMERA = Device("cam-7", Kind.CAMERA, tls=TlsUse.PIN)
FACTS = {"certificate": {"fingerprint": "ab" * 32, "subject": "CN=camera"}}


def test_the_first_certificate_seen_is_the_one_that_the_device_is_held_to() -> None:
    adopted = adopt(CAMERA, FACTS)
    assert adopted is not None
    assert adopted.certificate == "ab" * 32
    assert adopt(adopted, {"certificate": {"fingerprint": "cd" * 32}}) is None


def test_no_certificate_is_adopted_where_any_will_do() -> None:
    assert adopt(replace(CAMERA, tls=TlsUse.ANY), FACTS) is None
