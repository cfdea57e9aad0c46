"""Tests the command `demo` as a program: when its story begins, and what it says of ports that others have."""

from __future__ import annotations

import socket
import subprocess
import sys
from subprocess import PIPE, STDOUT

from bench.ports import free_ports
from camera_registry.cli import main

SETTINGS = """
[storage]
directory = "kept"
reserve = 0
[logs]
level = "error"
[devices]
networks = ["127.0.0.0/8"]
"""


def test_the_story_begins_when_the_address_stands_there_and_not_before(tmp_path):
    settings, story = tmp_path / "settings.toml", tmp_path / "story.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    story.write_text('[[step]]\nat = 0\nfault = "busy"\ntarget = "cam-00003"\n', encoding="utf-8")
    command = [sys.executable, "-m", "camera_registry", "demo", "--config", str(settings), "--faults", str(story)]
    command += ["--devices", "4", "--port", str(free_ports(1)[0])]
    with subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, text=True) as demo:
        try:
            said = [next(line for line in demo.stdout if word in line) for word in ("Look at http", "busy begins on")]
            assert "cam-00003" in said[1]
        finally:
            demo.terminate()
            demo.stdout.read()
    assert demo.returncode == 0


def test_a_taken_port_is_told_with_what_to_do_before_anything_is_started(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"port {port} of the console is taken" in said
    assert f"--port {port + 1}" in said
