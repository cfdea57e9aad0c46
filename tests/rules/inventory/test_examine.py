"""An inventory file is understood as operations staff write it, or refused with every problem at its place."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from camera_registry.model.device import Channel, Device, Kind, Life, TrafficKind
from camera_registry.model.people import Credential, Crew
from camera_registry.model.place import Area, Building, Site, SiteCategory, View
from camera_registry.model.register import Register
from camera_registry.rules.geometry.datum import Datum
from camera_registry.rules.inventory import files
from camera_registry.rules.inventory.examine import Inventory, examine
from camera_registry.rules.inventory.problems import Flaw, Severity

CODE = "54010200001320000001"
EMPTY = Register()

VIEWED = Register(views={"N": View("N", "gate")})


def read(text: str, register: Register = EMPTY, **options: Any) -> Inventory:
    return examine(files.read(text.encode()), register, **options)


def flaws(found: Inventory) -> list[tuple[Flaw, int, str]]:
    return [(problem.flaw, problem.row, problem.column) for problem in found.problems]


def one(found: Inventory) -> Device:
    assert found.problems == ()
    (item,) = found.items
    assert isinstance(item, Device)
    return item


def registered(*devices: Device) -> Register:
    return Register(devices={device.id: device for device in devices})


def test_a_chinese_register_of_devices_is_read_as_it_is_written() -> None:
    found = read(
        "天网设备台账（2026年）\n"
        "序号,设备编号*,设备名称,设备类型,IP 地址,端口,"
        "经度(WGS84),纬度,国标编码,厂商,型号,安装日期,管理状态,维保到期,标签,"
        "MAC地址\n"
        f"1,CAM-1,北门,球机,１０.0.0.1,8000,91.117212,29.646923,{CODE},海康,DS-2CD,2024年3月5日,停用,2027/12/31,重点；夜间,"
        "001A-2B3C-4D5E\n"
    )
    assert found.problems == ()
    assert found.items == (
        Device(
            id="CAM-1",
            kind=Kind.CAMERA,
            name="北门",
            host="10.0.0.1",
            onvif_port=8000,
            longitude=91.117212,
            latitude=29.646923,
            national_code=CODE,
            manufacturer="海康",
            model="DS-2CD",
            installed=date(2024, 3, 5),
            life=Life.SUSPENDED,
            contract_end=date(2027, 12, 31),
            tags=("重点", "夜间"),
            mac="00:1a:2b:3c:4d:5e",
        ),
    )


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("ip", "host"),
        ("Address", "host"),
        ("ＩＰ地址（必填）", "host"),
        ("Vendor", "manufacturer"),
        ("品牌", "manufacturer"),
        ("serial no.", "serial"),
        ("Firmware_Version", "firmware"),
        ("备注", "note"),
    ],
)
def test_headers_have_synonyms_whatever_their_case_width_and_spaces(header: str, field: str) -> None:
    device = one(read(f"id,kind,{header}\nc,camera,10.0.0.1\n"))
    assert getattr(device, field) == "10.0.0.1"


def test_a_checkpoint_in_the_column_of_kinds_is_a_traffic_unit() -> None:
    device = one(read("id,kind\nc,卡口\n"))
    assert (device.kind, device.traffic_kind) == (Kind.TRAFFIC_UNIT, TrafficKind.CHECKPOINT)


def test_a_device_without_id_and_kind_takes_them_from_its_national_code() -> None:
    device = one(read(f"国标编码,ip\n{CODE},10.0.0.1\n"))
    assert (device.id, device.kind) == (CODE, Kind.CAMERA)


def test_records_of_all_kinds_stand_in_one_file_in_any_order_and_refer_by_id_or_name() -> None:
    found = read(
        "record,id,name,kind,area,parent,site,device,channels,contractor,category\n"
        "view,gate/out,朝外,,,,北门,,nvr/2,,\n"
        "channel,,二路,,,,,nvr,,,\n"
        "device,nvr,,NVR,东区,sw,gate,,,firm,\n"
        "device,sw,交换机,network,east,,,,,,\n"
        "crew,crew-1,一班,,东区,,,,,维保公司,\n"
        "site,gate,北门,,east,,,,,,车站\n"
        "contractor,firm,维保公司,,,,,,,,\n"
        "area,east,东区,,,city,,,,,\n"
        "area,city,高原市,,,,,,,,\n"
    )
    assert flaws(found) == [(Flaw.UNKNOWN_REFERENCE, 2, "channels")]
    fixed = read(
        "record,device,number,name\ndevice,nvr,,\nchannel,nvr,2,二路\n", registered(Device("nvr", Kind.RECORDER))
    )
    assert fixed.items[1] == Channel("nvr/2", "nvr", 2, "二路")
    items = {item.id: item for item in found.items}
    assert items["nvr"] == Device("nvr", Kind.RECORDER, area="east", parent="sw", site="gate", contractor="firm")
    assert items["crew-1"] == Crew("crew-1", "一班", "firm", "east")
    assert items["gate"] == Site("gate", "北门", SiteCategory.STATION_PORT, "east")
    assert items["gate/out"] == View("gate/out", "gate", "朝外")
    assert items["east"] == Area("east", "东区", "city")


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("区域编号,区域名称,上级区域\ncity,高原市,\n", Area("city", "高原市")),
        ("单位编号,单位名称\nfirm,维保公司\n", None),
        ("点位编号,点位名称,类型\ngate,北门,广场\n", Site("gate", "北门", SiteCategory.SQUARE)),
    ],
)
def test_the_headers_tell_what_a_file_lists(text: str, item: object) -> None:
    found = read(text, VIEWED)
    assert found.problems == ()
    assert item is None or found.items == (item,)


def test_an_empty_cell_leaves_a_field_and_a_dash_empties_it() -> None:
    before = Device("c", Kind.CAMERA, "north", "10.0.0.1", note="keep", pole="P7", tags=("a",))
    found = read("id,name,note,pole,tags,rtsp_port\nc,south,,-,-,-\n", registered(before))
    assert one(found) == Device("c", Kind.CAMERA, "south", "10.0.0.1", note="keep", rtsp_port=0)
    assert (found.created, found.changed, found.unchanged) == (0, 1, 0)


def test_the_same_file_again_changes_nothing() -> None:
    text = "id,kind,ip,tags,纬度,经度\nc,camera,10.0.0.1,a;b,29.6,91.1\n"
    again = read(text, registered(one(read(text))))
    assert (again.created, again.changed, again.unchanged) == (0, 0, 1)


@pytest.mark.parametrize(
    ("header", "cell", "flaw"),
    [
        ("national_code", "5.401E+19", Flaw.ROUNDED),
        ("national_code", "54010200001320000", Flaw.BAD_CODE),
        ("national_code", "5401020000132000000x", Flaw.BAD_CODE),
        ("national_code", "54010200002000000001", Flaw.NO_DEVICE_CODE),
        ("host", "10.0.0.1:554", Flaw.HOST_WITH_PORT),
        ("host", "http://10.0.0.1/", Flaw.HOST_WITH_PORT),
        ("host", "[2001:db8::1]:80", Flaw.HOST_WITH_PORT),
        ("host", "010.000.000.001", Flaw.BAD_HOST),
        ("host", "10.0.0.256", Flaw.BAD_HOST),
        ("host", "north gate", Flaw.BAD_HOST),
        ("host", "11.0.0.1", Flaw.OUTSIDE_NETWORKS),
        ("host", "2001:db8::1", Flaw.OUTSIDE_NETWORKS),
        ("rtsp_port", "70000", Flaw.OUT_OF_RANGE),
        ("rtsp_port", "5.5", Flaw.NOT_WHOLE),
        ("rtsp_port", "many", Flaw.NOT_A_NUMBER),
        ("latitude", "91.117", Flaw.OUT_OF_RANGE),
        ("longitude", "91°07'", Flaw.NOT_A_NUMBER),
        ("azimuth", "361", Flaw.OUT_OF_RANGE),
        ("interval", "0", Flaw.OUT_OF_RANGE),
        ("installed", "2024-02-30", Flaw.NOT_A_DATE),
        ("installed", "spring", Flaw.NOT_A_DATE),
        ("mac", "00:1a:2b", Flaw.BAD_MAC),
        ("life", "在线", Flaw.NOT_A_WORD),
        ("probes", "tcp;ping", Flaw.NOT_A_WORD),
        ("area", "nowhere", Flaw.UNKNOWN_REFERENCE),
        ("site", "nowhere", Flaw.UNKNOWN_REFERENCE),
        ("parent", "nothing", Flaw.UNKNOWN_REFERENCE),
        ("contractor", "nobody", Flaw.UNKNOWN_REFERENCE),
        ("credential", "none", Flaw.UNKNOWN_REFERENCE),
        ("note", "#REF!", Flaw.SPREADSHEET_ERROR),
        ("note", "x" * 1001, Flaw.TOO_LONG),
        ("onvif_path", "device service", Flaw.BAD_PATH),
        ("kind", "-", Flaw.MISSING_FIELD),
        ("id", "-", Flaw.MISSING_FIELD),
        ("id", "x" * 101, Flaw.BAD_ID),
        ("id", "..", Flaw.BAD_ID),
        ("id", "5.4E+19", Flaw.ROUNDED),
        ("username", "admin", Flaw.HALF_CREDENTIAL),
        ("password", "secret", Flaw.HALF_CREDENTIAL),
    ],
)
def test_a_cell_that_cannot_be_is_a_problem_at_its_place(header: str, cell: str, flaw: Flaw) -> None:
    values = {"id": "c", "kind": "camera", "host": "10.0.0.1", header: cell}
    found = read(f"\n{','.join(values)}\n{','.join(values.values())}\n", networks=["10.0.0.0/8"])
    assert (flaw, 3, header) in flaws(found)
    assert not found.sound


@pytest.mark.parametrize(
    ("header", "cell", "flaw"),
    [
        ("hours", "7 to 22", Flaw.BAD_HOURS),
        ("polygon", "somewhere", Flaw.BAD_POLYGON),
        ("polygon", '{"type":"Polygon","coordinates":[[[91,29],[92,29],[92,30]]]}', Flaw.BAD_POLYGON),
        ("required_availability", "980%", Flaw.OUT_OF_RANGE),
        ("interval", "0", Flaw.OUT_OF_RANGE),
        ("探测间隔", "86401", Flaw.OUT_OF_RANGE),
        ("interval", "often", Flaw.NOT_A_NUMBER),
        (
            "polygon",
            '{"type":"Polygon","coordinates":[[[91,29],[92,30],[92,29],[91,30],[91,29]]]}',
            Flaw.CROSSING_POLYGON,
        ),
        ("category", "pub", Flaw.NOT_A_WORD),
    ],
)
def test_a_site_is_checked_too(header: str, cell: str, flaw: Flaw) -> None:
    quoted = cell.replace('"', '""')
    found = read(f'record,id,{header}\nsite,gate,"{quoted}"\n', VIEWED)
    assert flaws(found) == [(flaw, 2, header)]


def test_a_site_without_views_is_told_at_its_row() -> None:
    found = read("record,id,site\nsite,gate,\nsite,pier,\nview,N,gate\n")
    assert flaws(found) == [(Flaw.SITE_WITHOUT_VIEWS, 3, "id")]
    assert found.sound


@pytest.mark.parametrize(("header", "cell"), [("azimuth", "400"), ("view_range", "0"), ("view_angle", "0")])
def test_a_field_of_view_that_can_not_be_is_refused_at_its_cell(header: str, cell: str) -> None:
    assert flaws(read(f"id,kind,{header}\nc,camera,{cell}\n")) == [(Flaw.OUT_OF_RANGE, 2, header)]


def test_coordinates_are_converted_by_the_file_or_by_the_row() -> None:
    """The pair of Beijing that publications of the formula give: GCJ-02 (116.41024450, 39.91640428) is WGS-84 (116.404,
    39.915)."""
    text = "id,kind,经度,纬度,坐标系\na,camera,116.41024450,39.91640428,\nb,camera,116.404,39.915,WGS-84\n"
    for item in read(text, datum=Datum.GCJ02).items:
        assert isinstance(item, Device)
        assert (item.longitude, item.latitude) == pytest.approx((116.404, 39.915), abs=1e-7)
    row = "id,kind,经度,纬度,坐标系\na,camera,116.41661560,39.92273630,百度\n"
    assert one(read(row)).longitude == pytest.approx(116.404, abs=1e-4)


def test_a_polygon_is_converted_with_its_row_and_a_datum_nobody_knows_is_refused() -> None:
    shape = '{""type"":""Polygon"",""coordinates"":[[[91,29],[92,29],[92,30],[91,29]]]}'
    (site,) = read(f'record,id,datum,polygon\nsite,gate,gcj02,"{shape}"\n', VIEWED).items
    assert isinstance(site, Site)
    assert '"coordinates":[[[90.99' in site.polygon
    assert flaws(read("id,kind,datum\nc,camera,mars\n")) == [(Flaw.NOT_A_WORD, 2, "datum")]


def test_buildings_come_as_geojson() -> None:
    ring = [[91, 29], [92, 29], [92, 30], [91, 29]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    content = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {"name": "楼"}, "geometry": geometry}],
        }
    )
    (building,) = examine(files.read(content.encode(), "houses.geojson"), EMPTY).items
    assert building == Building("building-1", "楼", json.dumps(geometry, separators=(",", ":")))


def test_good_cells_of_a_site_are_read() -> None:
    shape = '{"type":"Polygon","coordinates":[[[91,29],[92,29],[92,30],[91,29]]]}'
    quoted = shape.replace('"', '""')
    found = read(
        f'点位编号,点位名称,要求可用率,要求时段,范围,探测间隔\ngate,北门,98%,7:00~22:00,"{quoted}",２０\n', VIEWED
    )
    assert found.problems == ()
    site = Site("gate", "北门", polygon=shape, required_availability=0.98, hours="07:00-22:00", interval=20.0)
    assert found.items == (site,)


def channel(header: str, cell: str) -> Inventory:
    nvr = Device("n", Kind.RECORDER, host="10.0.0.1")
    return read(f'通道编号,所属录像机,通道号,{header}\nn/1,n,1,"{cell}"\n', Register(devices={"n": nvr}))


@pytest.mark.parametrize(
    ("header", "cell", "field", "value"),
    [
        ("隐私遮挡", "0 0 30% 25%；0.5，0.1 0.9，0.1 0.7，0.4", "masks", ("0 0 0.3 0.25", "0.5,0.1 0.9,0.1 0.7,0.4")),
        ("隐私遮挡", "0, 0, 0.3, 0.25", "masks", ("0 0 0.3 0.25",)),
        ("privacy masks", "(0.5,0.1) (0.9,0.1) (0.7,0.4)", "masks", ("0.5,0.1 0.9,0.1 0.7,0.4",)),
        ("OSD时钟区域", "60% 2% 38% 6%", "osd_box", "0.6 0.02 0.38 0.06"),
        ("OSD时钟格式", "yyyy-MM-dd HH:mm:ss", "osd_format", "YYYY-MM-DD HH:MM:SS"),
        ("OSD时钟格式", "YYYY年MM月DD日 星期X HH:mm:ss", "osd_format", "YYYY年MM月DD日 星期X HH:MM:SS"),
        ("osd_format", "MM-DD-YYYY hh:mm:ss AM/PM", "osd_format", "MM-DD-YYYY HH:MM:SS AM/PM"),
        ("OSD时区", "UTC+6", "osd_zone", "UTC+6"),
        ("自动巡航", "是", "may_move", True),
        ("may_move", "no", "may_move", False),
    ],
)
def test_what_is_seen_in_a_picture_is_read_as_people_type_it(header: str, cell: str, field: str, value: object) -> None:
    found = channel(header, cell)
    assert found.problems == ()
    assert getattr(found.items[0], field) == value


@pytest.mark.parametrize(
    ("header", "cell", "flaw"),
    [
        ("masks", "left half", Flaw.BAD_MASK),
        ("masks", "0 0 0.3", Flaw.BAD_MASK),
        ("masks", "0.1,0.1 0.9,0.1 0.5", Flaw.BAD_MASK),
        ("masks", "0 0 640 360", Flaw.OUTSIDE_PICTURE),
        ("masks", "0.8 0 0.3 0.2", Flaw.OUTSIDE_PICTURE),
        ("masks", "0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9", Flaw.CROSSING_MASK),
        ("masks", "0.1 0.1 0 0.5", Flaw.FLAT_MASK),
        ("masks", ";".join(f"0 0 0.{n + 1:02} 0.5" for n in range(17)), Flaw.TOO_MANY_MASKS),
        ("osd_box", "top right", Flaw.BAD_CLOCK_BOX),
        ("osd_box", "0.7 0.02 0.38 0.06", Flaw.OUTSIDE_PICTURE),
        ("osd_box", "0.6 0.02 0.38 0.01", Flaw.SMALL_CLOCK),
        ("osd_format", "YYYY-MM-DD", Flaw.BAD_CLOCK_FORMAT),
        ("osd_format", "YYYY-MM-DD hh:mm:ss XM", Flaw.BAD_CLOCK_FORMAT),
        ("osd_format", "YYYY-MM-DD HH:MM:SS:SS", Flaw.BAD_CLOCK_FORMAT),
        ("osd_zone", "Lhasa time", Flaw.BAD_ZONE),
        ("osd_zone", "+25", Flaw.BAD_ZONE),
        ("may_move", "sometimes", Flaw.NOT_A_WORD),
    ],
)
def test_what_can_not_be_in_a_picture_is_refused_at_its_cell(header: str, cell: str, flaw: Flaw) -> None:
    found = channel(header, cell)
    assert (flaw, 2, header) in flaws(found)
    assert not found.sound


def test_every_problem_is_listed_at_once_and_one_bad_row_does_not_blame_others() -> None:
    found = read(
        "id,kind,host,parent\n"
        "sw,network,10.0.0.999,\n"
        "a,camera,10.0.0.1,sw\n"
        "b,camera,bad host,sw\n"
        "a,camera,10.0.0.3,sw\n"
        ",camera,10.0.0.4,sw\n"
        "d,,10.0.0.5,sw\n"
    )
    assert flaws(found) == [
        (Flaw.BAD_HOST, 2, "host"),
        (Flaw.BAD_HOST, 4, "host"),
        (Flaw.DUPLICATE, 5, "id"),
        (Flaw.MISSING_ID, 6, "id"),
        (Flaw.MISSING_FIELD, 7, "kind"),
    ]
    assert found.problems[2].details == {"id": "a", "place": "3"}


def test_a_ring_of_parents_is_told_with_its_rows_and_chain_also_through_what_is_registered() -> None:
    found = read("id,kind,parent\na,network,b\nb,network,c\nc,network,a\nd,camera,a\n")
    (problem,) = found.problems
    assert (problem.flaw, problem.details) == (Flaw.LOOP, {"chain": "a > b > c > a", "places": "2, 3, 4"})
    old = registered(Device("a", Kind.NETWORK, parent="b"), Device("b", Kind.NETWORK))
    (problem,) = read("id,parent\nb,a\n", old).problems
    assert (problem.flaw, problem.details["chain"]) == (Flaw.LOOP, "a > b > a")
    areas = read("record,id,parent\narea,x,x\n")
    assert [problem.flaw for problem in areas.problems] == [Flaw.LOOP]


def test_a_national_code_belongs_to_one_device_in_the_file_and_in_the_register() -> None:
    found = read(f"id,kind,national_code\na,camera,{CODE}\nb,camera,{CODE}\n")
    assert flaws(found) == [(Flaw.DUPLICATE_CODE, 3, "national_code")]
    old = registered(Device("a", Kind.CAMERA, national_code=CODE))
    assert flaws(read(f"id,kind,national_code\nb,camera,{CODE}\n", old)) == [(Flaw.DUPLICATE_CODE, 2, "national_code")]


def test_a_name_that_several_bear_is_not_guessed() -> None:
    register = Register(areas={"e1": Area("e1", "东区"), "e2": Area("e2", "东区")})
    (problem,) = read("id,kind,area\na,camera,东区\n", register).problems
    assert (problem.flaw, problem.details["ids"]) == (Flaw.AMBIGUOUS_REFERENCE, "e1, e2")


def test_user_name_and_password_become_the_devices_own_credential_and_are_never_repeated() -> None:
    found = read("id,kind,用户名,密码\nc,camera,admin,c4n4ry\n")
    assert found.credentials == (Credential("device/c", "admin", "c4n4ry", 0),)
    assert one(found).credential == "device/c"
    broken = read(
        "id,kind,用户名,密码,credential\nc,camera,,c4n4ry,\nd,camera,us3r,c4n4ry,shared\ne,spy,us3r,c4n4ry,\n",
        credentials=["shared"],
    )
    assert [problem.flaw for problem in broken.problems] == [
        Flaw.HALF_CREDENTIAL,
        Flaw.CREDENTIAL_TWICE,
        Flaw.NOT_A_WORD,
    ]
    assert "c4n4ry" not in repr((found, broken))
    assert "us3r" not in repr(broken.problems)


@pytest.mark.parametrize("password", ["'=x", "=1+1", "2Ywcu@#/?%:8Mpe7", "'", "密码-1"])
def test_a_password_is_taken_to_the_letter(password: str) -> None:
    found = read(f"id,kind,username,password\nc,camera,admin,{password}\n")
    assert found.credentials[0].password == password


def test_a_password_inside_an_address_is_not_repeated() -> None:
    found = read("id,kind,ip\nc,camera,rtsp://admin:c4n4ry@10.0.0.1\n")
    found_too = read(
        "record,id,device,rtsp_path\nchannel,x,c,rtsp://admin:c4n4ry@10.0.0.1/1\n",
        registered(one(read("id,kind\nc,camera\n"))),
    )
    assert [problem.flaw for problem in (*found.problems, *found_too.problems)] == [Flaw.HOST_WITH_PORT, Flaw.BAD_PATH]
    assert "c4n4ry" not in repr((found.problems, found_too.problems))


def test_what_is_only_worth_a_look_does_not_stop_an_import() -> None:
    found = read(
        "id,kind,host,national_code,colour\n"
        "a,camera,10.0.0.1,54010200001180000001,red\n"
        "b,camera,10.0.0.1,54010200001320000000,\n",
        networks=[],
    )
    assert {problem.flaw for problem in found.problems} == {
        Flaw.UNKNOWN_COLUMN,
        Flaw.CODE_OF_OTHER_KIND,
        Flaw.CODE_LOOKS_ROUNDED,
        Flaw.SHARED_ADDRESS,
        Flaw.NO_NETWORKS,
    }
    assert {problem.severity for problem in found.problems} == {Severity.WARNING}
    assert found.sound


def test_a_device_in_use_without_an_address_is_told_for_it_is_never_asked() -> None:
    found = read("id,kind,life,host\na,camera,,\nb,camera,待建,\nc,camera,,10.0.0.1\n")
    assert [(problem.flaw, problem.row, problem.severity) for problem in found.problems] == [
        (Flaw.NO_HOST, 2, Severity.WARNING)
    ]


@pytest.mark.parametrize(
    ("text", "flaw", "row"),
    [
        ("", Flaw.NO_HEADER, 0),
        ("a,b\n1,2\n", Flaw.NO_HEADER, 0),
        ("id,kind\nc,camera,x,y\n", Flaw.TOO_MANY_CELLS, 2),
        ("id,kind,,host\nc,camera,x,10.0.0.1\n", Flaw.TOO_MANY_CELLS, 2),
        ("id,kind,ip,地址\nc,camera,10.0.0.1,10.0.0.2\n", Flaw.COLUMN_TWICE, 1),
        ("record,id\nspaceship,c\n", Flaw.UNKNOWN_RECORD, 2),
        ("record,id,host\narea,c,10.0.0.1\n", Flaw.UNUSED_CELL, 2),
        ("id,kind,longitude\nc,camera,91.1\n", Flaw.HALF_POSITION, 2),
    ],
)
def test_a_file_that_is_not_shaped_like_one_is_told(text: str, flaw: Flaw, row: int) -> None:
    assert (flaw, row) in [(problem.flaw, problem.row) for problem in read(text).problems]


def test_host_names_and_both_families_inside_the_networks_are_taken() -> None:
    found = read(
        "id,kind,host\na,camera,Cam-1.lan\nb,camera,2001:DB8:0::1\nc,camera,10.1.2.3\n",
        networks=["10.0.0.0/8", "2001:db8::/32"],
    )
    assert found.problems == ()
    assert [item.host for item in found.items if isinstance(item, Device)] == ["cam-1.lan", "2001:db8::1", "10.1.2.3"]


def test_a_community_of_snmp_has_no_user_name() -> None:
    sound = read("id,kind,password,snmp_port\nsw-1,network,c4n4ry,161\n")
    assert [(one.username, one.password) for one in sound.credentials] == [("", "c4n4ry")]
    assert one(sound).credential == "device/sw-1"
    other = read("id,kind,password\nsw-1,network,c4n4ry\n")
    assert Flaw.HALF_CREDENTIAL in [problem.flaw for problem in other.problems]
