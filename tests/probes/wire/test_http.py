"""HTTP answers as cameras send them, in pieces of any size; bytes of any kind give an answer or a declared error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import TooLarge, WireError
from probes.wire.http import Answer, AnswerReader, host_header, request_target, write_request
from tests.probes.wire.refusal import refusal


def read(raw: bytes, limit: int = 1000, piece: int = 0) -> Answer:
    reader = AnswerReader(limit)
    pieces = [raw[start : start + piece] for start in range(0, len(raw), piece)] if piece else [raw]
    for part in pieces:
        if reader.feed(part):
            assert reader.answer is not None
            return reader.answer
    return reader.end()


@pytest.mark.parametrize("piece", [0, 1, 7])
@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.0 200\r\nContent-Length: 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", b"body"),
        (b"\r\n\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Length:4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nX: folded\r\n  line\r\nNo colon\r\nContent-Length: 4, 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nT: r\r\n\r\n", b"body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n4\nbody\n0\n\n", b"body"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", b""),
    ],
)
def test_what_cameras_send_is_read_in_pieces_of_any_size(raw: bytes, body: bytes, piece: int):
    answer = read(raw, piece=piece)
    assert answer.body == body
    assert answer.complete


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\nbody",
    ],
)
def test_an_answer_cut_short_is_kept_and_marked(raw: bytes):
    answer = read(raw)
    assert answer.body == b"body"
    assert not answer.complete
    assert not answer.reusable


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_more_than_the_limit_is_refused_before_it_is_taken_in(raw: bytes):
    with pytest.raises(TooLarge):
        read(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "not an HTTP answer"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "speaks RTSP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "compressed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "interim"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: r\r\n" * 200, "without end"),
    ],
)
def test_what_is_no_answer_says_so(raw: bytes, said: str):
    with pytest.raises(WireError, match=said):
        read(raw)


def test_a_connection_is_used_again_only_if_the_device_keeps_it():
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").reusable
    assert not read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").reusable
    assert not read(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").reusable
    assert not read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore").reusable


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer_or_a_declared_error(raw: bytes):
    for data in (raw, b"HTTP/1.1 200 OK\r\n" + raw, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + raw):
        assert refusal(read, data).isprintable()


@given(st.text(max_size=80))
def test_any_path_makes_one_clean_request_line(path: str):
    encodable = path.encode("utf-8", "replace").decode("utf-8")
    raw = write_request("GET", request_target(encodable), "h")
    line, _, rest = raw.partition(b"\r\n")
    assert line.count(b" ") == 2
    assert line.isascii()
    assert rest.startswith(b"Host: h\r\n")


def test_headers_can_not_be_smuggled():
    with pytest.raises(WireError):
        write_request("GET", "/", "h", [("X", "a\r\nHost: other")])


def test_a_host_is_written_as_it_must_be():
    assert host_header("10.0.0.1", 80, 80) == "10.0.0.1"
    assert host_header("2001:db8::1", 8080, 80) == "[2001:db8::1]:8080"
