"""Runs hostile devices by the dozen, each on an address of its own in HOSTS, and the traps that they send us to.

python -m tests.hostile.devices HANG DRIP BOMBS REDIRECTORS ECHOES VISITS

Each number is how many devices do that. Prints one line of JSON: their ports and what each address does. When it is
told to end, it writes who came to the traps into the file VISITS.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import resource
import signal
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, quote_plus

import uvloop

from camera_registry.simulator import sockets
from tests.hostile import http_attacks, pictures, rtsp_attacks, soap_answers
from tests.hostile.attack import Trap
from tests.hostile.http_attacks import answering, dripping, flooding, silent, telling
from tests.hostile.rtsp_attacks import Script, packet, rtp
from tests.probes.loopback import Handler, HttpRequest, OnvifDouble, http_answer

HOSTS = "127.44.0.0/16"
NEIGHBOUR = "127.44.255.254"
"""A host that may be connected to, but not because another device says so."""
TEXTS = (
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "A\r\nB: c",
    "\x1b[2J\x9b31m",
    "\u202e\ud800",
    "9" * 1_000_000,
)

Both = tuple[Handler, Handler]
"""What is said over HTTP, and over RTSP."""


def hang() -> Iterator[Both]:
    yield silent, silent


def drip() -> Iterator[Both]:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    yield dripping(page), dripping(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: " + b"x" * 5000)


def bombs() -> Iterator[Both]:
    """Whatever floods, swells or never ends."""
    behaviours = {name: handler for name, handler, _, waits in http_attacks.behaviours("127.0.0.1:1") if not waits}
    http = [handler for name, handler in behaviours.items() if "end" in name or "bomb" in name or "MB" in name]
    swelling = [answer.body for answer in soap_answers.ANSWERS if "laughs" in answer.name or "nesting" in answer.name]
    http += [answering(http_answer(body)) for body in swelling]
    large = [one.body for one in pictures.pictures() if "megapixels" in one.name or "30,000" in one.name]
    http += [answering(http_answer(body, content_type="image/jpeg")) for body in large]
    rtsp = [
        Script(flood=packet(0, b"")),
        Script(flood=packet(0, b""), before="DESCRIBE", after=""),
        Script(flood=packet(1, b"")),
        Script(flood=packet(0, rtp(1, b"x" * 1000))),
        Script(flood=b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", before="OPTIONS", after=""),
        Script(flood=b"RTSP/1.0 100 Continue\r\n\r\n", before="OPTIONS", after=""),
        Script({"OPTIONS": b"RTSP/1.0 200 OK\r\nX: "}, flood=b"x", after="OPTIONS"),
        Script({"DESCRIBE": "200 OK\r\nContent-Length: 2147483648\r\n\r\n"}, flood=b"x", after="DESCRIBE"),
        flooding(b"", b"\r\n"),
    ]
    for number, handler in enumerate(http):
        yield handler, rtsp[number % len(rtsp)]


def redirectors(traps: list[Trap]) -> Iterator[Both]:
    for trap in traps:
        told = [handler for name, handler, _, _ in http_attacks.behaviours(trap.place) if "redirects" in name]
        ways = [
            attack for attack in rtsp_attacks.attacks(trap) if "redirect" in attack.name or "elsewhere" in attack.name
        ]
        for number, handler in enumerate([_naming(trap), *told]):
            yield handler, ways[number % len(ways)].handler


def _naming(trap: Trap) -> Handler:
    """Names addresses elsewhere for its services, its stream and its picture."""

    def wrapped(operation: str, body: str) -> bytes:
        return soap_answers.ENVELOPE.format(
            version=soap_answers.SOAP12, body=f"<d:{operation}Response>{body}</d:{operation}Response>"
        ).encode()

    service = "<d:Service><d:Namespace>http://www.onvif.org/ver10/{0}/wsdl</d:Namespace><d:XAddr>http://{1}/</d:XAddr></d:Service>"
    answers: dict[str, bytes | tuple[int, bytes]] = {
        "GetDeviceInformation": soap_answers.GOOD.encode(),
        "GetServices": wrapped(
            "GetServices", service.format("device", trap.place) + service.format("media", trap.place)
        ),
        "GetProfiles": wrapped("GetProfiles", '<d:Profiles token="p"><d:Name>main</d:Name></d:Profiles>'),
        "GetStreamUri": wrapped("GetStreamUri", f"<d:Uri>rtsp://u:p@{trap.place}/s</d:Uri>"),
        "GetSnapshotUri": wrapped("GetSnapshotUri", f"<d:Uri>http://{trap.place}/s.jpg</d:Uri>"),
    }
    double = OnvifDouble(answers, open_operations=("GetSystemDateAndTime", *answers))
    moved = http_answer(b"", "302 Found", f"Location: http://{trap.place}/")
    return telling(lambda request: double.answer(request) if request.body else moved)


def echoes() -> Iterator[Both]:
    """Ask for the password in the clear, and say it back in every place there is; and texts that mean harm."""
    for status, text in itertools.product(("200 OK", "500 {said}", "401 {said}", "302 {said}"), TEXTS):
        yield (
            telling(_saying_back(status, text)),
            Script(dict.fromkeys(("DESCRIBE", "SETUP"), _rtsp_saying_back(status))),
        )


def _variants(authorization: str) -> str:
    packed = authorization.removeprefix("Basic ").strip()
    login = b64decode(packed + "==").decode("utf-8", "replace")
    password = login.partition(":")[2]
    return f"{packed} {login} {quote(password, safe='')} {quote_plus(password)} {quote(password)} rtsp://{login}@127.0.0.1/"


def _saying_back(status: str, text: str) -> Callable[[HttpRequest], bytes]:
    def answer(request: HttpRequest) -> bytes:
        authorization = request.headers.get("authorization", "")
        if not authorization.startswith("Basic"):
            return http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
        said = _variants(authorization)
        shown = (said + text).replace("&", "&amp;").replace("<", "&lt;")
        odd = "".join(letter if letter.isprintable() or letter == "\n" else f"&#{ord(letter)};" for letter in shown)
        body = soap_answers.GOOD.replace("S-1", odd).replace("M-1", odd[:200]).replace("Maker", odd)
        body = (
            body
            if status.startswith("200")
            else f"<e:Fault><faultcode>{said}</faultcode><faultstring>{odd}</faultstring></e:Fault>"
        )
        head = status.format(said=said)
        return http_answer(
            body.encode("utf-8", "replace"), head, f"Location: http://h/?{said}", content_type=f"text/{said}"
        )

    return answer


def _rtsp_saying_back(status: str) -> Callable[[str], str]:
    def answer(head: str) -> str:
        authorization = next(
            (line.partition(":")[2].strip() for line in head.split("\r\n") if line.startswith("Authorization")), ""
        )
        if not authorization.startswith("Basic"):
            return '401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n'
        said = _variants(authorization)
        sdp = rtsp_attacks.SDP.replace("track1", said).replace("H264/90000", f"{said.split()[1]}/90000")
        return f"{status.format(said=said)}\r\nContent-Base: {said}\r\nContent-Length: {len(sdp.encode())}\r\n\r\n{sdp}"

    return answer


async def serve(counts: list[int]) -> list[str]:
    """Serve until told to end; who came to the traps."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        traps = [await stack.enter_async_context(Trap(host).set()) for host in ("127.66.0.1", NEIGHBOUR)]
        kinds = {
            "hang": hang(),
            "drip": drip(),
            "bombs": bombs(),
            "redirectors": redirectors(traps),
            "echoes": echoes(),
        }
        devices: dict[str, tuple[str, Both]] = {}
        first = int(ip_address(HOSTS.partition("/")[0])) + 256
        for (kind, ways), count in zip(kinds.items(), counts, strict=True):
            for both in itertools.islice(itertools.cycle(list(ways)), count):
                devices[str(ip_address(first + len(devices)))] = kind, both
        ports = {}
        for place, protocol in enumerate(("http", "rtsp")):
            (listening,) = sockets.listen(0, protocol, "-")
            ports[protocol] = listening.getsockname()[1]
            server = await asyncio.start_server(_door(devices, place), sock=listening, limit=1024 * 1024)
            stack.callback(server.close)
        told = {"ports": ports, "hosts": {host: kind for host, (kind, _) in devices.items()}}
        print(json.dumps(told), flush=True)
        await stop.wait()
        return [visit for trap in traps for visit in trap.visits]


def _door(devices: dict[str, tuple[str, Both]], place: int) -> Handler:
    """Whoever comes is received as the address that was asked for does it."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, both = devices[writer.get_extra_info("sockname")[0]]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await both[place](reader, writer)
        writer.transport.abort()

    return handler


def main() -> None:
    """Serve until told to end."""
    *counts, visits = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        came = runner.run(serve([int(count) for count in counts]))
    Path(visits).write_text(json.dumps(came), encoding="utf-8")


if __name__ == "__main__":
    main()
