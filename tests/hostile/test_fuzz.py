"""Every codec answers any bytes with a value or with a WireError: 10,000 cases each, and a codec without cases fails.

Half of the cases are what hypothesis makes up, half are honest messages with a few bytes changed, for noise alone never
gets past a codec's first line. `FUZZ_CASES=1000000 make test ARGS="-k fuzz"` looks longer, at other cases each time.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import probes.wire
from probes.wire import http, rtsp
from tests.hostile.codecs import CODECS, WRITE_ONLY, Codec
from tests.probes.wire.refusal import refusal

GIVEN = os.environ.get("FUZZ_CASES")
CASES = int(GIVEN or 10_000)
TURN = 25
"""Cases of one example of hypothesis: what it makes up itself costs ten times the codec's work."""
FOUND = {module.name for module in pkgutil.iter_modules(probes.wire.__path__)}
SLOW = 1.0
"""Seconds of processor time that no case of a few kilobytes may take."""

Random32 = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    """What other tests have left behind in this process is not to be looked through on a codec's account."""
    gc.disable()
    yield
    gc.enable()


def test_every_codec_is_fuzzed() -> None:
    assert not FOUND - CODECS.keys() - WRITE_ONLY, "name what reads it, and honest messages, in tests/hostile/codecs.py"


@pytest.mark.parametrize("name", sorted(FOUND & CODECS.keys()))
def test_a_codec_gives_a_value_or_a_declared_error_for_any_bytes_and_soon(name: str) -> None:
    codec, counted = CODECS[name], 0
    messages = codec.honest

    @settings(
        max_examples=-(-CASES // TURN),
        derandomize=GIVEN is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=300), Random32)
    def fuzz(made_up: bytes, number: int) -> None:
        nonlocal counted
        random = Random(number)
        honest = random.choice(messages)
        for turn in range(TURN):
            counted += 1
            hold(codec, _spliced(made_up, honest, random) if turn % 2 else _mutated(honest, random))

    fuzz()
    assert counted >= CASES


@pytest.mark.parametrize(
    ("reader", "begin"),
    [(lambda: http.AnswerReader(64 * 1024), b"HTTP/1.1 200 OK\r\n"), (rtsp.Reader, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")],
    ids=["http", "rtsp"],
)
def test_an_answer_that_comes_byte_by_byte_is_read_once(
    reader: Callable[[], http.AnswerReader | rtsp.Reader], begin: bytes
) -> None:
    headers = b"".join(b"X-%d: y\r\n" % number for number in range(5_500))
    answer = begin + headers + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000
    begun = time.process_time()
    one = reader()
    given = [one.feed(answer[place : place + 1]) for place in range(len(answer))]
    assert given[-1]
    assert not any(given[:-1])
    assert time.process_time() - begun < SLOW


def hold(codec: Codec, data: bytes) -> None:
    begun = time.process_time()
    try:
        said = refusal(codec.read, data)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} for {data!r}") from error
    assert said.isprintable(), data
    assert len(said) < 1_000, data
    took = time.process_time() - begun
    assert took < SLOW, f"{took:.1f} s for {data!r}"


def _spliced(made_up: bytes, honest: bytes, random: Random) -> bytes:
    """What hypothesis made up, alone or somewhere in an honest message."""
    if random.random() < 0.2:
        return made_up
    begin, end = sorted(random.choices(range(len(honest) + 1), k=2))
    return honest[:begin] + made_up[: random.randrange(1, 40)] + honest[end if random.random() < 0.3 else begin :]


def _mutated(honest: bytes, random: Random) -> bytes:
    """An honest message with a few bytes changed, lost, repeated or swapped, or cut off."""
    data = bytearray(honest)
    for _ in range(random.choice((1, 1, 2, 4, 12))):
        if not data:
            break
        place = random.randrange(len(data))
        match random.randrange(6):
            case 0:
                data[place] = random.randrange(256)
            case 1:
                data[place] ^= 1 << random.randrange(8)
            case 2:
                del data[place : place + random.choice((1, 3, 20))]
            case 3:
                data[place:place] = data[place : place + random.choice((1, 8, 60))] * random.choice((1, 2, 30))
            case 4:
                data[place:place] = random.choice(SPICE)
            case _:
                del data[place:]
    return bytes(data)


SPICE = (
    b"\r\n", b"\n\n", b"\x00", b"\xff\xff\xff\xff", b"-1", b"9" * 30, b"&#xD800;", b"&#0;", b"&x;", b"<!--", b"]]>",
    b'"', b"\\", b"%00", b"\xed\xa0\x80", b"\xff\xfe", b"\xe2\x80\xae", b"=", b";" * 50, b"," * 50, b":",
    b"$\x00\xff\xff", b"<a>", b"\x1b[31m", b"1e999", b"+0", b" ", b"\t", b"\x80" * 20, "٣".encode(),
)  # fmt: skip
