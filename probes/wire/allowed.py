"""This file is the allow-list: what may be sent to a device over HTTP and RTSP. Every writer of requests asks it, so
nothing else can leave, whoever wants it to.

ONVIF's part is ``soap.Operation``: a request is written for one of its members or not at all. SNMP's is ``snmp.Kind``.
"""

from __future__ import annotations

from collections.abc import Iterable

from probes.wire import WireError

RTSP = frozenset({"OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "GET_PARAMETER"})
"""What it takes to look at a stream and to leave it. No RECORD, ANNOUNCE or SET_PARAMETER."""

_SOAP = ("application/soap+xml", "text/xml")


def check_http(method: str, headers: Iterable[tuple[str, str]]) -> None:
    """Raises WireError for anything but GET, and POST of a SOAP envelope."""
    if method == "GET":
        return
    sent = next((value for name, value in headers if name.lower() == "content-type"), "")
    if method != "POST" or not sent.startswith(_SOAP):
        raise WireError(f"HTTP {method} of {sent or 'nothing'} is never sent to a device")


def check_rtsp(method: str) -> None:
    """Raises WireError for a method that does more than look."""
    if method not in RTSP:
        raise WireError(f"RTSP {method} is never sent to a device")
