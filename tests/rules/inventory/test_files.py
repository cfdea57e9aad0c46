"""What is exported comes back as it was, whatever stands in it; what is opened in a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from camera_registry.model.device import Channel, Device, Kind, Life, TrafficKind
from camera_registry.model.people import Contractor, Crew
from camera_registry.model.place import Area, Site, SiteCategory, View
from camera_registry.model.register import Register
from camera_registry.rules.inventory import export, files
from camera_registry.rules.inventory import words as vocabulary
from camera_registry.rules.inventory.columns import COLUMNS, PROBES
from camera_registry.rules.inventory.examine import examine
from camera_registry.rules.inventory.problems import Flaw, Severity
from camera_registry.rules.inventory.sheets import Unreadable
from camera_registry.settings import Probes
from camera_registry.texts import texts

CODE = "54010200001320000001"
CAMERA = Device("c", Kind.CAMERA, "北门", "10.0.0.1")


def written(register: Register, form: str, language: str) -> bytes:
    if form == "csv":
        return files.write_csv(export.table(register, language))
    return files.write_workbook(export.sheets(register, language))


def back(content: bytes, credentials: tuple[str, ...] = ()) -> Register:
    found = examine(files.read(content), Register(), credentials=credentials)
    assert [problem for problem in found.problems if problem.severity is Severity.ERROR] == []
    by_kind: dict[str, dict[str, Any]] = {}
    for item in found.items:
        by_kind.setdefault(f"{type(item).__name__.lower()}s", {})[item.id] = item
    return Register(**by_kind)


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs")), max_size=12).map(
    lambda drawn: drawn if drawn.strip() == drawn and "#" not in drawn else ""
)
risky = st.sampled_from(
    ["=1+1", "+86 1", "-", "-5号门", "@x", "'", "''=", "'=x", "'-", "a;b", 'say "x"', "1e5", "007", "a,b"]
)
words = text | risky
ids = st.sampled_from(["a", "b", "c", "1", "-x", "=x", "北"])
position = st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@st.composite
def devices(draw: st.DrawFn) -> Device:
    place = draw(position)
    return Device(
        draw(ids),
        draw(st.sampled_from(Kind)),
        draw(words),
        draw(st.sampled_from(["", "10.0.0.1", "2001:db8::1", "cam.lan"])),
        draw(st.sampled_from(Life)),
        draw(st.none() | st.sampled_from(TrafficKind)),
        area=draw(st.sampled_from(["", "area"])),
        credential=draw(st.sampled_from(["", "shared"])),
        probes=draw(st.sampled_from([(), ("tcp",), ("rtsp", "onvif")])),
        interval=draw(st.none() | st.floats(1, 86_400)),
        rtsp_port=draw(st.integers(0, 65_535)),
        onvif_path=draw(st.sampled_from(["", "/onvif/device_service", "/x"])),
        longitude=place and place[0],
        latitude=place and place[1],
        warranty_end=draw(st.none() | st.dates(date(1990, 1, 1))),
        tags=draw(st.sampled_from([(), ("a",), ("重点", "b c")])),
        note=draw(words),
    )


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(devices(), unique_by=lambda device: device.id), area=words, contact=words)
def test_an_exported_register_comes_back_the_same(
    form: str, language: str, drawn: list[Device], area: str, contact: str
) -> None:
    register = Register(
        areas={"area": Area("area", area, contact=contact)}, devices={device.id: device for device in drawn}
    )
    assert back(written(register, form, language), ("shared",)) == register


WATCHED = Channel(
    "n/3",
    "n",
    3,
    masks=("0 0 0.3 0.25", "0.5,0.1 0.9,0.1 0.7,0.4"),
    osd_box="0.6 0.02 0.38 0.06",
    osd_format="DD/MM/YYYY HH:MM:SS",
    osd_zone="Asia/Urumqi",
    may_move=True,
)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_kind_of_record_comes_back(form: str, language: str) -> None:
    register = Register(
        areas={"city": Area("city", "高原市", "", "city"), "a-east": Area("a-east", "东区", "city")},
        sites={"gate": Site("gate", "北门", SiteCategory.SQUARE, "a-east", 91.1, 29.6, hours="07:00-22:00")},
        views={"v": View("v", "gate", "朝外", ("n/1", "n/2"))},
        devices={"n": Device("n", Kind.RECORDER, parent="s"), "s": Device("s", Kind.NETWORK, rtsp_port=0)},
        channels={"n/1": Channel("n/1", "n"), "n/2": Channel("n/2", "n", 2, "二路", rtsp_path="/2")}
        | {"n/3": WATCHED, "n/4": Channel("n/4", "n", 4, may_move=False)},
        contractors={"firm": Contractor("firm", "维保公司", "+86 891 1")},
        crews={"crew": Crew("crew", "一班", "firm", "a-east")},
    )
    assert back(written(register, form, language)) == register


def test_nothing_in_an_exported_file_runs_in_a_spreadsheet() -> None:
    register = Register(
        devices={"c": replace(CAMERA, name="=cmd|' /C calc'!A0", note="@SUM(1)", longitude=-1.5, latitude=2)}
    )
    (_, row) = csv.reader(io.StringIO(written(register, "csv", "en").decode("utf-8-sig")))
    assert [cell for cell in row if cell[:1] in tuple("=+@\t\r") or (cell[:1] == "-" and cell != "-1.5")] == []
    book = load_workbook(io.BytesIO(written(register, "xlsx", "en")))
    assert {cell.data_type for row in book["device"].iter_rows() for cell in row if cell.value is not None} == {"s"}


def test_a_national_code_stays_text_in_a_workbook() -> None:
    register = Register(devices={"c": replace(CAMERA, national_code=CODE)})
    book = load_workbook(io.BytesIO(written(register, "xlsx", "en")))
    cells = [cell for row in book["device"].iter_rows() for cell in row if cell.value == CODE]
    assert [(cell.data_type, cell.number_format) for cell in cells] == [("s", "@")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_in_the_encodings_and_separators_of_the_field(encoding: str, separator: str) -> None:
    content = "\r\n".join(separator.join(row) for row in (("设备编号", "设备名称", "类型"), ("c", "北门", "摄像机")))
    assert back(content.encode(encoding)) == Register(devices={"c": Device("c", Kind.CAMERA, "北门")})


def test_the_line_that_tells_excel_the_separator_counts_as_a_row() -> None:
    found = examine(files.read(b"sep=;\r\nid;kind\r\nc;spaceship\r\n"), Register())
    assert [problem.row for problem in found.problems] == [3]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    content = b'id,kind,note\n\n"a",camera,"two\nlines"\nb,spaceship,\n'
    assert [problem.row for problem in examine(files.read(content), Register()).problems] == [4]


def workbook(**sheets: list[list[object]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbook_has_a_sheet_for_each_kind_of_record_and_may_have_others() -> None:
    content = workbook(
        说明=[["本表由运维班填写"]],
        摄像机=[
            ["设备编号", "IP地址", "所属区域", "安装日期", "端口"],
            [1001, "10.0.0.1", "东区", date(2024, 3, 5), 8000.0],
        ],
        区域=[["编号", "名称"], ["east", "东区"]],
    )
    found = examine(files.read(content), Register())
    assert [(problem.flaw, problem.sheet) for problem in found.problems] == [(Flaw.SHEET_SKIPPED, "说明")]
    assert found.items == (
        Device("1001", Kind.CAMERA, host="10.0.0.1", area="east", installed=date(2024, 3, 5), onvif_port=8000),
        Area("east", "东区"),
    )


@pytest.mark.parametrize("cell", [3.402e19, 34020000001320000000, 12345])
def test_a_code_that_a_spreadsheet_made_a_number_is_refused(cell: float) -> None:
    content = workbook(设备=[["编号", "类型", "国标编码"], ["c", "摄像机", cell]])
    (problem,) = examine(files.read(content), Register()).problems
    assert (problem.flaw, problem.sheet, problem.row, problem.column) == (Flaw.ROUNDED, "设备", 2, "国标编码")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(100), "save it as .xlsx"),
        (b"PK\x03\x04 broken", "save it anew as .xlsx"),
        (b"id,kind\n\xff\xfe\xff\xff\n", "neither UTF-8 nor GB18030"),
        (b"\x00\x01\x02\x03", "neither UTF-8 nor GB18030"),
        (b'id,kind\nc,"' + b"x" * 200_000 + b'"\n', "not a CSV file"),
        (b'id,kind,name\ncam-1,camera,"North gate\ncam-2,camera,South gate\n', r"in row 2 a quotation mark"),
        (bytes(files.MAX_BYTES + 1), "split it"),
    ],
)
def test_bytes_that_are_no_inventory_are_told_with_a_remedy(content: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told) as refused:
        files.read(content)
    assert texts("zh").retold(str(refused.value)) != str(refused.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_file_ends_where_it_ends(end: str) -> None:
    (sheet,) = files.read(f'id,name\ncam-1,"North\ngate"{end}'.encode())
    assert [row for row in sheet.rows if row] == [["id", "name"], ["cam-1", "North\ngate"]]


def test_inventories_and_settings_know_the_same_probes() -> None:
    assert set(PROBES) == set(Probes().policy().paces)


FOLDER = Path(__file__).parents[3] / "config" / "inventory"


@pytest.mark.parametrize("name", ["example.en.csv", "example.zh.csv"])
def test_the_examples_for_operators_are_read_without_a_problem(name: str) -> None:
    found = examine(files.read((FOLDER / name).read_bytes()), Register(), networks=["10.20.0.0/16"])
    assert found.problems == ()
    assert len(found.items) == 12


def test_the_table_for_operators_names_every_column() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    for columns in COLUMNS.values():
        for name in columns:
            assert f"| `{name}` | {vocabulary.HEADERS.get(name, ('',))[0]} |" in told
