"""The service's own page: counts of the fleet that follow the board, and how punctual and sound the service is."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.board import Names
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Cause, Status
from camera_registry.model.incident import Incident, Party, Scope, Severity, Span
from camera_registry.model.observation import Failure, FailureKind, Observation, Stage
from camera_registry.model.work_order import OrderState, Phase
from exporters.aggregates import Aggregates
from exporters.service import ServiceMetrics
from tests.exporters import boards
from tests.exporters.boards import NOW, board, entry, lost
from tests.exporters.test_prometheus import parse, value
from tests.notices import order
from tests.servers import promtool_binary


def test_devices_are_counted_by_area_kind_and_status_with_zeros_where_there_are_none() -> None:
    made = board(entry("a"), entry("b"), lost("c"), entry("d", kind=Kind.TRAFFIC_UNIT))
    series = parse(Aggregates(made).text())
    found = {
        status.value: value(series, "camera_area_devices", area="north-1", kind="camera", status=status.value)
        for status in Status
    }
    assert found == {"ok": 2, "down": 1, "degraded": 0, "unknown": 0}
    assert value(series, "camera_area_devices", area="north-1", kind="traffic_unit", status="ok") == 1
    assert value(series, "camera_area_faults", area="north-1", aspect="reach", cause="timeout") == 1


def test_what_a_dead_switch_takes_along_is_not_counted_as_faults_of_their_own() -> None:
    series = parse(Aggregates(board(lost("c", blamed="switch-1"))).text())
    assert value(series, "camera_area_devices", area="north-1", kind="camera", status="down") == 1
    assert not [name for name, _ in series if name == "camera_area_faults"]


def test_open_incidents_are_counted_but_for_those_that_another_explains() -> None:
    made = board(entry("a"))
    whole = Incident(
        1,
        Scope.DEVICE,
        "sw-1",
        Cause.TIMEOUT,
        Severity.P1,
        NOW,
        NOW,
        NOW,
        area="north-1",
        spans=(Span(Party.DEVICE, NOW),),
    )
    page = Aggregates(made)
    assert not [name for name, _ in parse(page.text()) if name == "camera_incidents_open"]
    made.swap((), (), {1: whole, 2: replace(whole, id=2, about="c", parent=1), 3: replace(whole, id=3, about="d")})
    series = parse(page.text())
    assert value(series, "camera_incidents_open", area="north-1", severity="P1", cause="timeout") == 2


def test_work_orders_are_counted_by_contractor_until_they_are_closed() -> None:
    made = board(entry("a"))
    held = order(1, contractor="acme")
    late = replace(held, id=2, state=OrderState.ACCEPTED, accepted_at=NOW, overdue=(Phase.ACCEPT, Phase.ARRIVE))
    closed = replace(late, id=3, state=OrderState.CLOSED)
    made.swap((), (), None, {1: held, 2: late, 3: closed})
    series = parse(Aggregates(made).text())
    counted = {(dict(labels)["state"], n) for (name, labels), n in series.items() if name == "camera_work_orders_open"}
    assert counted == {("assigned", 1), ("accepted", 1)}
    found = {step: value(series, "camera_work_orders_overdue", contractor="acme", step=step) for step in Phase}
    assert found == {Phase.ACCEPT: 0, Phase.ARRIVE: 1, Phase.REPAIR: 0}


def test_devices_that_are_not_in_use_are_not_value() -> None:
    series = parse(Aggregates(board(entry("a", life=Life.RETIRED))).text())
    assert not [name for name, _ in series if name == "camera_area_devices"]


def test_names_are_told_once_and_not_with_every_device() -> None:
    series = parse(Aggregates(board()).text())
    assert value(series, "camera_area_info", area="north-1", name="网格 1", parent="north") == 1
    assert value(series, "camera_site_info", site="gate", name="North gate") == 1
    assert value(series, "camera_contractor_info", contractor="acme", name="ACME 安防") == 1


@given(st.lists(st.lists(boards.entries(), max_size=4), max_size=6), st.lists(boards.text, max_size=3))
@settings(deadline=None)
def test_counts_that_follow_the_board_equal_counts_taken_anew(
    swaps: list[list[boards.BoardEntry]], gone: list[str]
) -> None:
    made = board(names=Names())
    following = Aggregates(made)
    for swapped in swaps:
        made.swap(swapped, gone)
    anew = Aggregates(made)
    assert {line for line in following.text().splitlines() if not line.endswith(b" 0")} == {
        line for line in anew.text().splitlines() if not line.endswith(b" 0")
    }


def run(probe: str, failure: FailureKind | None = None) -> Observation:
    why = Failure(failure, Stage.CONNECT, "rtsp://user:canary@10.0.0.7/ did not answer") if failure else None
    return Observation("cam-7", probe, NOW, 0.02, failure=why)


def test_polls_are_counted_by_probe_and_result_and_their_lateness_is_kept() -> None:
    metrics = ServiceMetrics(board(), "1.2.3")
    metrics.polled(run("rtsp"), 0.004)
    metrics.polled(run("rtsp"), 3.0)
    metrics.polled(run("rtsp", FailureKind.AUTH), -0.001)
    metrics.missed("rtsp", 4)
    series = parse(metrics.text())
    assert value(series, "camera_registry_polls_total", probe="rtsp", result="ok") == 2
    assert value(series, "camera_registry_polls_total", probe="rtsp", result="auth") == 1
    assert value(series, "camera_registry_polls_missed_total", probe="rtsp") == 4
    assert value(series, "camera_registry_poll_lag_seconds_count") == 3
    assert value(series, "camera_registry_poll_lag_seconds_bucket", le="1.0") == 2
    assert b"canary" not in metrics.text()


def test_the_state_of_the_service_is_told() -> None:
    waiting = [3.0]
    metrics = ServiceMetrics(board(entry("a"), entry("b")), "1.2.3")
    metrics.follow("camera_registry_rows_waiting", "Rows that wait to be written.", lambda: waiting[0])
    metrics.follow_count("camera_registry_pictures_total", "Pictures measured.", lambda: 12)
    judged = {"good": 7, "doubtful": 2}
    metrics.follow_counts("camera_registry_pictures_judged_total", "Pictures judged.", "result", lambda: judged)
    metrics.poller("local", up=True)
    metrics.poller("district-2", up=False)
    metrics.reloaded(done=False)
    metrics.committed(flips=5, took=0.01)
    metrics.commit_failed()
    metrics.loop_lagged(0.3)
    waiting[0] = 7
    series = parse(metrics.text())
    assert value(series, "camera_registry_devices") == 2
    assert value(series, "camera_registry_rows_waiting") == 7
    assert value(series, "camera_registry_pictures_total") == 12
    assert value(series, "camera_registry_pictures_judged_total", result="doubtful") == 2
    assert value(series, "camera_registry_polls_missed_total", probe="rtsp") == 0
    assert value(series, "camera_registry_poller_up", poller="local") == 1
    assert value(series, "camera_registry_poller_up", poller="district-2") == 0
    assert value(series, "camera_registry_config_last_reload_successful") == 0
    assert value(series, "camera_registry_flips_total") == 5
    assert value(series, "camera_registry_commit_failures_total") == 1
    assert value(series, "camera_registry_loop_lag_seconds_bucket", le="0.5") == 1
    assert value(series, "camera_registry_loop_lag_seconds_bucket", le="0.2") == 0
    assert any(name == "camera_registry_build_info" and ("version", "1.2.3") in labels for name, labels in series)


def test_two_services_in_one_process_do_not_share_a_number() -> None:
    one, other = ServiceMetrics(board(), "1"), ServiceMetrics(board(), "1")
    one.polled(run("tcp"), 0)
    assert value(parse(other.text()), "camera_registry_polls_total", probe="tcp", result="ok") is None


def test_the_page_passes_promtool() -> None:
    hostile = replace(entry("x").device, area='a"\\\n', site="gate", life=Life.ACTIVE)
    metrics = ServiceMetrics(board(entry("a"), lost("b"), replace(entry("x"), device=hostile)), "1.2.3")
    metrics.polled(run("rtsp"), 0.004)
    metrics.missed("rtsp")
    metrics.poller("local", up=True)
    metrics.reloaded(done=True)
    metrics.follow_processes("camera_registry_poller", lambda: {"1": os.getpid(), "2": os.getppid()})
    check = subprocess.run(
        [promtool_binary(), "check", "metrics"], input=metrics.text(), capture_output=True, check=False, timeout=30
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, b"")


def test_processes_of_ours_are_told_by_name_while_they_are_there() -> None:
    metrics, pids = ServiceMetrics(board(), "1.2.3"), {"1": os.getpid(), "2": os.getpid()}
    metrics.follow_processes("camera_registry_poller", lambda: pids)
    series = parse(metrics.text())
    for what in ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "max_fds"):
        own = value(series, f"camera_registry_process_{what}")
        for name in pids:
            assert value(series, f"camera_registry_poller_process_{what}", process=name) == pytest.approx(own, rel=0.5)
    pids["2"] = 2**22 + 1  # no process has this number: it has just ended
    series = parse(metrics.text())
    assert value(series, "camera_registry_poller_process_open_fds", process="1")
    assert value(series, "camera_registry_poller_process_open_fds", process="2") is None


def test_a_poller_that_goes_blind_is_seen_at_the_next_scrape() -> None:
    metrics, sees = ServiceMetrics(board(), "1.2.3"), [True]
    metrics.follow_poller("local", lambda: sees[0])
    assert b'camera_registry_poller_up{poller="local"} 1.0' in metrics.text()
    sees[0] = False
    assert b'camera_registry_poller_up{poller="local"} 0.0' in metrics.text()
