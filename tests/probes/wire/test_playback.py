"""How a stream fares that plays: losses, jitter, pauses and rates, by the sums of RFC 3550 and by hand."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.wire.playback import Playback
from probes.wire.reception import Reception, Sorter
from probes.wire.rtp import Packet
from probes.wire.sdp import Media

VIDEO = Media("video", 96, "H264")
KEY, OTHER = b"\x65\x88" + b"k" * 98, b"\x41\x9a" + b"o" * 98


def packet(sequence: int, timestamp: int = 0, source: int = 7) -> Packet:
    return Packet(96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, marker=True, payload=OTHER, source=source)


def rtp(sequence: int, timestamp: int, payload: bytes = OTHER, kind: int = 96) -> bytes:
    return struct.pack("!BBHII", 0x80, 0x80 | kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7) + payload


def received(*sequences: int) -> Reception:
    reception = Reception(90_000)
    for number in sequences:
        reception.add(packet(number), 0.0)
    return reception


@pytest.mark.parametrize(
    ("sequences", "expected", "lost"),
    [
        ((1, 2, 3, 4), 4, 0),
        ((1, 2, 5), 5, 2),
        ((65_534, 65_535, 0, 1, 3), 6, 1),
        ((1, 3, 2, 4), 4, 0),
        ((1, 2, 40_000, 40_001), 4, 0),
    ],
)
def test_packets_are_missed_by_their_numbers(sequences: tuple[int, ...], expected: int, lost: int):
    reception = received(*sequences)
    assert (reception.expected, reception.lost) == (expected, lost)


def test_a_sender_that_begins_anew_loses_nothing():
    reception = received(1, 2, 3)
    for number in (500, 501):
        reception.add(packet(number, source=8), 0.0)
    assert (reception.expected, reception.lost) == (5, 0)


def test_packets_as_even_as_their_timestamps_have_no_jitter_and_uneven_ones_the_rfc_s():
    even, uneven = Reception(90_000), Reception(90_000)
    for number in range(100):
        even.add(packet(number, 3600 * number), 5 + 0.04 * number)
        uneven.add(packet(number, 3600 * number), 5 + 0.04 * number + 0.01 * (number % 2))
    assert even.jitter == pytest.approx(0, abs=1e-9)
    # J += (|D| - J) / 16 with |D| always 10 ms tends to 10 ms; 99 steps of it are all but there.
    assert uneven.jitter == pytest.approx(0.010 * (1 - (15 / 16) ** 99), rel=1e-6)


def test_a_clock_that_is_set_is_no_jitter():
    reception = Reception(90_000)
    for number, timestamp in enumerate((0, 3600, 2_000_000_000, 2_000_003_600)):
        reception.add(packet(number, timestamp), 0.04 * number)
    assert reception.jitter == pytest.approx(0, abs=1e-9)


def test_packets_that_overtook_each_other_come_out_in_order_and_lost_ones_hold_nobody_up_for_long():
    sorter = Sorter()
    came = [65_534, 0, 65_535, 1, 1, 3, 4, *range(5, 30)]
    out = [ready.sequence for number in came for ready in sorter.add(packet(number))]
    assert out == [65_534, 65_535, 0, 1, *range(3, 30)]


def played(frames: int, interval: float = 0.04, step: int = 3600, key_every: int = 25) -> Playback:
    playback = Playback(VIDEO)
    for number in range(frames):
        payload = OTHER if number % key_every else KEY
        playback.take(rtp(number, step * number, payload), 100 + interval * number)
    return playback


def test_rates_are_those_of_the_stream():
    facts = played(51).facts(102.0)
    assert facts["frames"] == 51
    assert facts["frame_rate"] == 25.0
    assert facts["measured_seconds"] == 2.0
    assert facts["key_frame_interval_seconds"] == 1.0
    assert facts["bitrate_kbps"] == 50 * 112 * 8 / 2 / 1000
    assert (facts["pauses"], facts["packets_lost"], facts["loss_share"]) == (0, 0, 0.0)
    assert facts["longest_pause_seconds"] == 0.04


def test_what_a_device_had_kept_and_sends_all_at_once_makes_it_no_faster():
    assert played(51, interval=0.001).facts(100.05)["frame_rate"] == 25.0


@pytest.mark.parametrize("step", [0, 900_000])
def test_nonsense_for_rtp_time_is_not_believed(step: int):
    assert played(51, step=step).facts(102.0)["frame_rate"] == 25.0


def test_silence_counts_as_a_pause_and_in_the_rate():
    facts = played(26).facts(103.0)
    assert (facts["pauses"], facts["longest_pause_seconds"]) == (1, 2.0)
    assert facts["frame_rate"] == pytest.approx(25 / 3, abs=0.01)


def test_a_lost_packet_costs_its_frame_and_is_counted():
    playback = Playback(VIDEO)
    for number in range(10):
        if number != 4:
            half = 1800 * (number - number % 2)
            playback.take(struct.pack("!BBHII", 0x80, 0x60 | (number % 2) << 7, number, half, 7) + OTHER, 0.02 * number)
    facts = playback.facts(0.2)
    assert (facts["frames"], facts["packets_lost"]) == (4, 1)


def test_packets_of_another_kind_count_only_while_the_announced_one_is_missing():
    playback = Playback(VIDEO)
    playback.take(rtp(1, 0, KEY, kind=97), 0.0)
    assert playback.finder.frames == 1
    playback.take(rtp(2, 3600, KEY), 0.0)
    playback.take(rtp(900, 7200, KEY, kind=97), 0.0)
    assert (playback.finder.frames, playback.packets) == (2, 2)


@settings(max_examples=60)
@given(
    st.sampled_from(["H264", "H265", "JPEG", "VP8"]),
    st.booleans(),
    st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.integers(0, 2**32 - 1)), max_size=20),
)
def test_any_packets_give_facts(codec: str, unordered: bool, came: list[tuple[bytes, bool, int]]):
    playback = Playback(Media("video", 96, codec), unordered=unordered)
    for place, (data, plain, timestamp) in enumerate(came):
        playback.take(rtp(place, timestamp, data) if plain else data, float(place))
        playback.hear(data, float(place))
    facts = playback.facts(float(len(came)))
    assert isinstance(facts["frames"], int)
    assert facts["frames"] <= len(came)
