"""What devices mean when they refuse, in every spelling that is known of them."""

from __future__ import annotations

import pytest

from probes.wire.refusal import Refusal, classify
from probes.wire.soap import Operation, SoapError, read_answer
from tests.probes.loopback import fault

AUTH, BUSY, UNSUPPORTED, PROTOCOL, VERSION = (
    Refusal.AUTH,
    Refusal.BUSY,
    Refusal.NOT_SUPPORTED,
    Refusal.PROTOCOL,
    Refusal.VERSION,
)


OLD_FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    b"<faultcode>%s</faultcode><faultstring>x</faultstring></s:Fault></s:Body></s:Envelope>"
)
UNDECLARED = (
    b"<SOAP-ENV:Envelope><SOAP-ENV:Body><SOAP-ENV:Fault><SOAP-ENV:faultcode>Client</SOAP-ENV:faultcode>"
    b"<SOAP-ENV:faultstring>Authority failure</SOAP-ENV:faultstring></SOAP-ENV:Fault></SOAP-ENV:Body>"
)


@pytest.mark.parametrize(
    "code",
    [
        "notauthorized",
        "notauthorised",
        "not_authorized",
        "unauthorized",
        "sendernotauthorized",
        "failedauthentication",
        "failedcheck",
        "invalidsecurity",
        "invalidsecuritytoken",
        "unsupportedsecuritytoken",
        "securitytokenunavailable",
        "messageexpired",
        "accessdenied",
        "authorityfailure",
        "userlocked",
        "accountlocked",
        "passworderror",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_a_code_that_means_the_password_counts_whatever_the_status(code: str, status: int):
    assert classify(status, ("sender", code), "") is AUTH
    assert classify(status, ("sender", "invalidargval", code), "Action failed") is AUTH


@pytest.mark.parametrize(
    "said",
    [
        "Sender not Authorized",
        "Sender not authorised",
        "The action requested requires authorization and the sender is not authorized",
        "Authentication failed",
        "Authentication error: Authentication error",
        "The security token could not be authenticated or authorized",
        "Wsse authorized time check failed",
        "An error was discovered processing the <wsse:Security> header",
        "Invalid username or password",
        "invalid user",
        "Illegal user",
        "No such user",
        "User does not exist",
        "the account is not known",
        "Incorrect password",
        "wrong login",
        "Username or password is wrong",
        "password error",
        "Authority failure",
        "Access denied",
        "Access is denied to this resource",
        "No permission",
        "login required",
        "auth fail",
        "The account is locked",
        "user has been locked out",
        "time check failed",
        "nonce mismatch",
        "用户名或密码错误",
        "用户鉴权失败",
        "未授权的访问",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_words_that_mean_the_password_count_where_the_code_says_nothing(said: str, status: int):
    assert classify(status, ("sender",), said) is AUTH
    assert classify(status, ("client",), said.upper()) is AUTH


@pytest.mark.parametrize(
    ("status", "codes", "said", "meaning"),
    [
        (400, ("sender", "actionnotsupported"), "Optional Action Not Implemented", UNSUPPORTED),
        (500, ("receiver", "actionnotsupported"), "Authorized users only", UNSUPPORTED),
        (
            500,
            ("server",),
            "Method 'tds:GetServices' not implemented: method name or namespace not recognized",
            UNSUPPORTED,
        ),
        (500, (), "Action not supported", UNSUPPORTED),
        (400, ("sender", "invalidargval", "noprofile"), "", UNSUPPORTED),
        (400, ("sender", "operationprohibited"), "", UNSUPPORTED),
        (500, ("sender", "operationprohibited"), "Illegal user", AUTH),
        (500, ("receiver", "action", "maxstreams"), "", BUSY),
        (500, ("receiver", "outofresource"), "", BUSY),
        (500, ("receiver",), "Too many connections", BUSY),
        (503, (), "", BUSY),
        (500, ("versionmismatch",), "SOAP version mismatch", VERSION),
        (500, ("client",), "SOAP 1.1 only", VERSION),
        (400, ("client",), "Content-Type must be text/xml", VERSION),
        (415, (), "", VERSION),
        (415, (), "Unsupported Media Type", VERSION),
        (401, (), "", AUTH),
        (403, (), "", AUTH),
        (404, (), "", UNSUPPORTED),
        (405, (), "", UNSUPPORTED),
        (501, (), "", UNSUPPORTED),
        (400, (), "", PROTOCOL),
        (500, ("receiver", "action"), "internal error", PROTOCOL),
        (500, ("sender", "wellformed"), "fault reason", PROTOCOL),
        (302, (), "", PROTOCOL),
    ],
)
def test_other_refusals_are_told_apart(status: int, codes: tuple[str, ...], said: str, meaning: Refusal):
    assert classify(status, codes, said) is meaning


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, b"<html><head><title>401 Unauthorized</title></head><body>Authentication failed</body></html>", AUTH),
        (500, b"<!DOCTYPE html><html><body><h1>Access denied</h1></body></html>", AUTH),
        (401, b"<html><script>var authorized = 1</script></html>", AUTH),
        (200, b"<html><head><title>401 Unauthorized</title></head></html>", AUTH),
        (200, b"<html><title>Login</title></html>", PROTOCOL),
        (404, b"<html><script>authorize()</script><body>404 Not Found</body></html>", UNSUPPORTED),
        (500, b"Error: Sender not authorized", AUTH),
        (200, fault("NotAuthorized", "Sender not Authorized"), AUTH),
        (500, fault("NotAuthorized", ""), AUTH),
        (500, fault("VersionMismatch", ""), VERSION),
        (500, OLD_FAULT % b"wsse:FailedAuthentication", AUTH),
        (200, UNDECLARED, AUTH),
    ],
)
def test_pages_and_faults_of_either_version_are_read_the_same(status: int, body: bytes, meaning: Refusal):
    with pytest.raises(SoapError) as caught:
        read_answer(status, body, Operation.INFORMATION)
    assert caught.value.refusal is meaning
    assert str(caught.value).isprintable()
