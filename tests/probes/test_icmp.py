"""Pings are sent where the system lets us, and their answers told from what others say."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from camera_registry.model.observation import FailureKind, Stage
from probes import icmp as probing
from probes.guard import AddressGuard
from tests.probes.loopback import probe, target, tools


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_host_that_answers_is_timed(host):
    seen = await probe("icmp", replace(target(), host=host))
    assert seen.ok
    assert (seen.facts["sent"], seen.facts["lost"]) == (3, 0)
    assert 0 < seen.facts["rtt_ms_min"] <= seen.facts["rtt_ms_median"] < 1000


async def test_silence_is_a_time_out_before_any_connection(monkeypatch: pytest.MonkeyPatch):
    # A UDP socket to a port where nothing answers stands for a host that keeps silent.
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))

    class Deaf(socket.socket):
        def connect(self, address):
            super().connect(deaf.getsockname())

    def open_socket(version):
        sock = Deaf(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        return sock

    monkeypatch.setattr(probing, "open_socket", open_socket)
    with deaf:
        seen = await probe("icmp", target(), timeout=0.6)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TIMEOUT, Stage.CONNECT)
    assert (seen.facts["sent"], seen.facts["lost"]) == (3, 3)


async def test_where_no_pings_are_permitted_nothing_is_said_of_the_device(monkeypatch: pytest.MonkeyPatch):
    class Forbidden(socket.socket):
        def __init__(self, family=-1, kind=-1, proto=-1, fileno=None):
            if proto == socket.IPPROTO_ICMP:
                raise PermissionError(1, "Operation not permitted")
            super().__init__(family, kind, proto, fileno)

    monkeypatch.setattr(socket, "socket", Forbidden)
    seen = await probe("icmp", target())
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.INTERNAL
    assert "ping_group_range" in seen.failure.detail


async def test_no_address_outside_the_networks_is_pinged():
    seen = await probe("icmp", target(), using=replace(tools(), guard=AddressGuard(["10.0.0.0/8"])))
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.INTERNAL, Stage.ADDRESS)
