"""Places of an invented city: districts and what is in them, in Chinese with a name that others can read."""

from __future__ import annotations

from camera_registry.model.place import SiteCategory

CITY = "天湖市 Tianhu"
CITY_POSITION = (102.70, 25.05)
"""Longitude and latitude of its middle, WGS-84 degrees."""
CITY_CODE = "5301"
"""First digits of every national code."""

DISTRICTS = (
    "东湖区 Donghu",
    "西岭区 Xiling",
    "南渡区 Nandu",
    "北桥区 Beiqiao",
    "青石区 Qingshi",
    "金河区 Jinhe",
    "云台区 Yuntai",
    "白塔区 Baita",
    "红柳区 Hongliu",
    "银滩区 Yintan",
    "石门区 Shimen",
    "柳园区 Liuyuan",
    "长桥区 Changqiao",
    "安平区 Anping",
)
COMMUNITIES = (
    "钟楼 Zhonglou",
    "新华 Xinhua",
    "翠湖 Cuihu",
    "文庙 Wenmiao",
    "春城 Chuncheng",
    "金碧 Jinbi",
    "莲花 Lianhua",
)
STREETS = ("人民路 Renmin Rd", "解放路 Jiefang Rd", "环城路 Huancheng Rd", "滨河路 Binhe Rd", "工业路 Gongye Rd")

SITES: tuple[tuple[SiteCategory, str], ...] = (
    (SiteCategory.INTERSECTION, "路口 crossing"),
    (SiteCategory.SCHOOL, "小学 primary school"),
    (SiteCategory.HOSPITAL, "医院 hospital"),
    (SiteCategory.SQUARE, "广场 square"),
    (SiteCategory.STATION_PORT, "客运站 coach station"),
    (SiteCategory.FINANCIAL_OUTLET, "银行网点 bank branch"),
    (SiteCategory.TRAFFIC_ARTERY, "主干道 artery"),
    (SiteCategory.CHECKPOINT, "卡口 checkpoint"),
    (SiteCategory.COMMERCIAL_CENTRE, "商场 shopping centre"),
    (SiteCategory.PUBLIC_OFFICE, "政务中心 public office"),
    (SiteCategory.HAZARDOUS_STORE, "危化品仓库 hazardous store"),
    (SiteCategory.UTILITY, "变电站 substation"),
    (SiteCategory.STADIUM, "体育馆 stadium"),
    (SiteCategory.VILLAGE, "村口 village entrance"),
)
VIEWS = ("东向 east", "南向 south", "西向 west", "北向 north")
"""A view looks towards where it is named for: a quarter turn each, beginning in the east."""

CONTRACTORS = (
    ("huaan", "华安技防工程 Hua'an Security"),
    ("tianyi", "天翼运维 Tianyi Maintenance"),
    ("dingxin", "鼎信科技 Dingxin Technology"),
)
OWNERS = ("公安局 Public Security", "交警支队 Traffic Police", "综治办 Community Office")
