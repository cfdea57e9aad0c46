"""The benchmarks run from end to end. How fast anything is here says nothing: the machine has other things to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.whole import quantile
from tests.servers import TOP

SMALL = ("--devices", "8", "--runs", "16", "--interval", "6", "--snapshot-interval", "8", "--window", "6")
# ffprobe and blackbox_exporter are fetched by `make bench` alone.
SMALL += ("--rest", "1", "--rivals", "onvif-zeep,cv2.VideoCapture", "--rival-devices", "2", "--no-blackbox")


@pytest.mark.timeout(720)
def test_a_small_run_measures_every_probe_and_the_whole_path_and_says_how_to_repeat_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", *SMALL, "--results", str(tmp_path)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False, timeout=220)
    assert done.returncode == 0, done.stderr
    assert 'make bench ARGS="--devices 8' in done.stdout
    (written,) = tmp_path.glob("*.json")
    told = json.loads(written.read_text(encoding="utf-8"))
    probed = {cost["what"].split(",")[0]: cost for cost in told["costs"]}
    assert {"tcp", "onvif", "rtsp", "snapshot"} <= set(probed)
    assert all(cost["runs"] == 16 and cost["cpu"] > 0 for cost in told["costs"])
    assert [rival["client"] for rival in told["rivals"]] == ["onvif-zeep", "cv2.VideoCapture"]
    assert all(rival["answered"] and rival["cpu_ratio"] > 0 and rival["wall_ratio"] > 0 for rival in told["rivals"])
    assert {"onvif", "rtsp", "snapshot"} <= set(told["whole"]["polls"])
    assert told["whole"]["cpu"] > 0
    assert told["interpreter"] > 0


SHORT = {
    "recording": ("--devices", "16", "--small", "8", "--minutes", "1"),
    "starting": ("--devices", "8", "--interval", "6", "--look", "3"),
    "noticing": ("--faults", "2", "--interval", "4", "--key-interval", "2", "--retry", "1", "--timeout", "1"),
}


@pytest.mark.timeout(540)
@pytest.mark.parametrize("name", SHORT)
def test_the_other_benchmarks_run_to_their_end_and_keep_figures(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"bench.{name}", *SHORT[name], "--results", str(tmp_path)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False, timeout=160)
    assert done.returncode == 0, done.stderr
    (written,) = tmp_path.glob(f"{name}-*.json")
    assert {"at", "machine"} < json.loads(written.read_text(encoding="utf-8")).keys()


def test_a_quantile_is_that_of_the_window_alone() -> None:
    def lag(bound: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        return "lag_bucket", (("le", bound),)

    before = {lag("0.1"): 0.0, lag("1.0"): 900.0, lag("+Inf"): 900.0}
    after = {lag("0.1"): 99.0, lag("1.0"): 1000.0, lag("+Inf"): 1000.0}
    assert quantile(before, after, "lag") == 0.1
    assert quantile(before, after, "lag", 0.995) == 1.0
