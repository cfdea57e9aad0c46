"""What the board answers: filters, order, cursors, and counts that follow it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from camera_registry.board import Board, Names
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.reader import Filter, Order, Reader
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Aspect, Cause, Status
from tests.console import fleet


async def ids(reader: Reader, wanted: Filter, order: Order = Order.ID) -> list[str]:
    listed = await reader.select(wanted, order, None, 1000)
    assert listed.total == len(listed.entries)
    return [entry.device.id for entry in listed.entries]


async def test_pages_in_the_worst_order_hold_every_device_once_worst_first() -> None:
    board = fleet.board(120)
    reader = Reader(board)
    seen = []
    after = None
    while True:
        listed = await reader.select(Filter(), Order.WORST, after, 13)
        seen += list(listed.entries)
        after = listed.after
        if after is None:
            break
    assert sorted(entry.device.id for entry in seen) == sorted(entry.device.id for entry in board)
    in_service = [entry.status for entry in seen if entry.device.life is Life.ACTIVE]
    worst_first = [Status.DOWN, Status.DEGRADED, Status.UNKNOWN, Status.OK]
    assert in_service == sorted(in_service, key=worst_first.index)
    assert [entry.device.life for entry in seen[-1:]] == [Life.SUSPENDED]
    down = [bool(entry.reasons[0].blamed) for entry in seen if entry.status is Status.DOWN]
    assert [entry.device.id for entry in seen[:2]] == ["sw-001", "cam-00033"], "first what others are lost behind"
    assert down == sorted(down), "what a parent explains comes after what stands for itself"


async def test_an_area_takes_its_subtree_along() -> None:
    board = fleet.board(20)
    reader = Reader(board)
    assert len(await ids(reader, Filter(area="5101"))) == 21
    assert len(await ids(reader, Filter(area="510104001"))) == 10
    assert await ids(reader, Filter(area="nowhere")) == []
    # The register refuses a loop; one that slipped in must not hang a page.
    board.names = Names(fleet.AREAS, {**fleet.PARENTS, "5101": "510104001"})
    assert len(await ids(reader, Filter(area="510104002"))) == 11


async def test_a_search_follows_edits_of_the_file_and_of_names() -> None:
    board = fleet.board(5)
    reader = Reader(board)
    assert await ids(reader, Filter(text="蓉安维保")) == [f"cam-{number:05d}" for number in range(5)]
    entry = board.get("cam-00002")
    assert entry is not None
    board.swap([replace(entry, device=replace(entry.device, name="新名字", contractor=""))])
    assert await ids(reader, Filter(text="新名字")) == ["cam-00002"]
    assert "cam-00002" not in await ids(reader, Filter(text="蓉安维保"))
    board.names = Names(contractors={"weibao-1": "另一家"})
    assert await ids(reader, Filter(text="蓉安维保")) == []


async def test_devices_out_of_service_have_no_status_to_be_found_by() -> None:
    board = fleet.board(0)
    board.swap([fleet.healthy(fleet.camera(1, life=Life.RETIRED)), fleet.healthy(fleet.camera(2))])
    reader = Reader(board)
    assert await ids(reader, Filter(status=Status.OK)) == ["cam-00002"]
    assert await ids(reader, Filter(life=Life.RETIRED)) == ["cam-00001"]
    assert reader.overview().out_of_service == {Life.RETIRED: 1}


async def test_counts_follow_the_board() -> None:
    board = Board()
    reader = Reader(board)
    assert reader.overview().in_service == 0
    board.swap([fleet.healthy(fleet.camera(number)) for number in range(3)])
    assert reader.overview().statuses[Status.OK] == 3
    entry = board.get("cam-00001")
    assert entry is not None
    board.swap([fleet.faulty(entry, Aspect.CLOCK, Cause.CLOCK_DRIFT, fleet.NOW)], gone=["cam-00002"])
    seen = reader.overview()
    assert (seen.statuses[Status.OK], seen.statuses[Status.DEGRADED], seen.causes) == (1, 1, {Cause.CLOCK_DRIFT: 1})


async def test_a_child_is_told_in_its_parents_line_only_while_there_is_one() -> None:
    board = fleet.board(12)
    reader = Reader(board)
    (trouble, *rest) = reader.overview().troubles
    assert (trouble.entry.device.id, trouble.behind) == ("sw-001", 2)
    assert "cam-00001" not in {one.entry.device.id for one in rest}
    board.swap([], gone=["sw-001"])
    assert "cam-00001" in {one.entry.device.id for one in reader.overview().troubles}


async def test_children_of_a_device_are_those_right_below_it() -> None:
    reader = Reader(fleet.board(25))
    assert [entry.device.id for entry in reader.children("sw-001")] == ["cam-00001", "cam-00011", "cam-00021"]
    assert await ids(reader, Filter(kind=Kind.NETWORK)) == ["sw-001"]


@given(st.tuples(st.integers(0, 9), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_cursor_brings_its_key_back(key: tuple[int, str]) -> None:
    assert from_cursor(to_cursor(key)) == key
