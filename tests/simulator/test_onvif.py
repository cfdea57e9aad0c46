"""Tests that simulated devices speak ONVIF as the WSDL documents have it, and guard it as real ones do.

The answers are read by zeep from ONVIF's own documents, the refusals by lxml from raw bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPDigestAuth
from zeep.wsse.username import UsernameToken

from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import MAKERS, SoapAccess
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from tests.simulator.conftest import camera_of
from tests.simulator.wire import SOAP, TDS, TER, TRT, TT, Reply, Wire, basic, digest, http, soap, token

DEVICE_PATH = "/onvif/device_service"
BY_TOKEN = [maker.name for maker in MAKERS if maker.soap is not SoapAccess.DIGEST]
BY_DIGEST = [maker.name for maker in MAKERS if maker.soap is SoapAccess.DIGEST]


@pytest.fixture(scope="session")
def documents() -> dict[str, zeep.Client]:
    """Clients of ONVIF's services, made from the documents that the onvif-zeep wheel brings."""
    files = {Path(file).name: file for file in distribution("onvif-zeep").files or ()}
    return {
        name: zeep.Client(str(files[f"{name}.wsdl"].locate()), settings=zeep.Settings(strict=True))
        for name in ("devicemgmt", "media", "imaging", "recording", "search", "replay")
    }


@pytest.fixture
def service(documents: dict[str, zeep.Client]) -> Iterator[Callable[..., object]]:
    """Call an operation of a device by zeep: ``service(simulation, member, "devicemgmt", "GetScopes")``."""
    session = requests.Session()
    session.trust_env = False

    def call(simulation: Simulation, member: Member, document: str, operation: str, **arguments: object) -> object:
        client = documents[document]
        digests = member.maker.soap is SoapAccess.DIGEST
        session.auth = HTTPDigestAuth(member.username, member.password) if digests else None
        client.transport = zeep.Transport(session=session)
        client.wsse = None if digests else UsernameToken(member.username, member.password, use_digest=True)
        (binding,) = client.wsdl.bindings
        path = DEVICE_PATH if document == "devicemgmt" else member.maker.media_path
        proxy = client.create_service(binding, f"http://{member.device.host}:{simulation.ports.http}{path}")
        return getattr(proxy, operation)(**arguments)

    yield call
    session.close()


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_a_client_made_from_the_documents_reads_every_makers_answers(simulation, fleet, service, maker):
    member = camera_of(fleet, maker)
    device, ports = member.device, simulation.ports

    def ask() -> None:
        def call(document: str, operation: str, **arguments: object) -> object:
            return service(simulation, member, document, operation, **arguments)

        information = call("devicemgmt", "GetDeviceInformation")
        assert (information.Manufacturer, information.Model) == (device.manufacturer, device.model)
        assert (information.FirmwareVersion, information.SerialNumber) == (device.firmware, device.serial)
        assert call("devicemgmt", "GetHostname").Name == member.id
        (interface,) = call("devicemgmt", "GetNetworkInterfaces")
        assert interface.Info.HwAddress == device.mac
        assert call("devicemgmt", "GetCapabilities").Media.XAddr.endswith(f":{ports.http}{member.maker.media_path}")
        if member.maker.services:
            services = call("devicemgmt", "GetServices", IncludeCapability=False)
            assert {TDS, TRT} < {found.Namespace for found in services}
        assert call("devicemgmt", "GetDNS").DNSManual[0].IPv4Address
        assert call("devicemgmt", "GetNTP").NTPManual[0].DNSname
        assert call("imaging", "GetImagingSettings", VideoSourceToken="source_1").Brightness == 50
        assert call("imaging", "GetStatus", VideoSourceToken="source_1").FocusStatus20.MoveStatus == "IDLE"
        main, sub = call("media", "GetProfiles")
        size = main.VideoEncoderConfiguration.Resolution
        assert (main.VideoEncoderConfiguration.Encoding, size.Width, size.Height) == ("H264", 640, 360)
        assert sub.VideoEncoderConfiguration.Resolution.Width == 320
        assert call("media", "GetVideoSources")[0].Resolution.Height == 360
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        stream = call("media", "GetStreamUri", StreamSetup=setup, ProfileToken=main.token)
        assert stream.Uri.endswith(f":{ports.rtsp}{member.stream_path()}")
        picture = call("media", "GetSnapshotUri", ProfileToken=main.token)
        assert picture.Uri.endswith(f":{ports.http}{member.snapshot_path()}")

    await asyncio.to_thread(ask)


async def test_a_recorder_has_profiles_for_each_of_its_channels(simulation, fleet, service):
    recorder = next(member for member in fleet.members if member.channels > 1)
    profiles = await asyncio.to_thread(service, simulation, recorder, "media", "GetProfiles")
    sources = {profile.VideoSourceConfiguration.SourceToken for profile in profiles}
    assert len(profiles) == 2 * recorder.channels
    assert len(sources) == recorder.channels


async def test_a_recorder_tells_what_it_has_recorded_as_the_documents_have_it(simulation, fleet, service):
    recorder = next(member for member in fleet.members if member.records)

    def ask(document: str, operation: str, **arguments: object) -> object:
        return service(simulation, recorder, document, operation, **arguments)

    def look() -> None:
        tokens = [item.RecordingToken for item in ask("recording", "GetRecordings")]
        assert len(set(tokens)) == recorder.channels
        job = ask("recording", "GetRecordingJobs")[0]
        assert job.JobConfiguration.RecordingToken == tokens[0]
        assert ask("recording", "GetRecordingJobState", JobToken=job.JobToken).State == "Active"
        assert ask("search", "GetRecordingSummary").NumberRecordings == len(tokens)
        held = ask("search", "GetRecordingInformation", RecordingToken=tokens[2])
        assert datetime.now(UTC) - held.LatestRecording < timedelta(minutes=1)
        assert held.Track[0].TrackType == "Video"
        at = datetime.now(UTC) - timedelta(hours=3)
        (told,) = ask("search", "GetMediaAttributes", RecordingTokens=[tokens[1]], Time=at)
        assert told.RecordingToken == tokens[1]
        assert told.TrackAttributes[0].VideoAttributes.Width == 640
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        assert ask("replay", "GetReplayUri", StreamSetup=setup, RecordingToken=tokens[0]).startswith("rtsp://")

    await asyncio.to_thread(look)


async def post(simulation: Simulation, member: Member, body: bytes, authorization: str = "") -> Reply:
    async with await Wire.open(member.device.host, simulation.ports.http) as wire:
        return await wire.post(DEVICE_PATH, body, authorization)


def subcode(reply: Reply) -> str:
    """The innermost subcode of a SOAP fault; fails for anything else."""
    root = etree.fromstring(reply.body)
    values = root.findall(f"{{{SOAP}}}Body/{{{SOAP}}}Fault//{{{SOAP}}}Value")
    prefix, _, name = values[-1].text.partition(":")
    assert values[-1].nsmap[prefix] == TER
    return name


@pytest.mark.parametrize("maker", [maker.name for maker in MAKERS])
async def test_the_time_is_told_without_a_password_and_is_the_devices_own(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    reply = await post(simulation, member, soap("GetSystemDateAndTime"))
    assert reply.status == 200
    utc = etree.fromstring(reply.body).find(f".//{{{TT}}}UTCDateTime")
    parts = [int(utc.findtext(f".//{{{TT}}}{name}")) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
    assert abs(datetime(*parts, tzinfo=UTC) - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.parametrize("maker", BY_TOKEN)
async def test_a_wrong_password_is_refused_in_the_makers_way_and_counted(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    wrong = soap("GetDeviceInformation", header=token(member.username, "guessed"))
    reply = await post(simulation, member, wrong)
    assert (reply.status, subcode(reply)) == (member.maker.refusal, "NotAuthorized")
    assert simulation.counts(member.id).failed_authentications == 1


async def test_no_proof_at_all_is_refused_and_not_counted_as_a_wrong_one(simulation, camera):
    reply = await post(simulation, camera, soap("GetDeviceInformation"))
    assert subcode(reply) == "NotAuthorized"
    assert simulation.counts(camera.id).failed_authentications == 0


@pytest.mark.parametrize("maker", BY_DIGEST)
async def test_a_digest_only_device_takes_no_token_and_offers_both_algorithms(simulation, fleet, maker):
    member = camera_of(fleet, maker)
    signed = soap("GetDeviceInformation", header=token(member.username, member.password))
    refused = await post(simulation, member, signed)
    assert (refused.status, refused.one("content-type")) == (401, "text/html")
    challenges = refused.all("www-authenticate")
    assert ["algorithm=SHA-256" in challenge for challenge in challenges] == [True, False]
    for challenge in challenges:
        proof = digest(challenge, member.username, member.password, "POST", DEVICE_PATH)
        assert (await post(simulation, member, soap("GetDeviceInformation"), proof)).status == 200


async def test_a_token_is_good_once(simulation, camera):
    signed = soap("GetDeviceInformation", header=token(camera.username, camera.password))
    assert (await post(simulation, camera, signed)).status == 200
    assert subcode(await post(simulation, camera, signed)) == "NotAuthorized"


async def test_a_nonce_is_good_once_for_each_count(simulation, camera):
    refused = await post(simulation, camera, soap("GetDeviceInformation"))
    challenge = refused.one("www-authenticate")

    def proof(count: int) -> str:
        return digest(challenge, camera.username, camera.password, "POST", DEVICE_PATH, count)

    first = proof(1)
    assert (await post(simulation, camera, soap("GetDeviceInformation"), first)).status == 200
    copied = await post(simulation, camera, soap("GetDeviceInformation"), first)
    assert copied.status == 401
    assert "stale=true" in copied.one("www-authenticate")
    assert (await post(simulation, camera, soap("GetDeviceInformation"), proof(2))).status == 200


async def test_a_proof_for_one_device_or_one_address_is_no_good_for_another(simulation, fleet, camera):
    refused = await post(simulation, camera, soap("GetDeviceInformation"))
    elsewhere = digest(refused.one("www-authenticate"), camera.username, camera.password, "POST", "/elsewhere")
    assert (await post(simulation, camera, soap("GetDeviceInformation"), elsewhere)).status == 401
    other = next(member for member in fleet.members if member.maker is camera.maker and member.id != camera.id)
    stolen = digest(refused.one("www-authenticate"), other.username, other.password, "POST", DEVICE_PATH)
    assert (await post(simulation, other, soap("GetDeviceInformation"), stolen)).status == 401


async def test_a_token_must_be_of_the_devices_own_time(simulation, camera):
    simulation.faults.set(camera.id, Fault.CLOCK_DRIFT, seconds=3600)

    def signed(ahead: float) -> bytes:
        at = datetime.now(UTC) + timedelta(seconds=ahead)
        return soap("GetDeviceInformation", header=token(camera.username, camera.password, at))

    assert subcode(await post(simulation, camera, signed(0))) == "NotAuthorized"
    assert (await post(simulation, camera, signed(3600))).status == 200
    assert subcode(await post(simulation, camera, signed(3600 + 330))) == "NotAuthorized"
    simulation.faults.clear(camera.id)
    assert (await post(simulation, camera, signed(0))).status == 200


async def test_a_changed_password_refuses_the_registered_one_until_it_is_changed_back(simulation, camera):
    simulation.faults.set(camera.id, Fault.WRONG_PASSWORD)
    signed = soap("GetDeviceInformation", header=token(camera.username, camera.password))
    assert subcode(await post(simulation, camera, signed)) == "NotAuthorized"
    simulation.faults.clear(camera.id)
    signed = soap("GetDeviceInformation", header=token(camera.username, camera.password))
    assert (await post(simulation, camera, signed)).status == 200


async def test_too_many_wrong_passwords_lock_the_account_even_for_the_right_one(simulation, fleet):
    member = camera_of(fleet, "Haitun")
    body = soap("GetDeviceInformation")

    async def tried(password: str) -> int:
        challenge = (await post(simulation, member, body)).all("www-authenticate")[0]
        return (
            await post(simulation, member, body, digest(challenge, member.username, password, "POST", DEVICE_PATH))
        ).status

    assert await tried(member.password) == 200
    for _ in range(member.maker.lockout):
        assert await tried("guessed") == 401
    assert await tried(member.password) == 401


@pytest.mark.parametrize("operation", ["SetSystemFactoryDefault", "SystemReboot", "CreatePullPointSubscription"])
async def test_what_would_change_a_device_is_counted_as_forbidden_and_not_done(simulation, camera, operation):
    signed = soap(operation, header=token(camera.username, camera.password))
    assert subcode(await post(simulation, camera, signed)) == "ActionNotSupported"
    assert simulation.counts(camera.id).forbidden == 1
    assert simulation.counts(camera.id).requests == {f"onvif.{operation}": 1}


async def test_a_put_to_a_makers_own_interface_is_counted_as_forbidden(simulation, camera):
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        reply = await wire.ask(http("PUT", "/ISAPI/System/reboot", authorization=basic("admin", "x")))
    assert reply.status == 405
    assert simulation.counts(camera.id).forbidden == 1


async def test_a_swapped_unit_tells_another_serial_number(simulation, camera):
    simulation.faults.set(camera.id, "serial_swapped")
    reply = await post(simulation, camera, soap("GetDeviceInformation", header=token(camera.username, camera.password)))
    told = etree.fromstring(reply.body).findtext(f".//{{{TDS}}}SerialNumber")
    assert told
    assert told != camera.device.serial


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><b>&b;</b>'


@pytest.mark.parametrize("body", [b"", b"<not-closed", b"<html/>", b"\xff\xfe\x00", soap("x")[:-30], BOMB])
async def test_what_is_no_soap_request_gets_a_fault_and_the_next_request_an_answer(simulation, camera, body):
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        refused = await wire.post(DEVICE_PATH, body)
        assert (refused.status, subcode(refused)) == (400, "WellFormed")
        assert (await wire.post(DEVICE_PATH, soap("GetSystemDateAndTime"))).status == 200


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /onvif/device_service HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST /onvif/device_service HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000, 400),
    ],
)
async def test_what_cannot_be_read_is_refused_and_ends_the_connection(simulation, camera, request_head, status):
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        assert (await wire.ask(request_head)).status == status
        assert await wire.reader.read() == b""


async def test_a_request_that_comes_in_pieces_and_two_in_one_piece_are_both_answered(simulation, camera):
    request = http("POST", DEVICE_PATH, soap("GetSystemDateAndTime"))
    async with await Wire.open(camera.device.host, simulation.ports.http) as wire:
        for begin in range(0, len(request), 97):
            wire.writer.write(request[begin : begin + 97])
            await asyncio.sleep(0)
        assert (await wire.reply()).status == 200
        assert (await wire.ask(request + request)).status == 200
        assert (await wire.reply()).status == 200
    assert simulation.counts(camera.id).requests == {"onvif.GetSystemDateAndTime": 3}
