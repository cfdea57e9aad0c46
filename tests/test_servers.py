"""Tests that the servers other tests talk to are there and run."""

from __future__ import annotations

import subprocess

import av
import pytest

from tests.servers import (
    alertmanager_binary,
    gstreamer_rtsp_server,
    prometheus_binary,
    promtool_binary,
)


@pytest.mark.parametrize("find", [prometheus_binary, promtool_binary, alertmanager_binary])
def test_a_fetched_program_runs(find):
    result = subprocess.run([find(), "--version"], capture_output=True, text=True, timeout=30, check=True)
    assert "version" in result.stdout + result.stderr


def test_gstreamer_serves_frames_to_who_knows_the_password_and_to_nobody_else():
    options = {"rtsp_transport": "tcp", "timeout": "10000000"}
    with gstreamer_rtsp_server("viewer", "correct horse") as port:
        with av.open(f"rtsp://viewer:correct%20horse@127.0.0.1:{port}/stream", options=options) as stream:
            frame = next(stream.decode(video=0))
            assert (frame.width, frame.height) == (640, 360)
        with pytest.raises(av.HTTPUnauthorizedError):
            av.open(f"rtsp://viewer:wrong@127.0.0.1:{port}/stream", options=options)
