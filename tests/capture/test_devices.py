"""Every recording in tests/devices, played through the real probes: what the device was found to be, it still is.

A device is added by putting its recording there; `make golden` writes anew what all of them expect.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from camera_registry.capture.recording import Malformed, read, write
from camera_registry.cli import playback
from probes.wire import soap_requests

DEVICES = Path(__file__).resolve().parent.parent / "devices"
RECORDINGS = sorted(DEVICES.rglob("*.json"))


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    soap_requests.prepare()


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: str(file.relative_to(DEVICES).with_suffix("")))
def test_a_recorded_device_is_found_to_be_what_it_was(file: Path, request: pytest.FixtureRequest):
    recording = read(file)
    found = playback.expectation(asyncio.run(playback.play_back(recording)))
    if request.config.getoption("--rewrite-golden"):
        file.write_text(write(replace(recording, expect=found)), encoding="utf-8")
    else:
        assert not list(playback.told_otherwise(recording.expect, found))


def test_a_recording_is_read_as_it_was_written():
    for file in RECORDINGS:
        assert write(read(file)) == file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "made": ""}'])
def test_what_is_no_recording_is_refused_with_its_name(tmp_path: Path, text: str):
    file = tmp_path / "camera.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match=r"camera\.json"):
        read(file)


def test_no_recording_holds_an_address_of_a_site():
    private = ("192.168.", "10.0.", "172.16.", "onvif://www.onvif.org/name/PREDATOR")
    for file in RECORDINGS:
        text = file.read_text(encoding="utf-8")
        assert not [address for address in private if address in text], file
