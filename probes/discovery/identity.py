"""This file asks one host what it is, with questions that anybody may ask: it holds no password and can send none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lxml import etree

from camera_registry.model.discovery import Sighting
from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.roster import Target
from probes import transport
from probes.base import Context, ProbeError, Tools
from probes.discovery.inquirer import Hint
from probes.guard import AddressGuard
from probes.http_client import HttpClient
from probes.memory import Memory
from probes.places import Places
from probes.wire import WireError, onvif, rtsp, soap, soap_requests
from probes.wire.http import Answer
from probes.wire.onvif import Information
from probes.wire.refusal import Refusal
from probes.wire.soap import Operation, SoapError
from probes.wire.text import clean
from probes.wire.wsdiscovery import mac_text

ANSWER_LIMIT = 256 * 1024
"""Bytes of one answer: what a device says of itself has a thousand or two, and many strangers are asked at once."""
DEVICE_PATH = "/onvif/device_service"


class Stranger:
    """One host that is asked what it is, within its ``places``. ``seconds`` is the time for each of its ports."""

    def __init__(self, address: str, guard: AddressGuard, seconds: float, places: Places) -> None:
        # Tools of its own without any credential: there is none here that could be sent.
        self._tools = Tools(guard, Memory())
        self._seconds = seconds
        self._target = Target("", address)
        self._places = places

    async def describe(self, sighting: Sighting, ports: Iterable[int], hint: Hint | None) -> Sighting | None:
        """The sighting with what the host tells on these ports; None if nothing of it answers.

        Raises ProbeError(INTERNAL) when this machine can't ask.
        """
        path = hint.path if hint is not None and hint.path else DEVICE_PATH
        first = () if hint is None or not hint.port else (hint.port,)
        asked = dict.fromkeys((*first, *ports))
        async with asyncio.TaskGroup() as group:
            runs = [group.create_task(self._ask_port(port, path)) for port in asked]
        seen = [told for run in runs if (told := run.result()) is not None]
        if hint is not None:
            match = hint.match
            sighting = replace(
                sighting,
                name=match.name,
                hardware=match.hardware,
                mac=match.mac,
                serial=match.serial,
                endpoint=match.endpoint,
            )
        elif not seen:
            return None
        return _together(sighting, seen)

    async def _ask_port(self, port: int, path: str) -> _Port | None:
        """What speaks on a port; None for what is closed or silent."""
        ways = (self._ask_rtsp, self._ask_http) if port % 1000 == 554 else (self._ask_http, self._ask_rtsp)
        found: _Port | None = None
        async with self._places.place(self._target.host):
            for way in ways:
                context = Context(self._tools, asyncio.get_running_loop().time() + self._seconds)
                try:
                    async with asyncio.timeout_at(context.deadline):
                        return await way(context, port, path)
                except TimeoutError:
                    return found if context.stage in (Stage.ADDRESS, Stage.CONNECT) else _Port(port)
                except ProbeError as error:
                    if error.kind is FailureKind.INTERNAL:
                        raise
                    if error.stage in (Stage.ADDRESS, Stage.CONNECT):
                        return found
                    found = _Port(port)  # something is there; perhaps it speaks the other language
        return found

    async def _ask_rtsp(self, context: Context, port: int, path: str) -> _Port:
        connection = await transport.connect(context, self._target, port)
        try:
            host = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
            connection.send(rtsp.write_request("OPTIONS", f"rtsp://{host}:{port}/", 1))
            context.stage = Stage.ANSWER
            reader = rtsp.Reader()
            while data := await connection.receive():
                for answer in reader.feed(data):
                    if isinstance(answer, rtsp.Answer):
                        return _Port(port, rtsp=True, server=clean(answer.head.get("server"), 80))
        except WireError as error:
            raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, str(error)) from error
        finally:
            connection.close()
        raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, "the host closed the connection")

    async def _ask_http(self, context: Context, port: int, path: str) -> _Port:
        with HttpClient(context, self._target, port, limit=ANSWER_LIMIT) as client:
            answer = await self._ask(client, path, Operation.TIME)
            found = _Port(port, http=True, server=clean(answer.head.get("server"), 80))
            if not _is_soap(answer, Operation.TIME):
                return found
            found = replace(found, onvif=True, path=path)
            answer = await self._ask(client, path, Operation.INFORMATION)
            try:
                information = onvif.read_information(_read(answer, Operation.INFORMATION))
            except SoapError as error:
                return replace(found, guarded=error.refusal is Refusal.AUTH)
            found = replace(found, information=information)
            try:
                answer = await self._ask(client, path, Operation.NETWORK_INTERFACES)
                interfaces = _read(answer, Operation.NETWORK_INTERFACES)
            except (ProbeError, SoapError):
                return found
            told = soap.text(soap.descendant(interfaces, "HwAddress"))
            return replace(found, mac=mac_text(told))

    async def _ask(self, client: HttpClient, path: str, operation: Operation) -> Answer:
        request = soap_requests.request(soap.DEVICE, operation)
        return await client.send("POST", path, request.headers(), request.write())


@dataclass(frozen=True, slots=True)
class _Port:
    """What was learned on one port."""

    port: int
    http: bool = False
    onvif: bool = False
    rtsp: bool = False
    path: str = ""
    server: str = ""
    mac: str = ""
    guarded: bool = False
    information: Information | None = None


def _read(answer: Answer, operation: Operation) -> etree._Element:
    return soap.read_answer(answer.status, answer.body, operation)


def _is_soap(answer: Answer, operation: Operation) -> bool:
    """Whether this is an answer of an ONVIF service, a refusal too; a web server's page is none."""
    try:
        _read(answer, operation)
    except SoapError:
        try:
            root = soap.parse(answer.body)
        except SoapError:
            return False
        return root is not None and soap.local_name(root) == "envelope"
    return True


def _together(sighting: Sighting, seen: list[_Port]) -> Sighting:
    control = next((one for one in seen if one.information), None) or next((one for one in seen if one.onvif), None)
    web = next((one for one in seen if one.http), None)
    stream = next((one for one in seen if one.rtsp), None)
    sighting = replace(
        sighting,
        ports=tuple(sorted(one.port for one in seen)),
        rtsp_port=stream.port if stream else 0,
        http_port=control.port if control else web.port if web else 0,
        server=next((one.server for one in (control, web, stream) if one is not None and one.server), ""),
    )
    if control is None:
        return sighting
    sighting = replace(sighting, onvif_port=control.port, onvif_path=control.path, guarded=control.guarded)
    if control.information is not None:
        told = control.information
        sighting = replace(
            sighting,
            manufacturer=told.manufacturer,
            model=told.model,
            firmware=told.firmware,
            serial=told.serial or sighting.serial,
        )
    return replace(sighting, mac=control.mac or sighting.mac)
