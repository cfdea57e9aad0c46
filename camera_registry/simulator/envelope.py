"""SOAP requests to a simulated device: which operation, and whose proof."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

SOAP = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
PASSWORD_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"  # noqa: S105 - a name

REMEMBERED = 256
"""Unsigned requests kept parsed: clients send the same bytes again and again."""


class Malformed(Exception):
    """Not a SOAP request."""


@dataclass(frozen=True, slots=True)
class Token:
    """A UsernameToken as it came. ``digest``: its password is a PasswordDigest, not the plain text."""

    username: str
    password: str
    nonce: str
    created: str
    digest: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One operation: its namespace and name, the texts of its arguments by local name (the last, and all of each), and
    the proof, if any."""

    namespace: str
    operation: str
    arguments: dict[str, str]
    repeated: dict[str, tuple[str, ...]]
    token: Token | None


class Reader:
    """Reads requests strictly by namespace, as a good device would."""

    def __init__(self) -> None:
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        self._unsigned: dict[bytes, Request] = {}

    def read(self, body: bytes) -> Request:
        """Raises Malformed."""
        known = self._unsigned.get(body)
        if known is not None:
            return known
        request = self._parse(body)
        if request.token is None and len(self._unsigned) < REMEMBERED:
            self._unsigned[body] = request
        return request

    def _parse(self, body: bytes) -> Request:
        try:
            root = etree.fromstring(body, self._parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise Malformed(f"not XML: {error}") from error
        name = etree.QName(root)
        if name.namespace not in SOAP or name.localname != "Envelope":
            raise Malformed(f"the root is {root.tag}, not a SOAP Envelope")
        soap = f"{{{name.namespace}}}"
        operation = next((child for child in root.iterfind(f"{soap}Body/*")), None)
        if operation is None:
            raise Malformed("the Body is empty")
        called = etree.QName(operation)
        repeated: dict[str, tuple[str, ...]] = {}
        for element in operation.iterdescendants(etree.Element):
            name_of = etree.QName(element).localname
            repeated[name_of] = (*repeated.get(name_of, ()), (element.text or "").strip())
        arguments = {name_of: texts[-1] for name_of, texts in repeated.items()}
        token = root.find(f"{soap}Header/{WSSE}Security/{WSSE}UsernameToken")
        proof = None if token is None else _token(token)
        return Request(called.namespace or "", called.localname, arguments, repeated, proof)


def _token(element: etree._Element) -> Token:
    password = element.find(f"{WSSE}Password")
    kind = "" if password is None else password.get("Type", "")
    return Token(
        username=_text(element, f"{WSSE}Username"),
        password=_text(element, f"{WSSE}Password"),
        nonce=_text(element, f"{WSSE}Nonce"),
        created=_text(element, f"{WSU}Created"),
        digest=kind == PASSWORD_DIGEST,
    )


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
