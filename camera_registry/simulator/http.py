"""HTTP of a simulated device: ONVIF over SOAP, and still pictures."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from random import Random

from camera_registry.simulator import answers
from camera_registry.simulator.access import Verdict
from camera_registry.simulator.connection import Connection, look_of
from camera_registry.simulator.envelope import Malformed, Request
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.makers import SoapAccess
from camera_registry.simulator.member import STATUS_PATH
from camera_registry.simulator.question import Asked, SoapFault
from camera_registry.simulator.scene import VARIANTS
from camera_registry.simulator.stills import still_of

LARGEST_HEAD = 16_384
LARGEST_BODY = 262_144
PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    500: "Internal Server Error",
}
SOAP_TYPE = "application/soap+xml; charset=utf-8"
DEVICE_PATH = "/onvif/device_service"
REFUSED_PAGE = b"<!DOCTYPE html><html><head><title>Unauthorized</title></head><body>Access denied</body></html>"

_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.([01])")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,12}) *\r\n", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *([^\r\n]+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class HttpConnection(Connection):
    """Reads requests and answers them in turn; connections are kept open until the client or idleness ends them."""

    __slots__ = ()

    def opened(self) -> None:
        member = self.device.member
        if not (member.speaks_onvif or member.has_page):
            self.reset()

    def received(self, data: bytes) -> bytes:
        while data:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > LARGEST_HEAD:
                    self._refuse(400, "the request's head is too long")
                    return b""
                return data
            head = data[: end + 4]
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if size > LARGEST_BODY or _CHUNKED.search(head):
                self._refuse(413 if length else 411, "send a Content-Length of at most 256 kB")
                return b""
            begin = end + 4
            if len(data) < begin + size:
                return data
            if not self._request(head, data[begin : begin + size]):
                return b""
            data = data[begin + size :]
        return b""

    def _request(self, head: bytes, body: bytes) -> bool:
        """Answer one request. Returns whether the connection stays open."""
        line = _REQUEST_LINE.match(head.decode("latin-1"))
        if line is None:
            self._refuse(400, "this is no HTTP/1 request")
            return False
        method, target, minor = line.groups()
        found = _AUTHORIZATION.search(head)
        authorization = found[1].decode("latin-1").strip() if found else ""
        path = target.partition("?")[0]
        media_path = self.device.member.maker.media_path
        if path in (DEVICE_PATH, media_path) or path in answers.PATHS:
            self._soap(method, target, authorization, body)
        elif method != "GET":
            # Makers' own interfaces change a device by PUT and POST: nobody may, and it is counted.
            self.device.counts.forbidden += 1
            self._answer(405, b"", "text/html", ["Allow: GET"])
        elif self.device.member.has_page and path == STATUS_PATH:
            self.device.counts.request("http.status")
            self._answer(200, f"<!DOCTYPE html><p>{self.device.member.id}: OK".encode(), "text/html")
        else:
            self._picture(target, authorization)
        if minor == "0" or _CLOSE.search(head):
            self.hang_up()
            return False
        return True

    def _soap(self, method: str, target: str, authorization: str, body: bytes) -> None:
        maker = self.device.member.maker
        if method != "POST":
            self._answer(405, b"", "text/html", ["Allow: POST"])
            return
        try:
            request = self.premises.reader.read(body)
        except Malformed as error:
            self._fault(SoapFault("Sender", ("WellFormed",), str(error)), 400)
            return
        self.device.counts.request(f"onvif.{request.operation}")
        if not request.operation.startswith("Get"):
            self.device.counts.forbidden += 1
        key = (request.namespace, request.operation)
        if key not in answers.OPEN_TO_ALL:
            verdict = self._judge(request, authorization, target)
            if verdict is not Verdict.GRANTED:
                self._not_authorized(verdict)
                return
        answer = answers.answer_for(self.device, *key)
        if answer is None:
            self._fault(SoapFault("Receiver", ("ActionNotSupported",), "Action not supported"), 500)
            return
        try:
            text = answer(Asked(self.device, request.arguments, self.premises.ports, request.repeated))
        except SoapFault as error:
            self._fault(error, 500 if error.code == "Receiver" else 400)
            return
        self._answer(200, answers.dialect(maker.envelope, maker.schema, text), SOAP_TYPE)

    def _judge(self, request: Request, authorization: str, target: str) -> Verdict:
        """A proof of the kind that this device takes; HTTP's goes first where both are given."""
        maker, gate = self.device.member.maker, self.premises.gate
        if maker.soap is not SoapAccess.WS_SECURITY and authorization:
            verdict = gate.check(self.device, maker.soap_schemes, authorization, "POST", target)
            if verdict is not Verdict.MISSING:
                return verdict
        token = request.token
        if maker.soap is SoapAccess.DIGEST or token is None or not token.digest:
            return Verdict.MISSING
        return gate.check_token(self.device, token.username, token.password, token.nonce, token.created)

    def _not_authorized(self, verdict: Verdict) -> None:
        maker = self.device.member.maker
        challenges: list[str] = []
        if maker.soap is not SoapAccess.WS_SECURITY and maker.refusal == 401:
            stale = verdict is Verdict.STALE
            offered = self.premises.gate.challenges(self.device, maker.soap_schemes, stale=stale)
            challenges = [f"WWW-Authenticate: {challenge}" for challenge in offered]
        if maker.soap is SoapAccess.DIGEST:
            self._answer(401, REFUSED_PAGE, "text/html", challenges)
            return
        error = SoapFault("Sender", ("NotAuthorized",), "Sender not Authorized")
        self._fault(error, maker.refusal, challenges)

    def _fault(self, error: SoapFault, status: int, headers: list[str] | None = None) -> None:
        maker = self.device.member.maker
        text = answers.fault(maker.envelope, error)
        self._answer(status, answers.dialect(maker.envelope, maker.schema, text), SOAP_TYPE, headers)

    def _picture(self, target: str, authorization: str) -> None:
        member = self.device.member
        channel = member.maker.picture_of(target)
        if channel is None or not 1 <= channel <= member.channels:
            self._answer(404, b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "text/html")
            return
        schemes, gate = member.maker.snapshot, self.premises.gate
        verdict = Verdict.MISSING
        if authorization:
            verdict = gate.check(self.device, schemes, authorization, "GET", target)
        if verdict is not Verdict.GRANTED:
            offered = gate.challenges(self.device, schemes, stale=verdict is Verdict.STALE)
            challenges = [f"WWW-Authenticate: {challenge}" for challenge in offered]
            self._answer(401, REFUSED_PAGE, "text/html", challenges)
            return
        self.device.counts.request("http.snapshot")
        self._answer(200, self._jpeg(channel), "image/jpeg")

    def _jpeg(self, channel: int) -> bytes:
        device = self.device
        frozen = Fault.FROZEN in device.faults
        if frozen and channel in device.frozen_picture:
            return device.frozen_picture[channel]
        name = device.member.id if device.member.channels == 1 else f"{device.member.id}-{channel}"
        clock = _clock_text(int(device.shown))
        still = still_of((device.member.scene + channel) % VARIANTS, look_of(device))
        # The cars and the noise of one moment, whenever it is asked for.
        moment = device.faults.begun[Fault.HELD] if Fault.HELD in device.faults else None
        chance = self.premises.noise if moment is None else Random(moment)  # noqa: S311 - noise of a picture
        jpeg = still.picture(clock, name, chance)
        if frozen:
            device.frozen_picture[channel] = jpeg
        return jpeg

    def _refuse(self, status: int, why: str) -> None:
        """Answer a request that can't be read, and close."""
        self._answer(status, why.encode(), "text/plain", ["Connection: close"])
        self.hang_up()

    def _answer(self, status: int, body: bytes, kind: str, headers: list[str] | None = None) -> None:
        more = "".join(f"{header}\r\n" for header in headers) if headers else ""
        head = (
            f"HTTP/1.1 {status} {PHRASES[status]}\r\nServer: {self.device.member.maker.name}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        )
        self.send(head.encode("latin-1") + body)


@lru_cache(maxsize=1024)
def _clock_text(second: int) -> str:
    """What the burnt-in clock shows, in the devices' own time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second + answers.ZONE_OFFSET))
