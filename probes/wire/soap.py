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
from probes.wire.text import clean, decode, excerpt

SOAP_LIMIT = 2 * 1024 * 1024
"""Bytes of an answer; the largest honest ones have some hundred thousand."""

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY = (
    f'<soap-env:Header><wsse:Security xmlns:wsse="{_WSSE}wssecurity-secext-1.0.xsd" soap-env:mustUnderstand="1">'
    "<wsse:UsernameToken><wsse:Username>{username}</wsse:Username>"
    f'<wsse:Password Type="{_WSSE}username-token-profile-1.0#PasswordDigest">'
    "{digest}</wsse:Password>"
    f'<wsse:Nonce EncodingType="{_WSSE}soap-message-security-1.0#Base64Binary">'
    "{nonce}</wsse:Nonce>"
    f'<wsu:Created xmlns:wsu="{_WSSE}wssecurity-utility-1.0.xsd">'
    "{created}</wsu:Created></wsse:UsernameToken></wsse:Security></soap-env:Header>"
)
_DECLARED = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"'](iso-8859-\d+|latin-?1|windows-125\d|gb\w+|big5)[\"']", re.IGNORECASE
)
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d+|#x[0-9a-fA-F]+|\w+);)")
_DOCUMENT_TYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
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
    """The allow-list: all that is ever asked of a device. Only Get*: nothing writes to, moves or reboots it."""

    TIME = "GetSystemDateAndTime"
    INFORMATION = "GetDeviceInformation"
    SERVICES = "GetServices"
    CAPABILITIES = "GetCapabilities"
    PROFILES = "GetProfiles"
    STREAM_URI = "GetStreamUri"
    SNAPSHOT_URI = "GetSnapshotUri"
    NETWORK_INTERFACES = "GetNetworkInterfaces"


class Refusal(StrEnum):
    """What a device means when it does not do what it was asked."""

    AUTH = "auth"
    NOT_SUPPORTED = "not_supported"
    BUSY = "busy"
    PROTOCOL = "protocol"


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


_BY_CODE = (
    (Refusal.AUTH, re.compile(r"not_?authori[sz]ed|failedauthentication|invalidsecurity|failedcheck|securitytoken")),
    (Refusal.NOT_SUPPORTED, re.compile(r"notsupported|notimplemented|unknownaction|operationprohibited|noprofile")),
    (Refusal.BUSY, re.compile(r"maxstreams|toomany|outofresource|serverbusy|maxinstances")),
)
_BY_TEXT = (
    (Refusal.AUTH, re.compile(r"authori[sz]|authenticat|(?:wrong|invalid|bad) (?:user|password|credential)|security")),
    (
        Refusal.NOT_SUPPORTED,
        re.compile(r"not supported|unsupported|not implemented|no such|unknown|not found|no profile"),
    ),
    (Refusal.BUSY, re.compile(r"too many|busy|resource")),
)
_BY_STATUS = {
    401: Refusal.AUTH,
    403: Refusal.AUTH,
    404: Refusal.NOT_SUPPORTED,
    405: Refusal.NOT_SUPPORTED,
    501: Refusal.NOT_SUPPORTED,
    503: Refusal.BUSY,
}


def security_header(username: str, password: str, created: datetime, nonce: bytes) -> bytes:
    """WS-Security UsernameToken with a password digest (OASIS UsernameToken Profile 1.0, section 3.1).

    ``created`` is aware UTC in the *device's* own time, ``nonce`` fresh random bytes.
    """
    stamp = created.strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond // 1000:03d}Z"
    digest = hashlib.sha1(nonce + stamp.encode() + password.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return _SECURITY.format(
        username=escape(_NOT_XML.sub("", username)),
        digest=b64encode(digest).decode("ascii"),
        nonce=b64encode(nonce).decode("ascii"),
        created=stamp,
    ).encode("utf-8", "replace")


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
                raise SoapError(_meaning(status, fault), _say(status, fault))
            if name == wanted and status < 400:
                return element
    refusal = _BY_STATUS.get(status, Refusal.PROTOCOL)
    if status >= 300:
        raise SoapError(refusal, f"HTTP {status} to {operation}")
    what = f"it begins with {excerpt(body.lstrip())!r}" if body.strip() else "the answer is empty"
    raise SoapError(refusal, f"no answer to {operation}: {what}")


def local_name(element: etree._Element) -> str:
    """The tag in lower case, without namespace and without a prefix that was never declared."""
    return _local(element.tag)


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag[max(tag.rfind("}"), tag.rfind(":")) + 1 :].lower()


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The children of this local name (any case)."""
    name = name.lower()
    for child in () if element is None else element:
        if _local(child.tag) == name:
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
        if _local(found.tag) == name:
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
    try:
        return etree.fromstring(raw, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return None


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


def _meaning(status: int, fault: Fault) -> Refusal:
    for refusal, pattern in _BY_CODE:
        if any(pattern.search(code) for code in fault.codes):
            return refusal
    for refusal, pattern in _BY_TEXT:
        if pattern.search(fault.reason.lower()):
            return refusal
    return _BY_STATUS.get(status, Refusal.PROTOCOL)


def _say(status: int, fault: Fault) -> str:
    code = next((code for code in reversed(fault.codes)), "")
    said = ": ".join(part for part in (clean(code, 60), fault.reason) if part) or "without a reason"
    return f"SOAP fault, HTTP {status}: {said}"
