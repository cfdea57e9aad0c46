"""What the probe learns over SNMP, from net-snmp's own agent and from agents that misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from camera_registry.model.observation import FailureKind, Observation, Stage
from camera_registry.model.people import Credential
from probes.base import Tools
from probes.wire import ber, snmp
from probes.wire.snmp import Kind
from tests.probes.loopback import hearing, probe, target, tools
from tests.servers import snmp_agent

COMMUNITY, PROOF, SEAL = "canary-7f3a9c21", "canary-for-proof", "canary-for-sealing"
SETTINGS = (
    f"rocommunity {COMMUNITY} 127.0.0.0/8",
    "rouser sealed priv",
    f"createUser sealed SHA-256 {PROOF} AES {SEAL}",
    "rouser proved auth",
    f"createUser proved SHA {PROOF}",
    "sysName sw-third",
    "override 1.3.6.1.2.1.33.1.4.1.0 integer 5",  # UPS-MIB: upsOutputSource is battery
    "override 1.3.6.1.2.1.33.1.2.3.0 integer 17",
)


@pytest.fixture(scope="module")
def agent() -> Iterator[int]:
    with snmp_agent(*SETTINGS) as port:
        yield port


def knowing(user: str, password: str) -> Tools:
    return replace(tools(), credential={"cred": Credential("cred", user, password)}.get)


async def ask(port: int, user: str, password: str, **more: float) -> Observation:
    return await probe("snmp", target(snmp=port), using=knowing(user, password), **more)


@pytest.mark.parametrize(
    ("user", "password"),
    [("", COMMUNITY), ("sealed", f"sha256:{PROOF} {SEAL}"), ("proved", PROOF)],
)
async def test_an_agent_of_net_snmp_is_read_in_every_version(agent, user, password):
    seen = await ask(agent, user, password)
    assert seen.failure is None
    assert seen.facts["name"] == "sw-third"
    assert seen.facts["description"].startswith("Linux")
    assert seen.facts["object_id"].startswith("1.3.6.1.4.1.8072.")
    assert seen.facts["uptime_seconds"] >= 0
    assert seen.facts["ups"] == {"source": "battery", "battery": "unknown", "minutes": 17}
    assert "canary" not in repr(seen)


async def test_a_wrong_community_is_silence_and_the_detail_says_what_it_may_mean(agent):
    seen = await ask(agent, "", "canary-wrong", timeout=1.5)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TIMEOUT, Stage.CONNECT)
    assert "community" in seen.failure.detail
    assert "canary" not in seen.failure.detail


@pytest.mark.parametrize(
    ("user", "password"), [("nobody", PROOF), ("proved", "canary-wrong"), ("sealed", f"sha:{PROOF} {SEAL}")]
)
async def test_wrong_secrets_of_a_user_are_told_and_not_tried_again(agent, user, password):
    using = knowing(user, password)
    for _ in range(2):
        seen = await probe("snmp", target(snmp=agent), using=using)
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.stage) == (FailureKind.AUTH, Stage.AUTHENTICATE)
        assert "left alone" in seen.failure.detail
        assert "canary" not in seen.failure.detail


async def test_a_wrong_secret_for_encryption_is_silence_and_the_detail_says_so(agent):
    seen = await ask(agent, "sealed", f"sha256:{PROOF} canary-wrong", timeout=1.5)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.TIMEOUT, Stage.ANSWER)
    assert "secret for encryption" in seen.failure.detail


async def test_a_user_whose_secret_is_written_wrong_is_told_how(agent):
    seen = await ask(agent, "proved", "short")
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert "8 or more characters" in seen.failure.detail


async def test_an_agent_that_was_started_again_is_followed():
    using = knowing("proved", PROOF)
    with snmp_agent(*SETTINGS) as port:
        assert (await probe("snmp", target(snmp=port), using=using)).ok
    with snmp_agent(*SETTINGS) as port:  # another engine, another clock
        assert (await probe("snmp", target(snmp=port), using=using)).ok


async def test_where_nothing_listens_is_refused():
    with snmp_agent(*SETTINGS) as port:
        pass
    seen = await ask(port, "", COMMUNITY)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.REFUSED


async def test_without_a_credential_nothing_is_asked():
    seen = await probe("snmp", target("", snmp=161))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH


class Agent:
    """An agent that answers as a test tells it."""

    def __init__(self, answer: Callable[[bytes, snmp.Pdu], list[bytes]]) -> None:
        self._answer = answer
        self.asked = 0

    def heard(self, sock, data, address):
        self.asked += 1
        for message in self._answer(*snmp.read_community(data)):
            sock.sendto(message, address)


@asynccontextmanager
async def answering(answer: Callable[[bytes, snmp.Pdu], list[bytes]]) -> AsyncIterator[tuple[int, Agent]]:
    agent = Agent(answer)
    async with hearing("127.0.0.1", 0, agent.heard) as port:
        yield port, agent


def response(community: bytes, asked: snmp.Pdu, *values: tuple[ber.Oid, bytes], error: int = 0) -> bytes:
    bindings = ber.sequence(ber.sequence((ber.oid(name), value)) for name, value in values)
    pdu = ber.sequence((ber.integer(asked.request), ber.integer(error), ber.integer(0), bindings), Kind.RESPONSE)
    return snmp.write_community(community, pdu)


async def test_a_table_without_end_is_left_in_time():
    def endless(community, asked):
        if asked.kind == Kind.GET:
            return [response(community, asked)]
        rows = [((*name, 1), ber.integer(6)) for name, _ in asked.bindings]
        return [response(community, asked, *rows)]

    async with answering(endless) as (port, agent):
        seen = await ask(port, "", COMMUNITY)
    assert seen.ok
    assert agent.asked < 200


async def test_a_table_that_goes_round_is_left_at_once():
    def round_and_round(community, asked):
        if asked.kind == Kind.GET:
            return [response(community, asked)]
        column = (1, 3, 6, 1, 2, 1, 2, 2, 1, 3)
        return [response(community, asked, *[((*column, 1), ber.integer(6)) for _ in asked.bindings])]

    async with answering(round_and_round) as (port, agent):
        seen = await ask(port, "", COMMUNITY)
    assert seen.ok
    assert agent.asked < 12


async def test_more_ports_than_any_switch_has_are_not_kept():
    columns = {3: ber.integer(6), 8: ber.integer(1)}

    def huge(community, asked):
        if asked.kind == Kind.GET:
            return [response(community, asked)]
        rows = []
        for step in range(1, 30):
            for name, _ in asked.bindings:
                at = name[10] if len(name) > 10 else 0
                value = columns.get(name[9]) if name[:9] == (1, 3, 6, 1, 2, 1, 2, 2, 1) else None
                rows.append(((*name[:10], at + step), value or ber.write(ber.Tag.END_OF_MIB, b"")))
        return [response(community, asked, *rows)]

    async with answering(huge) as (port, _):
        seen = await ask(port, "", COMMUNITY)
    assert seen.ok
    assert len(seen.facts["ports"]) == 256


async def test_a_datagram_that_got_lost_is_sent_again_and_a_late_answer_is_no_answer_to_the_next():
    dropped = False

    def forgetful(community, asked):
        nonlocal dropped
        if not dropped:
            dropped = True
            return []
        stray = replace(asked, request=asked.request ^ 1)
        return [response(community, stray), response(community, asked)]

    async with answering(forgetful) as (port, _):
        seen = await ask(port, "", COMMUNITY)
    assert seen.ok


async def test_babble_is_a_protocol_failure():
    async with answering(lambda community, asked: [b"\x30\x84\xff\xff\xff\xff"]) as (port, _):
        seen = await ask(port, "", COMMUNITY)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.PROTOCOL, Stage.ANSWER)
