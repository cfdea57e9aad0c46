"""The per-device page says what the board holds, in text that Prometheus takes."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from camera_registry.board import Board, BoardEntry
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Aspect, AspectState, Cause, Reason, State, Status, Subject
from exporters import prometheus
from exporters.exposition import accepts_gzip, compress
from exporters.prometheus import FAMILIES, DevicePage
from tests.exporters import boards
from tests.exporters.boards import board, entry, lost, seen
from tests.servers import promtool_binary

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(page: bytes) -> Series:
    """Every series of a page; a series that stands there twice is an error, as it is for Prometheus."""
    samples = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    ]
    doubles = [key for key, times in Counter(key for key, _ in samples).items() if times > 1]
    assert not doubles
    return dict(samples)


def page(made: Board, **chosen: str) -> Series:
    return parse(asyncio.run(DevicePage(made).render(**chosen)))


def value(series: Series, name: str, /, **labels: str) -> float | None:
    return series.get((name, frozenset(labels.items())))


class Reference(Collector):
    """The same page by prometheus-client's own means."""

    def __init__(self, made: Board) -> None:
        self._board = made

    def collect(self) -> Iterator[Metric]:
        families = {family.name: GaugeMetricFamily(family.name, family.help) for family in FAMILIES}
        for at in self._board:
            families["camera_device_info"].add_sample("camera_device_info", prometheus.info_labels(at), 1)
            if at.device.life is Life.ACTIVE:
                for name, labels, number in measured(at):
                    if number is not None:
                        families[name].add_sample(name, {"device": at.device.id, **labels}, number)
        yield from families.values()


def measured(at: BoardEntry) -> Iterator[tuple[str, dict[str, str], float | None]]:
    """Every series of a device in use besides its description; None where it has to be absent."""
    yield "camera_up", {}, prometheus.up_value(at.status)
    yield "camera_clock_offset_seconds", {}, prometheus.clock_offset(at)
    for aspect, known in prometheus.aspect_values(at):
        yield "camera_aspect_known", {"aspect": aspect.value}, float(known is not None)
        yield "camera_aspect_state", {"aspect": aspect.value}, known
    for shown, cause in {(reason.aspect.value, reason.cause.value) for reason in at.reasons}:
        yield "camera_fault_active", {"aspect": shown, "cause": cause}, 1
    for parent in {reason.blamed for reason in at.reasons} - {""}:
        yield "camera_parent_down", {"parent": parent}, 1
    for probe, took, success in prometheus.probe_values(at):
        yield "camera_probe_duration_seconds", {"probe": probe}, took
        yield "camera_last_success_timestamp_seconds", {"probe": probe}, success
    for measure, score in prometheus.picture_scores(at):
        yield "camera_picture_score", {"measure": measure}, score


@given(boards.boards)
@settings(deadline=None)
def test_the_page_equals_the_rendering_of_prometheus_client(made: Board) -> None:
    registry = CollectorRegistry()
    registry.register(Reference(made))
    assert page(made) == parse(generate_latest(registry))


@pytest.mark.parametrize(
    ("status", "up"), [(Status.OK, 1), (Status.DEGRADED, 1), (Status.DOWN, 0), (Status.UNKNOWN, None)]
)
def test_a_device_is_up_or_down_and_what_is_not_known_has_no_series(status: Status, up: int | None) -> None:
    assert value(page(board(entry("cam-7", status))), "camera_up", device="cam-7") == up


def with_states(*states: tuple[Aspect, str, State]) -> BoardEntry:
    base = entry("nvr-1", kind=Kind.RECORDER)
    made = tuple(AspectState(Subject("nvr-1", aspect, channel), state, state) for aspect, channel, state in states)
    return BoardEntry(base.device, (), made, (), Status.DEGRADED)


@pytest.mark.parametrize(
    ("channels", "expected", "known"),
    [
        ((State.OK, State.OK), 1, 1),
        ((State.OK, State.DOWN), 0, 1),
        ((State.FLAPPING, State.OK), 0, 1),
        ((State.UNKNOWN, State.DOWN), 0, 1),
        ((State.OK, State.STALE), None, 0),
        ((State.UNKNOWN, State.UNKNOWN), None, 0),
    ],
)
def test_an_aspect_is_as_bad_as_its_worst_channel(
    channels: tuple[State, State], expected: int | None, known: int
) -> None:
    first, second = channels
    series = page(board(with_states((Aspect.STREAM, "1", first), (Aspect.STREAM, "2", second))))
    assert value(series, "camera_aspect_state", device="nvr-1", aspect="stream") == expected
    assert value(series, "camera_aspect_known", device="nvr-1", aspect="stream") == known


def test_a_suspicion_is_not_a_fault_yet() -> None:
    base = entry("cam-7")
    waiting = AspectState(Subject("cam-7", Aspect.REACH), State.SUSPECT, State.OK, cause=Cause.TIMEOUT, run=1)
    series = page(board(BoardEntry(base.device, (), (waiting,), (), Status.OK)))
    assert value(series, "camera_aspect_state", device="cam-7", aspect="reach") == 1
    assert not [name for name, _ in series if name == "camera_fault_active"]


def test_a_fault_names_its_cause_once_and_the_parent_that_explains_it() -> None:
    twice = (
        Reason(Aspect.STREAM, Cause.NO_MEDIA, boards.NOW, channel="1"),
        Reason(Aspect.STREAM, Cause.NO_MEDIA, boards.NOW, channel="2"),
    )
    series = page(board(entry("nvr-1", Status.DEGRADED, reasons=twice), lost("cam-7", blamed="switch-1")))
    assert value(series, "camera_fault_active", device="nvr-1", aspect="stream", cause="no_media") == 1
    assert value(series, "camera_parent_down", device="cam-7", parent="switch-1") == 1
    assert value(series, "camera_parent_down", device="nvr-1", parent="") is None


def test_probes_of_channels_are_folded_into_the_device() -> None:
    base = entry("nvr-1", kind=Kind.RECORDER)
    probes = (seen("rtsp", channel="1", age=70), seen("rtsp", channel="2", age=10), seen("tcp", good=False))
    series = page(board(BoardEntry(base.device, (), (), probes, Status.OK)))
    oldest = value(series, "camera_last_success_timestamp_seconds", device="nvr-1", probe="rtsp")
    assert oldest == boards.NOW.timestamp() - 70
    assert value(series, "camera_probe_duration_seconds", device="nvr-1", probe="rtsp") == 0.031
    assert value(series, "camera_last_success_timestamp_seconds", device="nvr-1", probe="tcp") is None


def test_clock_and_picture_come_from_the_facts_and_a_stale_clock_is_not_told() -> None:
    base = entry("cam-7")
    probes = (seen("onvif", clock_offset_seconds=-74.5), seen("snapshot", picture={"luma_p95": 6.0, "width": 640}))
    series = page(board(BoardEntry(base.device, (), (), probes, Status.OK)))
    assert value(series, "camera_clock_offset_seconds", device="cam-7") == -74.5
    assert value(series, "camera_picture_score", device="cam-7", measure="luma_p95") == 6
    stale = AspectState(Subject("cam-7", Aspect.CLOCK), State.STALE, State.STALE)
    series = page(board(BoardEntry(base.device, (), (stale,), probes, Status.UNKNOWN)))
    assert value(series, "camera_clock_offset_seconds", device="cam-7") is None


def test_a_planned_device_is_described_and_not_judged() -> None:
    series = page(board(entry("cam-7", Status.UNKNOWN, life=Life.PLANNED)))
    assert {name for name, _ in series} == {"camera_device_info"}


FLEET = (
    entry("a", area="north-1"),
    entry("b", area="north-2", kind=Kind.TRAFFIC_UNIT),
    entry("c", area="south"),
    entry("d", area="north"),
    entry("e", area=""),
)


@pytest.mark.parametrize(
    ("area", "kind", "subtree", "expected"),
    [
        ("", "", True, "abcde"),
        ("city", "", True, "abcd"),
        ("north", "", True, "abd"),
        ("north", "", False, "d"),
        ("", "", False, "e"),
        ("north", "traffic_unit", True, "b"),
        ("nowhere", "", True, ""),
    ],
)
async def test_the_page_can_be_narrowed_to_an_area_with_all_beneath_it_and_to_a_kind(
    area: str, kind: str, expected: str, *, subtree: bool
) -> None:
    series = parse(await DevicePage(board(*FLEET)).render(area, kind, subtree=subtree))
    assert {dict(labels)["device"] for name, labels in series if name == "camera_up"} == set(expected)


async def test_the_page_follows_the_board() -> None:
    made = board(entry("a"), entry("b"))
    pages = DevicePage(made)
    before = parse(await pages.render())
    made.swap([lost("a")], gone=["b"])
    after = parse(await pages.render())
    assert value(before, "camera_up", device="a") == 1
    assert value(after, "camera_up", device="a") == 0
    assert value(after, "camera_up", device="b") is None


async def test_only_devices_whose_entry_was_swapped_are_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    real = prometheus.render

    def watching(at: BoardEntry, before: tuple[BoardEntry, prometheus.Lines] | None = None) -> prometheus.Lines:
        rendered.append(at.device.id)
        return real(at, before)

    monkeypatch.setattr(prometheus, "render", watching)
    made = board(*(entry(f"cam-{number}") for number in range(20)))
    pages = DevicePage(made)
    await pages.render()
    rendered.clear()
    made.swap([lost("cam-3")])
    await pages.render()
    await pages.render()
    assert rendered == ["cam-3"]


@settings(max_examples=60, deadline=None)
@given(boards.entries(), boards.entries())
def test_lines_are_the_same_whatever_was_kept_of_the_device(before: BoardEntry, other: BoardEntry) -> None:
    kept = before, prometheus.render(before)
    polled = replace(before, probes=other.probes)
    for now in (polled, replace(polled, status=other.status, reasons=other.reasons), replace(before, states=()), other):
        assert prometheus.render(now, kept) == prometheus.render(now)


def test_who_does_not_follow_polls_is_told_of_devices_of_which_something_else_is_true() -> None:
    made = board(entry("a"), entry("b"))
    all_of_them: list[tuple[str, ...]] = []
    some: list[tuple[str, ...]] = []
    made.listen(all_of_them.append)
    close = made.listen(some.append, polls=False)
    known = {one.device.id: one for one in made}
    polled = replace(known["a"], probes=(seen("tcp"),))
    made.swap([polled])
    made.swap([replace(polled, probes=(seen("tcp", age=-60),)), replace(known["b"], status=Status.DOWN)])
    made.swap([], gone=["a"])
    assert [set(told) for told in all_of_them] == [{"a"}, {"a", "b"}, {"a"}]
    assert some == [("b",), ("a",)]
    close()
    made.swap([], gone=["b"])
    assert len(some) == 2


async def test_a_large_page_leaves_the_loop_to_others() -> None:
    pages = DevicePage(board(*(entry(f"cam-{number}") for number in range(3000))))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await pages.render()
    beside.cancel()
    assert turns >= 3000 // prometheus.BREATH - 1


async def test_those_who_ask_together_are_given_one_page_and_who_goes_away_takes_it_from_nobody() -> None:
    made = board(*(entry(f"cam-{number}") for number in range(600)))
    pages = DevicePage(made)
    impatient, *others = [asyncio.ensure_future(pages.render()) for _ in range(4)]
    await asyncio.sleep(0)
    impatient.cancel()
    first, *rest = await asyncio.gather(*others)
    assert all(one is first for one in rest)
    made.swap([], ["cam-0"])
    assert len(await pages.render()) < len(first)


async def test_planned_work_is_told_of_devices_in_service_as_long_as_it_goes_on() -> None:
    covered = {"a", "retired", "elsewhere"}
    made = board(entry("a"), entry("b"), entry("retired", life=Life.RETIRED))
    pages = DevicePage(made, lambda: covered)
    told = [key for key in parse(await pages.render()) if key[0] == "camera_maintenance"]
    assert told == [("camera_maintenance", frozenset({("device", "a")}))]
    covered.clear()
    assert not [key for key in parse(await pages.render()) if key[0] == "camera_maintenance"]


async def test_half_a_surrogate_pair_in_a_name_does_not_take_the_page_down() -> None:
    series = parse(await DevicePage(board(boards.renamed(entry("a"), "cam\ud800"))).render())
    assert value(series, "camera_up", device="cam?") == 1


async def test_the_page_passes_promtool() -> None:
    made = board(*FLEET, lost("f", blamed="switch-1"))
    made.swap(
        [BoardEntry(entry("g").device, (), (), (seen("onvif", clock_offset_seconds=1.5, picture={"luma_p95": 3.0}),))]
    )
    check = subprocess.run(  # noqa: ASYNC221 - nothing else runs on this loop
        [promtool_binary(), "check", "metrics"],
        input=await DevicePage(made).render(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, b"")


def test_a_compressed_page_reads_back() -> None:
    assert gzip.decompress(compress(b"camera_up 1\n" * 1000)) == b"camera_up 1\n" * 1000


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("", False),
    ],
)
def test_a_page_is_compressed_only_for_who_takes_it(header: str, taken: bool) -> None:
    assert accepts_gzip(header) is taken
