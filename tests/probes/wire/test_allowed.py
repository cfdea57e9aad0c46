"""Nothing that changes a device can be written, over whatever protocol."""

from __future__ import annotations

import pytest

from probes.wire import WireError, http, rtsp
from probes.wire.soap import Operation

SOAP = (("Content-Type", "application/soap+xml; charset=utf-8"),)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_http_gets_and_nothing_else(method: str):
    with pytest.raises(WireError, match="never sent"):
        http.write_request(method, "/", "192.0.2.7", SOAP)
    assert http.write_request("GET", "/", "192.0.2.7").startswith(b"GET / ")


def test_what_is_posted_is_soap():
    assert http.write_request("POST", "/onvif", "192.0.2.7", SOAP, b"<e/>").startswith(b"POST ")
    for headers in (FORM, ()):
        with pytest.raises(WireError, match="never sent"):
            http.write_request("POST", "/cgi-bin/reboot", "192.0.2.7", headers, b"now=1")


@pytest.mark.parametrize("method", ["RECORD", "ANNOUNCE", "SET_PARAMETER", "REDIRECT", "PAUSE", "play"])
def test_rtsp_looks_and_leaves(method: str):
    with pytest.raises(WireError, match="never sent"):
        rtsp.write_request(method, "rtsp://192.0.2.7/", 1)
    assert rtsp.write_request("TEARDOWN", "rtsp://192.0.2.7/", 1).startswith(b"TEARDOWN ")


@pytest.mark.parametrize("operation", Operation)
def test_onvif_only_asks(operation: Operation):
    assert operation.value.startswith("Get")
