"""This file says what a device means when it refuses: one table for every spelling of "not authorized" and the rest.

Devices answer the same refusal with HTTP 200, 400, 401, 403 or 500, with a code of ONVIF, of WS-Security or of their
own, or with a page in HTML. The code counts first, then the words, then the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum


class Refusal(StrEnum):
    """What a device means when it does not do what it was asked."""

    AUTH = "auth"
    VERSION = "version"
    """It speaks another SOAP version."""
    NOT_SUPPORTED = "not_supported"
    BUSY = "busy"
    PROTOCOL = "protocol"


# Lower case, without a prefix. ONVIF Core 5.11.2.2, WSS SOAP Message Security 1.1 section 12, SOAP 1.2 section 5.4.6.
_BY_CODE = (
    (
        Refusal.AUTH,
        re.compile(
            r"(?:not_?|un)authori[sz]ed|failedauthentication|failedcheck|invalidsecurity|securitytoken|unsupportedsecurity"
            r"|messageexpired|access_?denied|authority_?failure|(?:user|account)_?locked|password_?(?:error|expired)"
        ),
    ),
    (Refusal.VERSION, re.compile(r"versionmismatch")),
    (Refusal.NOT_SUPPORTED, re.compile(r"notsupported|notimplemented|unknownaction|noprofile")),
    (Refusal.BUSY, re.compile(r"maxstreams|toomany|outofresource|serverbusy|maxinstances")),
)
_BY_TEXT = (
    (
        Refusal.AUTH,
        re.compile(
            r"authori[sz]|authenticat|authority failure|auth(?:entication)? ?fail|access (?:is )?denied|permission"
            r"|(?:wrong|invalid|bad|incorrect|illegal|unknown|no such) (?:user|pass|credential|login|account)"
            r"|log-?in (?:failed|required)|security"
            r"|(?:user ?name|password|nonce|digest|credentials?)\b.{0,30}\b"
            r"(?:wrong|invalid|incorrect|error|mismatch|expired)"
            r"|(?:user|account)\b.{0,12}\bnot (?:exist|found|known)|(?:user|account) .{0,12}lock|time check fail"
            r"|用户名或密码|密码错误|认证失败|鉴权失败|未授权|无权限"
        ),
    ),
    (
        Refusal.VERSION,
        re.compile(r"version ?mismatch|soap 1\.1|unsupported media type|content.?type.{0,40}(?:support|text/xml)"),
    ),
    (
        Refusal.NOT_SUPPORTED,
        re.compile(r"not supported|unsupported|not implemented|no such|unknown|not found|no profile"),
    ),
    (Refusal.BUSY, re.compile(r"too many|busy|resource")),
)
_PROHIBITED = "operationprohibited"
"""What some say to a wrong password and others to a question that they do not answer: their words tell which."""
_BY_STATUS = {
    401: Refusal.AUTH,
    403: Refusal.AUTH,
    404: Refusal.NOT_SUPPORTED,
    405: Refusal.NOT_SUPPORTED,
    415: Refusal.VERSION,
    501: Refusal.NOT_SUPPORTED,
    503: Refusal.BUSY,
}


def classify(status: int, codes: Iterable[str] = (), said: str = "") -> Refusal:
    """The meaning of a refusal with this HTTP ``status``, these fault ``codes`` (lower case, without prefix, as many as
    nest) and these words, of a fault's reason or of a page."""
    codes = tuple(codes)
    for refusal, pattern in _BY_CODE:
        if any(pattern.search(code) for code in codes):
            return refusal
    said = said.lower()
    for refusal, pattern in _BY_TEXT:
        if pattern.search(said):
            return refusal
    if _PROHIBITED in codes:
        return Refusal.NOT_SUPPORTED
    return _BY_STATUS.get(status, Refusal.PROTOCOL)
