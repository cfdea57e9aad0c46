"""This file writes the requests of the allow-list, once per process and service, and keeps them as bytes.

zeep writes them from the ONVIF documents that onvif-zeep brings along, so they are valid by schema. The documents are
found through the distribution's list of files: importing that package would rewrite the process's logging and proxies.
Loading zeep and the first document costs some tenths of a second of CPU, each further one less than a tenth, once; a
process that never speaks ONVIF, or never asks a recorder, never pays for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import PurePosixPath
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from probes.wire.soap import (
    DEVICE,
    DEVICE_IO,
    EVENTS,
    IMAGING,
    MEDIA,
    MEDIA2,
    RECORDING,
    REPLAY,
    SEARCH,
    Operation,
)

_WHICH = "@token@"
_WHICH_ELEMENT = re.compile(rf"<([\w:]+)>{_WHICH}</\1>".encode())
_WHEN = datetime(1970, 1, 1, tzinfo=UTC)
_WHEN_WRITTEN = b"1970-01-01T00:00:00Z"
_BODY = b"<soap-env:Body>"
_SOAP_12, _SOAP_11 = b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"

_STREAM_SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_VALUES: Mapping[str, tuple[str, Mapping[Operation, Mapping[str, object]]]] = {
    DEVICE: (
        "devicemgmt.wsdl",
        {
            Operation.TIME: {},
            Operation.INFORMATION: {},
            Operation.SERVICES: {"IncludeCapability": False},
            Operation.CAPABILITIES: {"Category": ["All"]},
            Operation.NETWORK_INTERFACES: {},
            Operation.DNS: {},
            Operation.NTP: {},
            Operation.HOSTNAME: {},
            Operation.CERTIFICATES: {},
        },
    ),
    MEDIA: (
        "media.wsdl",
        {
            Operation.PROFILES: {},
            Operation.VIDEO_SOURCES: {},
            Operation.STREAM_URI: {"StreamSetup": _STREAM_SETUP, "ProfileToken": _WHICH},
            Operation.SNAPSHOT_URI: {"ProfileToken": _WHICH},
        },
    ),
    IMAGING: (
        "imaging.wsdl",
        {
            Operation.IMAGING_SETTINGS: {"VideoSourceToken": _WHICH},
            Operation.IMAGING_STATUS: {"VideoSourceToken": _WHICH},
        },
    ),
    DEVICE_IO: ("deviceio.wsdl", {Operation.VIDEO_SOURCES: {}}),
    EVENTS: ("events.wsdl", {Operation.SERVICE_CAPABILITIES: {}}),
    RECORDING: (
        "recording.wsdl",
        {
            Operation.RECORDINGS: {},
            Operation.RECORDING_JOBS: {},
            Operation.RECORDING_JOB_STATE: {"JobToken": _WHICH},
        },
    ),
    SEARCH: (
        "search.wsdl",
        {
            Operation.RECORDING_SUMMARY: {},
            Operation.RECORDING_INFORMATION: {"RecordingToken": _WHICH},
            Operation.MEDIA_ATTRIBUTES: {"RecordingTokens": [_WHICH], "Time": _WHEN},
        },
    ),
    REPLAY: ("replay.wsdl", {Operation.REPLAY_URI: {"StreamSetup": _STREAM_SETUP, "RecordingToken": _WHICH}}),
}
"""By namespace: the document, and what each operation is asked with."""

# The wheel has no Media2 document, and its device document is older than GetStorageConfigurations, so these are written
# by hand: ONVIF Media 2 (19.06), sections 5.2.2, 5.15.1 and 5.17.1, and ONVIF Core (19.06), section 8.8.3.
_BY_HAND: Mapping[tuple[str, Operation], str] = {
    (MEDIA2, Operation.PROFILES): "<o:Type>VideoSource</o:Type><o:Type>VideoEncoder</o:Type>",
    (MEDIA2, Operation.STREAM_URI): f"<o:Protocol>RtspUnicast</o:Protocol><o:ProfileToken>{_WHICH}</o:ProfileToken>",
    (MEDIA2, Operation.SNAPSHOT_URI): f"<o:ProfileToken>{_WHICH}</o:ProfileToken>",
    (DEVICE, Operation.STORAGE): "",
}
_ENVELOPE = (
    '<soap-env:Envelope xmlns:soap-env="http://www.w3.org/2003/05/soap-envelope"><soap-env:Body>'
    '<o:{name} xmlns:o="{namespace}">{content}</o:{name}></soap-env:Body></soap-env:Envelope>'
)

ALLOWED: frozenset[tuple[str, Operation]] = frozenset(
    {(namespace, operation) for namespace, (_, operations) in _VALUES.items() for operation in operations}
    | _BY_HAND.keys()
)
"""Every request there is: namespace of the service, and operation."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request with a place for the security header, in SOAP 1.2 or, for devices that insist, 1.1."""

    action: str
    before: bytes
    after: bytes

    def write(
        self,
        security: bytes = b"",
        tokens: Sequence[str] = (),
        at: datetime | None = None,
        *,
        old: bool = False,
    ) -> bytes:
        """The whole envelope. ``tokens`` are what is asked about (a media profile, recordings), ``at`` the time asked
        about, aware UTC as the device counts it; ``old``: in SOAP 1.1."""
        after = self.after
        if tokens:
            elements = b"".join(rb"<\1>" + _escaped(token) + rb"</\1>" for token in tokens)
            after = _WHICH_ELEMENT.sub(elements, after)
        if at is not None:
            after = after.replace(_WHEN_WRITTEN, at.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
        before = self.before.replace(_SOAP_12, _SOAP_11) if old else self.before
        return before + security + after

    def headers(self, *, old: bool = False) -> tuple[tuple[str, str], ...]:
        """HTTP headers: SOAP 1.2 names the action in the content type (RFC 3902), 1.1 in a header of its own."""
        if old:
            return (("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", f'"{self.action}"'))
        return (("Content-Type", f'application/soap+xml; charset=utf-8; action="{self.action}"'),)


def request(namespace: str, operation: Operation) -> Request:
    """The request of ``operation`` in the service of ``namespace``. Raises KeyError for what is not on the list."""
    return _of_service(namespace)[operation]


def prepare(*namespaces: str) -> None:
    """Write the requests of these services now (none given: all there are). Blocks for some tenths of a second
    the first time; safe in a thread."""
    for namespace in namespaces or sorted({namespace for namespace, _ in ALLOWED}):
        _of_service(namespace)


def prepared(namespace: str) -> bool:
    """Whether ``request`` answers at once for this service."""
    return namespace in _written


def everything() -> dict[str, dict[str, tuple[str, str, str]]]:
    """All requests there are, by service and operation, as another process may ``take_over``."""
    prepare()
    return {
        namespace: {name.value: (one.action, one.before.decode(), one.after.decode()) for name, one in requests.items()}
        for namespace, requests in _written.items()
    }


def take_over(written: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Use these requests, which another process wrote. Raises ValueError where they are not those that there are."""
    taken = {
        namespace: {
            Operation(name): Request(action, before.encode(), after.encode())
            for name, (action, before, after) in requests.items()
        }
        for namespace, requests in written.items()
    }
    if {(namespace, operation) for namespace, requests in taken.items() for operation in requests} != ALLOWED:
        raise ValueError("these are other requests than those that may be sent")
    with _once:
        _written.update(taken)


_once = Lock()
_written: dict[str, Mapping[Operation, Request]] = {}


def _of_service(namespace: str) -> Mapping[Operation, Request]:
    if namespace not in _written:
        with _once:
            if namespace not in _written:
                _written[namespace] = _write_service(namespace)
    return _written[namespace]


def _write_service(namespace: str) -> Mapping[Operation, Request]:
    by_hand = {
        operation: _ENVELOPE.format(name=operation, namespace=namespace, content=content).encode()
        for (owner, operation), content in _BY_HAND.items()
        if owner == namespace
    }
    envelopes = by_hand | (_write_with_zeep(*_VALUES[namespace]) if namespace in _VALUES else {})
    if not envelopes:
        raise KeyError(namespace)
    return {operation: _split(namespace, operation, envelope) for operation, envelope in envelopes.items()}


def _split(namespace: str, operation: Operation, envelope: bytes) -> Request:
    before, body, after = envelope.partition(_BODY)
    assert body, "the envelope has a body"
    return Request(f"{namespace}/{operation}", b'<?xml version="1.0" encoding="utf-8"?>' + before, body + after)


def _escaped(token: str) -> bytes:
    """``token`` as XML, and as it stands in the replacement of a pattern."""
    return escape(token).encode("utf-8", "replace").replace(b"\\", rb"\\")


def _write_with_zeep(document: str, operations: Mapping[Operation, Mapping[str, object]]) -> dict[Operation, bytes]:
    # zeep takes 0.4 s to import, which only a process that speaks ONVIF should pay.
    import zeep.transports  # noqa: PLC0415

    class Offline(zeep.transports.Transport):
        """Reads documents from disk only."""

        def _load_remote_data(self, url: str) -> bytes:
            raise RuntimeError(f"the ONVIF documents ask for {url}, and nothing is fetched from a network")

    make_client: Callable[..., Any] = zeep.Client  # it ships no types
    make_transport: Callable[..., object] = Offline
    client = make_client(_document_paths()[document], transport=make_transport())
    # By the binding, not by the service: the recording document's service names a binding that does not exist.
    binding = next(one for one in client.wsdl.bindings.values() if all(name.value in one.all() for name in operations))
    return {
        operation: etree.tostring(binding.get(operation.value).create(**values).content)
        for operation, values in operations.items()
    }


@cache
def _document_paths() -> dict[str, str]:
    try:
        found = distribution("onvif-zeep").files or ()
    except PackageNotFoundError as error:
        raise RuntimeError("onvif-zeep is not installed, so there are no ONVIF documents; run `make setup`") from error
    return {PurePosixPath(str(file)).name: str(file.locate()) for file in found if str(file).endswith(".wsdl")}
