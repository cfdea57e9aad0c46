"""Whatever stands in a file, the answer is items and problems, never a crash; and what is sound can be stored."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.device import Device, Kind
from camera_registry.model.place import Area
from camera_registry.model.register import Register
from camera_registry.rules.inventory import files, words
from camera_registry.rules.inventory.columns import COLUMNS
from camera_registry.rules.inventory.examine import examine
from camera_registry.rules.inventory.loops import from_the_top, loops
from camera_registry.rules.inventory.sheets import Sheet, Unreadable

REGISTER = Register(
    areas={"a": Area("a", "东区"), "b": Area("b", "东区", "a")},
    devices={"d": Device("d", Kind.CAMERA, parent="e"), "e": Device("e", Kind.NETWORK)},
)
HEADERS = sorted({name for columns in COLUMNS.values() for name in columns} | {"record", "设备编号", "端口", "foo", ""})
TELLING = [
    "a",
    "b",
    "d",
    "e",
    "-",
    "",
    " ",
    "'-",
    "东区",
    "camera",
    "卡口",
    "device",
    "area",
    "10.0.0.1",
    "::1",
    "1e400",
    "nan",
]

cell = (
    st.none()
    | st.sampled_from(TELLING)
    | st.text(max_size=12)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
)
sheet = st.builds(
    Sheet,
    st.sampled_from(["", "device", "区域", "摄像机", "说明"]),
    st.builds(
        lambda header, rows: [header, *rows],
        st.lists(st.sampled_from(HEADERS), max_size=8),
        st.lists(st.lists(cell, max_size=9), max_size=6),
    ),
)


@settings(max_examples=400, deadline=None)
@given(sheets=st.lists(sheet, min_size=1, max_size=3))
def test_any_cells_are_answered(sheets: list[Sheet]) -> None:
    found = examine(sheets, REGISTER, networks=["10.0.0.0/8"])
    assert found.created + found.changed + found.unchanged == len(found.items)
    if found.sound:
        kinds = {
            word: items
            for word in words.RECORDS
            if (items := [i for i in found.items if type(i).__name__.lower() == word])
        }
        for word, items in kinds.items():
            merged = {**getattr(REGISTER, f"{word}s"), **{item.id: item for item in items}}
            assert loops({id: getattr(item, "parent", "") for id, item in merged.items()}) == []


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("gb18030", "replace")))
def test_any_bytes_are_answered(content: bytes) -> None:
    with suppress(Unreadable):
        examine(files.read(content), REGISTER)


@given(parents=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", *"abcdefx"])))
def test_loops_are_found_exactly_where_going_up_never_ends(parents: dict[str, str]) -> None:
    def endless(member: str) -> bool:
        for _ in range(len(parents) + 1):
            member = parents.get(member, "")
        return member in parents and member != ""

    found = loops(parents)
    members = {member for chain in found for member in chain}
    for chain in found:
        assert [parents[member] for member in chain] == [*chain[1:], chain[0]]
    assert {member for member in parents if endless(member)} >= members
    assert any(endless(member) for member in parents) == bool(found)
    ordered = from_the_top({member: member for member in parents}, parents)
    assert sorted(ordered) == sorted(parents)
    if not found:
        place = {member: index for index, member in enumerate(ordered)}
        assert all(place[parent] < place[member] for member, parent in parents.items() if parent in place)


def test_times_and_dates_in_text_columns_are_text() -> None:
    # Spreadsheets know no time zones.
    day, moment = datetime(2026, 1, 2), datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001
    rows = [["id", "kind", "note", "pole"], ["c", "camera", moment, time(5, 6)]]
    (item,) = examine([Sheet("", rows)], Register()).items
    assert isinstance(item, Device)
    assert (item.note, item.pole) == ("2026-01-02 03:04:00", "05:06:00")
    rows = [["id", "kind", "installed"], [1001.0, "camera", day]]
    (item,) = examine([Sheet("", rows)], Register()).items
    assert isinstance(item, Device)
    assert (item.id, item.installed) == ("1001", date(2026, 1, 2))
