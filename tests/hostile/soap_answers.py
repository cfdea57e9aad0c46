"""This file is a table of malformed SOAP: what a device answers, and what must be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_registry.model.observation import FailureKind

PROTOCOL, AUTH, BUSY = FailureKind.PROTOCOL, FailureKind.AUTH, FailureKind.BUSY
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
BODY = (
    "<d:GetDeviceInformationResponse><d:Manufacturer>Maker</d:Manufacturer><d:Model>M-1</d:Model>"
    "<d:FirmwareVersion>V1</d:FirmwareVersion><d:SerialNumber>{serial}</d:SerialNumber><d:HardwareId>H</d:HardwareId>"
    "</d:GetDeviceInformationResponse>"
)
ENVELOPE = '<e:Envelope xmlns:e="{version}" xmlns:d="http://www.onvif.org/ver10/device/wsdl"><e:Body>{body}</e:Body></e:Envelope>'
GOOD = ENVELOPE.format(version=SOAP12, body=BODY.format(serial="S-1"))
MANY = "".join(f" a{number}='b'" for number in range(5_000))
LAUGHS = "".join(f'<!ENTITY {name} "{f"&{last};" * 10}">' for last, name in zip("abcdefgh", "bcdefghi", strict=True))


@dataclass(frozen=True)
class Answer:
    """What GetDeviceInformation is answered with. ``facts`` are those that must be read; without any, ``kinds`` are the
    failures that tell the truth."""

    name: str
    body: bytes
    status: int = 200
    facts: Mapping[str, object] = field(default_factory=dict)
    kinds: frozenset[FailureKind] = frozenset({PROTOCOL})


def _read(name: str, body: str | bytes, serial: str = "S-1", status: int = 200) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    return Answer(name, raw, status, {"manufacturer": "Maker", "model": "M-1", "serial": serial})


def _serial(name: str, serial: str, read: str) -> Answer:
    return _read(name, GOOD.replace("S-1", serial), read)


def _refused(name: str, body: str | bytes, kind: FailureKind = PROTOCOL, status: int = 200) -> Answer:
    return Answer(name, body.encode() if isinstance(body, str) else body, status, kinds=frozenset({kind}))


def _fault(code: str, reason: str) -> str:
    fault = f"<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{code}</e:Value></e:Subcode></e:Code>"
    body = f"{fault}<e:Reason><e:Text>{reason}</e:Text></e:Reason></e:Fault>"
    return ENVELOPE.format(version=SOAP12, body=body)


ANSWERS = (
    # What can be read is read.
    _read("as it should be", GOOD),
    _read("a byte-order mark and blank lines first", b"\r\n\xef\xbb\xbf\r\n" + GOOD.encode()),
    _read("NULs behind", GOOD + "\x00\x00\x00"),
    _read("in UTF-16", GOOD.encode("utf-16")),
    _read("in UTF-16 that calls itself UTF-8", ('<?xml version="1.0" encoding="UTF-8"?>' + GOOD).encode("utf-16")),
    _read("with typographic quotes", "<?xml version=\u201d1.0\u201d?>" + GOOD),
    _read("in an unknown encoding", '<?xml version="1.0" encoding="X-NOWHERE"?>' + GOOD),
    _read("in SOAP 1.1", GOOD.replace(SOAP12, SOAP11)),
    _read("in no namespace", GOOD.replace(' xmlns:d="http://www.onvif.org/ver10/device/wsdl"', "")),
    _read("in another case", GOOD.replace("GetDeviceInformation", "getdeviceinformation")),
    _read("without an envelope", BODY.format(serial="S-1")),
    _read("in two envelopes", ENVELOPE.format(version=SOAP12, body=GOOD)),
    _read("cut off", GOOD[: -len("</d:GetDeviceInformationResponse></e:Body></e:Envelope>")]),
    _read("with an ampersand of its own", GOOD.replace("<d:HardwareId>H", "<d:HardwareId>H & Co")),
    _read("with control characters", GOOD.replace("<d:HardwareId>H", "<d:HardwareId>\x00\x0b\x1b[2J")),
    _read("with Latin-1 bytes", GOOD.replace("<d:HardwareId>H", "<d:HardwareId>ñ").encode("latin-1")),
    _read("with GBK bytes", GOOD.replace("<d:HardwareId>H", "<d:HardwareId>海康").encode("gbk")),
    _read("with comments and instructions between", GOOD.replace("<d:Model>", "<!-- a --><?b c?><d:Model>")),
    _read("with sections of text", GOOD.replace("M-1", "<![CDATA[M-1]]>")),
    _read("twice", GOOD.replace("<d:Model>M-1</d:Model>", "<d:Model>M-1</d:Model><d:Model>M-2</d:Model>")),
    _read("with 20,000 strangers", GOOD.replace("<d:Model>", "<d:X/>" * 20_000 + "<d:Model>")),
    _read("as one part of several", "--part\r\nContent-Type: application/xop+xml\r\n\r\n" + GOOD + "\r\n--part--\r\n"),
    _read("behind text of its own", "DEBUG: free heap 1234\r\n" + GOOD),
    _read("with 5,000 attributes", GOOD.replace("<d:Model>", f"<d:Model{MANY}>")),
    _serial("a serial of lone surrogates", "A&#xD800;B&#xDFFF;", "AB"),
    _serial("a serial of two lines", "A\r\nSet-Cookie: x&#13;&#10;B", "A Set-Cookie: x B"),
    _serial("a serial that is a script", "&lt;img src=x onerror=alert(1)&gt;", "<img src=x onerror=alert(1)>"),
    _serial("a serial that is a formula", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    _serial("a serial that writes to terminals", "A&#x1b;[31mB&#x9b;2J&#x202e;C", "A [31mB 2J C"),
    _serial("a serial of 1 MB", "9" * 1_000_000, "9" * 255 + "…"),
    # What cannot be read says so.
    _refused("nothing", ""),
    _refused("blanks", " \r\n \x00"),
    _refused("a word", "OK"),
    _refused("JSON", '{"Manufacturer": "Maker"}'),
    _refused("a page", "<html><body><h1>Web server</h1></body></html>"),
    _refused("a page that asks for a password", "<html><title>Unauthorized</title></html>", AUTH, 401),
    _refused("a page of a type", "<!DOCTYPE html><html></html>"),
    _refused("a lone bracket", "<"),
    _refused("brackets", "<" * 100_000),
    _refused("an open comment", "<!--" + "-" * 50_000),
    _refused("nesting of 100,000", "<a>" * 100_000),
    _refused("an attribute without end", '<e:Envelope a="' + "x" * 200_000),
    _refused("random bytes", bytes(range(256)) * 40),
    _refused("another answer", GOOD.replace("GetDeviceInformationResponse", "GetHostnameResponse")),
    _refused("an empty body", ENVELOPE.format(version=SOAP12, body="")),
    _refused("a document type", "<!DOCTYPE e [<!ELEMENT e ANY>]>" + GOOD),
    _refused("an entity", '<!DOCTYPE e [<!ENTITY x "y">]>' + GOOD.replace("M-1", "&x;")),
    _refused("a billion laughs", f'<!DOCTYPE e [<!ENTITY a "ha">{LAUGHS}]>' + GOOD.replace("M-1", "&i;")),
    _refused(
        "a large entity many times", f'<!DOCTYPE e [<!ENTITY a "{"a" * 50_000}">]>' + GOOD.replace("M-1", "&a;" * 999)
    ),
    _refused("a file of ours", '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + GOOD.replace("M-1", "&x;")),
    _refused("a parameter entity", '<!DOCTYPE e [<!ENTITY % x SYSTEM "http://127.66.0.1/x"> %x;]>' + GOOD),
    _refused("a document type elsewhere", '<!DOCTYPE e SYSTEM "http://127.66.0.1/x.dtd">' + GOOD),
    _refused("a document type in UTF-16", ("<!DOCTYPE e [<!ENTITY a 'b'>]>" + GOOD).encode("utf-16")),
    _refused("a document type in UTF-16 without a mark", ("<!DOCTYPE e>" + GOOD).encode("utf-16-le")),
    _refused("a document type in UTF-32", ("<!DOCTYPE e>" + GOOD).encode("utf-32")),
    _refused("a document type in small letters", "<!doctype e [<!entity a 'b'>]>" + GOOD),
    # Refusals in all their spellings.
    _refused("a fault in an answer that is well", _fault("ter:NotAuthorized", "no"), AUTH),
    _refused("a fault that only its text explains", _fault("ter:Odd", "Sender not Authorized"), AUTH, 500),
    _refused("a fault without a code", ENVELOPE.format(version=SOAP12, body="<e:Fault/>"), PROTOCOL, 500),
    _refused("a fault with a reason of 1 MB", _fault("ter:Action", "x" * 1_000_000), PROTOCOL, 500),
    _refused("a fault that is busy", _fault("ter:OutofResource", "too many users"), BUSY, 500),
    _refused("a fault in a page", "<html><Fault>Not Authorized</Fault></html>", AUTH, 401),
    _refused("an answer in an error", GOOD, PROTOCOL, 500),
)
