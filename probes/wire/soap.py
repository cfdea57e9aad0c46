"""This file is the door to SOAP: requests that may be sent, the security header, and answers read by local name.

Strict in what is sent: bodies are written by zeep from the ONVIF documents (``soap_requests``). Liberal in what is
read: any prefix, order, namespace, SOAP version or byte; broken XML is read as far as it goes. What is refused:
document types and entities, which no camera needs.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from xml.sax.saxutils import escape

from lxml import etree

from probes.wire import WireError
from probes.wire.refusal import Refusal, classify
from probes.wire.text import clean, decode, excerpt

SOAP_LIMIT = 2 * 1024 * 1024
"""Bytes of an answer; the largest honest ones have some hundred thousand."""

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
IMAGING = "http://www.onvif.org/ver20/imaging/wsdl"
DEVICE_IO = "http://www.onvif.org/ver10/deviceIO/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
RECORDING = "http://www.onvif.org/ver10/recording/wsdl"
SEARCH = "http://www.onvif.org/ver10/search/wsdl"
REPLAY = "http://www.onvif.org/ver10/replay/wsdl"

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY = (
    f'<soap-env:Header><wsse:Security xmlns:wsse="{_WSSE}wssecurity-secext-1.0.xsd" soap-env:mustUnderstand="1">'
    "<wsse:UsernameToken><wsse:Username>%b</wsse:Username>"
    f'<wsse:Password Type="{_WSSE}username-token-profile-1.0#PasswordDigest">'
    "%b</wsse:Password>"
    f'<wsse:Nonce EncodingType="{_WSSE}soap-message-security-1.0#Base64Binary">'
    "%b</wsse:Nonce>"
    f'<wsu:Created xmlns:wsu="{_WSSE}wssecurity-utility-1.0.xsd">'
    "%b</wsu:Created></wsse:UsernameToken></wsse:Security></soap-env:Header>"
).encode()
_DECLARED = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"'](iso-8859-\d+|latin-?1|windows-125\d|gb\w+|big5)[\"']", re.IGNORECASE
)
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d+|#x[0-9a-fA-F]+|\w+);)")
_DOCUMENT_TYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# References to halves of UTF-16 pairs: libxml2 takes them over, and then nobody can read the text.
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}(?![0-9a-fA-F])"
    rb"|0*5(?:529[6-9]|5[3-9]\d\d|6\d{3}|7[0-2]\d\d|73[0-3]\d|734[0-3])(?!\d));?"
)
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_REFUSED_PAGE = re.compile(r"(?i)\b401\b.{0,4}unauthori[sz]ed|not authori[sz]ed|access (?:is )?denied")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PARSER = etree.XMLParser(
    encoding="utf-8",
    recover=True,
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


class Operation(StrEnum):
    """The allow-list: all that is ever asked of a device. Only Get*: nothing writes to, moves or reboots it, starts a
    search or leaves a subscription behind."""

    TIME = "GetSystemDateAndTime"
    INFORMATION = "GetDeviceInformation"
    SERVICES = "GetServices"
    CAPABILITIES = "GetCapabilities"
    SERVICE_CAPABILITIES = "GetServiceCapabilities"
    NETWORK_INTERFACES = "GetNetworkInterfaces"
    DNS = "GetDNS"
    NTP = "GetNTP"
    HOSTNAME = "GetHostname"
    CERTIFICATES = "GetCertificates"
    STORAGE = "GetStorageConfigurations"
    PROFILES = "GetProfiles"
    STREAM_URI = "GetStreamUri"
    SNAPSHOT_URI = "GetSnapshotUri"
    VIDEO_SOURCES = "GetVideoSources"
    IMAGING_SETTINGS = "GetImagingSettings"
    IMAGING_STATUS = "GetStatus"
    RECORDINGS = "GetRecordings"
    RECORDING_JOBS = "GetRecordingJobs"
    RECORDING_JOB_STATE = "GetRecordingJobState"
    RECORDING_SUMMARY = "GetRecordingSummary"
    RECORDING_INFORMATION = "GetRecordingInformation"
    MEDIA_ATTRIBUTES = "GetMediaAttributes"
    REPLAY_URI = "GetReplayUri"


class SoapError(WireError):
    """The device refused, or answered with something that is no SOAP."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: its codes (1.2: Value and Subcodes; 1.1: faultcode), lower-case without prefix, and its text."""

    codes: tuple[str, ...]
    reason: str


def security_header(username: str, password: str, created: datetime, nonce: bytes) -> bytes:
    """WS-Security UsernameToken with a password digest (OASIS UsernameToken Profile 1.0, section 3.1).

    ``created`` is aware UTC in the *device's* own time, ``nonce`` fresh random bytes.
    """
    stamp = created.replace(tzinfo=None).isoformat(timespec="milliseconds").encode() + b"Z"
    digest = hashlib.sha1(nonce + stamp + password.encode("utf-8", "replace"), usedforsecurity=False).digest()
    name = username if username.isalnum() else escape(_NOT_XML.sub("", username))
    return _SECURITY % (name.encode("utf-8", "replace"), b64encode(digest), b64encode(nonce), stamp)


def read_answer(status: int, body: bytes, operation: Operation) -> etree._Element:
    """The element ``<operation>Response``. Raises SoapError; faults count whatever the HTTP status."""
    try:
        root = parse(body)
    except SoapError:
        if status < 400:
            raise
        root = None  # an error page in HTML with its document type: the status says what it means
    if root is not None:
        wanted = f"{operation}Response".lower()
        for element in root.iter(etree.Element):
            name = local_name(element)
            if name == "fault":
                fault = _read_fault(element)
                raise SoapError(classify(status, fault.codes, fault.reason), _say(status, fault))
            if name == wanted and status < 400:
                return element
    if status >= 300:
        raise SoapError(classify(status, said=_page_text(body)), f"HTTP {status} to {operation}")
    what = f"it begins with {excerpt(body.lstrip())!r}" if body.strip() else "the answer is empty"
    refused = _REFUSED_PAGE.search(_page_text(body))
    raise SoapError(Refusal.AUTH if refused else Refusal.PROTOCOL, f"no answer to {operation}: {what}")


def local_name(element: etree._Element) -> str:
    """The tag in lower case, without namespace and without a prefix that was never declared."""
    return local_of(element.tag)


@lru_cache(maxsize=4096)
def local_of(tag: str) -> str:
    """``local_name`` of what has this tag."""
    return tag[max(tag.rfind("}"), tag.rfind(":")) + 1 :].lower()


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The children of this local name (any case)."""
    name = name.lower()
    for child in () if element is None else element:
        if local_of(child.tag) == name:
            yield child


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element at this path of local names below ``element``."""
    for name in path:
        element = next(children(element, name), None)
    return element


def descendant(element: etree._Element, name: str) -> etree._Element | None:
    """The first element of this local name anywhere below ``element``."""
    name = name.lower()
    for found in element.iter(etree.Element):
        if local_of(found.tag) == name:
            return found
    return None


def text(element: etree._Element | None) -> str:
    """The text of an element, cleaned; empty if there is none."""
    return clean(element.text or "") if element is not None else ""


def raw_text(element: etree._Element | None) -> str:
    """The text of an element as it came, only stripped: for addresses and tokens that are sent back."""
    return (element.text or "").strip() if element is not None else ""


def _decode_declared(raw: bytes) -> str:
    """Bytes that are no UTF-8, in the encoding that they declare, or in the one that they look like."""
    declared = _DECLARED.match(raw[:200])
    if declared is not None:
        try:
            return raw.decode(declared[1].decode("ascii"))
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(raw)


def parse(body: bytes) -> etree._Element | None:
    """The root of what a device sent, or None for what holds no element at all. Raises SoapError for document types
    and entities."""
    if _DOCUMENT_TYPE.search(body if b"\x00" not in body else body.replace(b"\x00", b"")):
        raise SoapError(Refusal.PROTOCOL, "the answer declares a document type or an entity; such XML is not read")
    begin = body.find(b"<")
    if begin < 0:
        return None
    raw = body[begin:]
    if body.startswith(_UTF16):
        raw = body.decode("utf-16", "replace").lstrip("\ufeff").encode("utf-8", "replace")
    else:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raw = _decode_declared(raw).encode("utf-8", "replace")
    if raw.startswith(b"<?"):
        # The declaration may name another encoding, or be malformed; nothing in it is needed any more.
        raw = raw[raw.find(b">") + 1 :].lstrip()
    if b"&" in raw:
        # Addresses with several parameters, written as they are: the parser would drop the parameters' names.
        raw = _BARE_AMPERSAND.sub(b"&amp;", raw)
    if b"\x00" in raw or not raw.isascii():
        raw = _NOT_XML.sub(" ", raw.decode("utf-8", "replace")).encode("utf-8", "replace")
    if b"&#" in raw:
        raw = _SURROGATE.sub(b"", raw)
    try:
        root = etree.fromstring(raw, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is not None and b"&" in raw:
        etree.strip_tags(root, etree.Entity)  # entities that nobody declared, which are no elements
    return root


def _page_text(body: bytes) -> str:
    """The words of a page in HTML or of plain text, its beginning."""
    return clean(_TAG.sub(" ", decode(body[:4096])), 400)


def _read_fault(fault: etree._Element) -> Fault:
    codes: list[str] = []
    texts: list[str] = []
    for element in fault.iter(etree.Element):
        name = local_name(element)
        if name in ("value", "faultcode") and text(element):
            codes.append(text(element).rpartition(":")[2].strip().lower())
        elif name in ("text", "faultstring", "reason", "detail") and text(element):
            texts.append(text(element))
    return Fault(tuple(codes), clean("; ".join(dict.fromkeys(texts)), 160))


def _say(status: int, fault: Fault) -> str:
    code = next((code for code in reversed(fault.codes)), "")
    said = ": ".join(part for part in (clean(code, 60), fault.reason) if part) or "without a reason"
    return f"SOAP fault, HTTP {status}: {said}"
