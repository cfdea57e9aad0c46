"""This file writes the requests of the allow-list, once per process, and keeps them as bytes.

zeep writes them from the ONVIF documents that onvif-zeep brings along, so they are valid by schema. The documents are
found through the distribution's list of files: importing that package would rewrite the process's logging and proxies.
Loading zeep and its documents costs about 0.7 s of CPU, once; a process that never speaks ONVIF never pays it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import PurePosixPath
from threading import Event, Lock
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from probes.wire.soap import DEVICE, MEDIA, MEDIA2, Operation

_WHICH = "@profile-token@"
_BODY = b"<soap-env:Body>"
_once = Lock()
_written = Event()

_STREAM_SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_VALUES: Mapping[tuple[str, Operation], Mapping[str, object]] = {
    (DEVICE, Operation.TIME): {},
    (DEVICE, Operation.INFORMATION): {},
    (DEVICE, Operation.SERVICES): {"IncludeCapability": False},
    (DEVICE, Operation.CAPABILITIES): {"Category": ["All"]},
    (DEVICE, Operation.NETWORK_INTERFACES): {},
    (MEDIA, Operation.PROFILES): {},
    (MEDIA, Operation.STREAM_URI): {"StreamSetup": _STREAM_SETUP, "ProfileToken": _WHICH},
    (MEDIA, Operation.SNAPSHOT_URI): {"ProfileToken": _WHICH},
}
_DOCUMENTS = {DEVICE: "devicemgmt.wsdl", MEDIA: "media.wsdl"}

# The wheel has no Media2 document, so these three are written by hand after the ONVIF Media 2 specification (19.06),
# sections 5.2.2, 5.15.1 and 5.17.1.
_MEDIA2 = (
    '<soap-env:Envelope xmlns:soap-env="http://www.w3.org/2003/05/soap-envelope"><soap-env:Body>'
    f'<tr2:{{name}} xmlns:tr2="{MEDIA2}">{{content}}</tr2:{{name}}></soap-env:Body></soap-env:Envelope>'
)
_WHICH_PROFILE = f"<tr2:ProfileToken>{_WHICH}</tr2:ProfileToken>"
_MEDIA2_CONTENT = {
    Operation.PROFILES: "<tr2:Type>VideoEncoder</tr2:Type>",
    Operation.STREAM_URI: f"<tr2:Protocol>RtspUnicast</tr2:Protocol>{_WHICH_PROFILE}",
    Operation.SNAPSHOT_URI: _WHICH_PROFILE,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request with a place for the security header. ``action`` goes into the content type (SOAP 1.2, RFC 3902)."""

    action: str
    before: bytes
    after: bytes

    def write(self, security: bytes = b"", token: str = "") -> bytes:
        """The whole envelope; ``token`` is the media profile asked about."""
        after = self.after.replace(_WHICH.encode(), escape(token).encode("utf-8", "replace")) if token else self.after
        return self.before + security + after

    @property
    def content_type(self) -> str:
        return f'application/soap+xml; charset=utf-8; action="{self.action}"'


def request(namespace: str, operation: Operation) -> Request:
    """The request of ``operation`` in the service of ``namespace``. Raises KeyError for what is not on the list."""
    return _all()[namespace, operation]


def prepare() -> None:
    """Write all requests now. Blocks for most of a second the first time; safe in a thread."""
    _all()


def prepared() -> bool:
    """Whether ``request`` answers at once."""
    return _written.is_set()


def _all() -> Mapping[tuple[str, Operation], Request]:
    if not _written.is_set():
        with _once:
            _write_all()
            _written.set()
    return _write_all()


@cache
def _write_all() -> Mapping[tuple[str, Operation], Request]:
    written = {key: _split(key, envelope) for key, envelope in _write_with_zeep().items()}
    for operation, content in _MEDIA2_CONTENT.items():
        written[MEDIA2, operation] = _split(
            (MEDIA2, operation), _MEDIA2.format(name=operation, content=content).encode()
        )
    return written


def _split(key: tuple[str, Operation], envelope: bytes) -> Request:
    namespace, operation = key
    before, body, after = envelope.partition(_BODY)
    assert body, "the envelope has a body"
    return Request(f"{namespace}/{operation}", b'<?xml version="1.0" encoding="utf-8"?>' + before, body + after)


def _write_with_zeep() -> dict[tuple[str, Operation], bytes]:
    # zeep takes 0.4 s to import, which only a process that speaks ONVIF should pay.
    import zeep.transports  # noqa: PLC0415

    class Offline(zeep.transports.Transport):
        """Reads documents from disk only."""

        def _load_remote_data(self, url: str) -> bytes:
            raise RuntimeError(f"the ONVIF documents ask for {url}, and nothing is fetched from a network")

    make_client: Callable[..., Any] = zeep.Client  # it ships no types
    make_transport: Callable[..., object] = Offline
    paths = _document_paths()
    written: dict[tuple[str, Operation], bytes] = {}
    for namespace, document in _DOCUMENTS.items():
        client = make_client(paths[document], transport=make_transport())
        for (owner, operation), values in _VALUES.items():
            if owner == namespace:
                message = client.create_message(client.service, operation.value, **values)
                written[owner, operation] = etree.tostring(message)
    return written


def _document_paths() -> dict[str, str]:
    try:
        found = distribution("onvif-zeep").files or ()
    except PackageNotFoundError as error:
        raise RuntimeError("onvif-zeep is not installed, so there are no ONVIF documents; run `make setup`") from error
    return {PurePosixPath(str(file)).name: str(file.locate()) for file in found if str(file).endswith(".wsdl")}
