"""The words that operations staff write: column headers and values, in Chinese and English, with their synonyms.

The first Chinese word of each entry is the one that an export in Chinese writes. Words are compared by ``fold``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from camera_registry.model.device import Kind, Life, TlsUse, TrafficKind
from camera_registry.model.place import SiteCategory
from camera_registry.rules.geometry.datum import Datum

WordT = TypeVar("WordT", bound=StrEnum)

_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_DECORATION = re.compile(r"[\s_\-./*:#\u200b\ufeff]+")


def fold(text: str) -> str:
    """``text`` without case, width, spaces, marks of required fields, and units in brackets: "IP 地址（必填）" is
    "ip地址"."""
    plain = unicodedata.normalize("NFKC", text)
    return _DECORATION.sub("", _BRACKETS.sub("", plain)).casefold()


RECORD_COLUMN = ("record", "记录", "记录类型", "record_type")

COUNTER_COLUMN = ("序号", "行号", "no", "no.")
"""Numbers of rows, which mean nothing."""

RECORDS: Mapping[str, tuple[str, ...]] = {
    "area": ("区域", "区域表", "网格", "行政区划", "areas"),
    "contractor": ("维保单位", "维保单位表", "运维单位", "contractors"),
    "crew": ("班组", "班组表", "crews"),
    "site": ("点位", "点位表", "重点部位", "sites"),
    "device": ("设备", "设备表", "设备台账", "设备清单", "台账", "devices", "inventory"),
    "channel": ("通道", "通道表", "channels"),
    "view": ("视角", "视角表", "views"),
    "building": ("建筑物", "建筑物表", "遮挡物", "buildings"),
}
"""Kinds of records in the order in which an export writes them: what others refer to comes first."""

HEADERS: Mapping[str, tuple[str, ...]] = {
    "id": ("编号", "标识"),
    "name": ("名称",),
    "parent": ("上级",),
    "level": ("级别", "层级"),
    "contact": ("联系方式", "联系人", "联系电话", "电话", "phone", "contact_person"),
    "category": ("类别", "点位类别", "部位类别", "场所类别", "site_category"),
    "area": ("所属区域", "区域", "所属网格", "网格", "区域编号", "区域编码", "行政区划", "辖区", "district", "area_id"),
    "longitude": ("经度", "lon", "lng", "long"),
    "latitude": ("纬度", "lat"),
    "polygon": ("范围", "多边形", "geojson", "geometry"),
    "datum": ("坐标系", "坐标系统", "坐标基准", "coordinate_system", "crs"),
    "required_availability": ("要求可用率", "可用率要求", "availability"),
    "hours": ("要求时段", "时段", "生效时段"),
    "site": ("点位", "所属点位", "点位编号", "重点部位", "site_id"),
    "channels": ("覆盖通道", "通道列表"),
    "kind": ("设备类型", "类型", "设备类别", "设备种类", "type", "device_type", "device_kind"),
    "host": (
        "ip地址",
        "地址",
        "设备ip",
        "ip",
        "设备地址",
        "网络地址",
        "主机",
        "域名",
        "address",
        "ip_address",
        "hostname",
    ),
    "life": ("管理状态", "状态", "使用状态", "设备状态", "status", "state"),
    "traffic_kind": ("交通设备类型", "交通类型", "交通设备种类"),
    "national_code": (
        "国标编码",
        "国标编号",
        "国标id",
        "设备国标编码",
        "gb28181",
        "gb编码",
        "code",
        "gb_code",
        "gb_id",
    ),
    "credential": ("凭据", "登录凭据", "账号组"),
    "onvif_credential": ("ONVIF凭据",),
    "snmp_credential": ("SNMP凭据",),
    "backup_parent": ("备用上级", "备用上级设备", "备用上联"),
    "parent_port": ("上级端口", "交换机端口", "switch_port"),
    "probes": ("探测", "探测项"),
    "interval": ("探测间隔", "间隔", "轮询间隔"),
    "tcp_port": ("TCP端口",),
    "onvif_port": ("端口", "ONVIF端口", "管理端口", "port"),
    "onvif_path": ("ONVIF路径",),
    "rtsp_port": ("RTSP端口", "流端口"),
    "http_port": ("HTTP端口", "web端口"),
    "http_path": ("HTTP路径", "状态页路径"),
    "tls": ("加密", "https", "TLS方式"),
    "tls_port": ("TLS端口",),
    "certificate": ("证书指纹", "证书", "fingerprint"),
    "snmp_port": ("SNMP端口",),
    "manufacturer": ("厂商", "品牌", "厂家", "生产厂家", "制造商", "maker", "vendor", "brand", "make"),
    "model": ("型号", "设备型号", "规格型号", "device_model"),
    "serial": ("序列号", "sn", "设备序列号", "serial_number", "serial_no"),
    "firmware": ("固件版本", "固件", "软件版本", "firmware_version"),
    "mac": ("MAC地址", "mac_address", "物理地址"),
    "mounting": ("安装方式", "安装形式"),
    "height": ("安装高度", "高度", "杆高"),
    "azimuth": ("方位角", "朝向", "方向角", "bearing", "heading"),
    "view_angle": ("视场角", "视角宽度", "水平视角", "fov", "field_of_view"),
    "view_range": ("监控距离", "可视距离", "距离", "range"),
    "pole": ("杆件", "杆号", "立杆编号", "杆件编号", "机箱编号", "cabinet"),
    "power_source": ("供电方式", "取电方式", "电源", "供电", "power"),
    "owner": ("权属单位", "建设单位", "产权单位", "责任单位", "所属单位"),
    "contractor": ("维保单位", "运维单位", "维护单位", "维保单位编号", "contractor_id"),
    "contract_end": ("维保到期", "合同到期", "维保到期日期", "维保截止日期", "合同截止日期"),
    "warranty_end": ("质保到期", "质保期至", "质保到期日期", "保修到期"),
    "installed": ("安装日期", "建设日期", "安装时间", "启用日期", "投用日期", "install_date", "installed_at"),
    "tags": ("标签", "标记", "labels"),
    "note": ("备注", "说明", "notes", "remark", "remarks", "comment"),
    "device": ("设备", "所属设备", "device_id"),
    "number": ("通道号", "channel_no", "channel_number"),
    "token": ("配置令牌", "profile_token", "onvif令牌"),
    "rtsp_path": ("RTSP路径", "流地址", "rtsp地址"),
    "snapshot_path": ("抓图路径", "抓图地址"),
    "masks": ("隐私遮挡", "隐私区域", "隐私遮挡区域", "遮挡区域", "privacy_masks", "privacy_mask", "mask"),
    "osd_box": ("OSD时钟区域", "OSD区域", "OSD时钟位置", "osd", "clock_box"),
    "osd_format": ("OSD时钟格式", "OSD格式", "时间格式", "clock_format"),
    "osd_zone": ("OSD时区", "时区", "摄像机时区", "time_zone", "clock_zone"),
    "may_move": ("自动巡航", "巡航", "允许转动", "ptz_tour", "on_tour"),
    "username": ("用户名", "账号", "登录名", "登录用户名", "user", "login", "user_name"),
    "password": ("密码", "口令", "登录密码", "pass", "pwd", "passwd"),
}
"""Each field's headers, whatever record it belongs to."""

OWN_HEADERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "area": {
        "id": ("区域编号", "区域编码", "网格编号", "区域代码", "area_id", "area_code", "code"),
        "name": ("区域名称", "网格名称", "区域", "area_name"),
        "parent": ("上级区域", "所属区域", "上级编号", "parent_area"),
        "contact": ("责任人", "负责人", "网格员"),
    },
    "site": {
        "id": ("点位编号", "部位编号", "site_id"),
        "name": ("点位名称", "点位", "部位名称", "重点部位", "site_name"),
        "category": ("类型", "点位类型", "type"),
    },
    "view": {
        "id": ("视角编号", "view_id"),
        "name": ("视角名称", "视角", "view_name"),
        "channels": ("通道", "通道编号", "channel", "channel_id"),
    },
    "device": {
        "id": ("设备编号", "设备编码", "设备id", "device_id", "device", "设备标识"),
        "name": ("设备名称", "device_name", "监控点名称", "摄像机名称"),
        "parent": ("上级设备", "上联设备", "所属录像机", "上联交换机", "uplink", "parent_device", "parent_id"),
        "site": ("所属部位", "点位名称"),
        "area": ("区域名称", "网格名称"),
    },
    "channel": {
        "id": ("通道编号", "通道编码", "通道id", "channel_id"),
        "name": ("通道名称", "channel_name"),
        "device": ("设备编号", "所属录像机", "设备id"),
    },
    "contractor": {
        "id": ("单位编号", "维保单位编号", "contractor_id"),
        "name": ("单位名称", "维保单位名称", "维保单位", "contractor_name", "company"),
    },
    "crew": {
        "id": ("班组编号", "crew_id"),
        "name": ("班组名称", "班组", "crew_name"),
        "area": ("负责区域",),
        "contact": ("班长", "负责人"),
    },
    "building": {
        "id": ("建筑物编号", "building_id"),
        "name": ("建筑物名称", "building_name"),
    },
}
"""Headers that mean a field only in one kind of record; they win over ``HEADERS``."""

KINDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CAMERA: (
        "摄像机",
        "摄像头",
        "网络摄像机",
        "枪机",
        "球机",
        "半球",
        "枪型摄像机",
        "球型摄像机",
        "ipc",
        "ipcamera",
    ),
    Kind.TRAFFIC_UNIT: ("智能交通设备", "交通设备", "traffic"),
    Kind.RECORDER: ("录像机", "硬盘录像机", "网络录像机", "nvr", "dvr", "编码器"),
    Kind.NETWORK: (
        "网络设备",
        "交换机",
        "光纤收发器",
        "收发器",
        "光端机",
        "路由器",
        "网关",
        "switch",
        "router",
        "uplink",
    ),
    Kind.MOBILE_UNIT: ("车载移动设备", "移动设备", "车载设备", "车载终端", "移动单元", "mobile"),
}

ANSWERS: Mapping[bool, tuple[str, ...]] = {True: ("是", "yes", "true", "1"), False: ("否", "no", "false", "0")}

TRAFFIC_KINDS: Mapping[TrafficKind, tuple[str, ...]] = {
    TrafficKind.CHECKPOINT: ("卡口", "治安卡口", "交通卡口", "智能卡口"),
    TrafficKind.ENFORCEMENT: ("电子警察", "电警", "违法抓拍", "测速"),
    TrafficKind.SIGNAL: ("信号机", "信号灯", "信号控制机"),
    TrafficKind.FLOW: ("流量检测", "流量检测器", "车检器"),
    TrafficKind.GUIDANCE: ("诱导屏", "交通诱导屏", "情报板"),
}

TLS_USES: Mapping[TlsUse, tuple[str, ...]] = {
    TlsUse.OFF: ("不加密", "否", "no"),
    TlsUse.PIN: ("锁定证书", "是", "yes"),
    TlsUse.ANY: ("任意证书",),
}

DATUMS: Mapping[Datum, tuple[str, ...]] = {
    Datum.WGS84: ("WGS-84", "WGS84坐标", "GPS", "大地坐标"),
    Datum.GCJ02: ("GCJ-02", "火星坐标", "国测局坐标", "高德", "腾讯"),
    Datum.BD09: ("BD-09", "百度坐标", "百度"),
}

LIVES: Mapping[Life, tuple[str, ...]] = {
    Life.PLANNED: ("待建", "规划", "在建", "未启用", "计划"),
    Life.ACTIVE: ("在用", "启用", "使用中", "正常", "使用"),
    Life.SUSPENDED: ("停用", "暂停", "停机", "暂停使用"),
    Life.RETIRED: ("报废", "拆除", "已拆除", "已报废", "退役"),
}

CATEGORIES: Mapping[SiteCategory, tuple[str, ...]] = {
    SiteCategory.CHECKPOINT: ("检查站", "公安检查站"),
    SiteCategory.PUBLIC_OFFICE: ("机关单位", "党政机关", "政府机关"),
    SiteCategory.STATION_PORT: ("车站码头", "车站", "火车站", "客运站", "机场", "码头"),
    SiteCategory.SQUARE: ("广场",),
    SiteCategory.STADIUM: ("体育场馆", "体育场", "体育馆"),
    SiteCategory.COMMERCIAL_CENTRE: ("商业中心", "商场", "商圈", "市场"),
    SiteCategory.SCHOOL: ("学校", "校园", "幼儿园"),
    SiteCategory.HOSPITAL: ("医院",),
    SiteCategory.FINANCIAL_OUTLET: ("金融网点", "银行", "银行网点"),
    SiteCategory.HAZARDOUS_STORE: ("危险品仓库", "危化品仓库", "加油站"),
    SiteCategory.UTILITY: ("公用设施", "水电气设施", "水厂", "变电站"),
    SiteCategory.TRAFFIC_ARTERY: ("交通干道", "主干道", "干道"),
    SiteCategory.INTERSECTION: ("路口", "交叉口"),
    SiteCategory.VILLAGE: ("行政村", "村", "村庄"),
    SiteCategory.OTHER: ("其他", "其它"),
}


def meanings(words: Mapping[WordT, tuple[str, ...]]) -> dict[str, WordT]:
    """Folded word to member; a member's own value counts as a word."""
    return {fold(word): member for member, synonyms in words.items() for word in (member.value, *synonyms)}


RECORD_MEANINGS = {fold(word): kind for kind, synonyms in RECORDS.items() for word in (kind, *synonyms)}


def field_meanings(record: str, fields: frozenset[str]) -> dict[str, str]:
    """Folded header to field, for one kind of record that has ``fields``."""
    own = OWN_HEADERS.get(record, {})
    found: dict[str, str] = {}
    # Later ones win: synonyms that all records share, then the record's own, then the fields' names themselves.
    for source in (HEADERS, own):
        for field, synonyms in source.items():
            if field in fields:
                found.update((fold(word), field) for word in synonyms)
    found.update((fold(field), field) for field in fields)
    return found
