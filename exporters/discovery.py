"""This file tells a Prometheus server what there is to scrape (http_sd): lists of targets with their labels as JSON.

``/sd/devices`` is ``devices``: every device in use, for exporters of others (SNMP, blackbox) and for the multi-target
``/probe``. ``/sd/pages`` is ``pages``: the per-device page cut by area, so that no scrape grows with the city.
``/sd/pollers`` is ``pollers``: the processes that have metrics of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from camera_registry.board import Board
from camera_registry.model.device import Life
from exporters.areas import Part, Tree

CONTENT_TYPE = "application/json"
PAGE_DEVICES = 2_500
"""Devices on one page, if areas can be cut so fine: about 4 MB of text and 10 ms of work a scrape."""
DEVICES_PATH = "/metrics/devices"


def devices(board: Board) -> bytes:
    """One group a device in use. The target is its identifier; its address and place are in ``__meta_`` labels.

    Prometheus drops ``__meta_`` labels after relabelling, so nothing of them reaches a series by itself.
    """
    return orjson.dumps(
        [
            {
                "targets": [_clean(entry.device.id)],
                "labels": {
                    f"__meta_camera_registry_{name}": _clean(value)
                    for name, value in (
                        ("kind", entry.device.kind.value),
                        ("name", entry.device.name),
                        ("host", entry.device.host),
                        ("area", entry.device.area),
                        ("site", entry.device.site),
                        ("parent", entry.device.parent),
                        ("contractor", entry.device.contractor),
                    )
                },
            }
            for entry in board
            if entry.device.life is Life.ACTIVE
        ]
    )


def pages(board: Board, address: str, limit: int = PAGE_DEVICES) -> bytes:
    """One group a page of ``/metrics/devices``. The target is this service, ``page`` tells the pages apart.

    ``address`` is ``host:port`` as Prometheus reaches this service.
    """
    counts = Counter(entry.device.area for entry in board)
    parts = Tree(board.names.area_parents, counts).cut(counts, limit)
    return orjson.dumps([_page(part, address) for part in parts or [Part("")]])


def pollers(address: str, names: Sequence[str]) -> bytes:
    """One group a poller that answers at ``address``."""
    return orjson.dumps([{"targets": [address], "labels": {"poller": name}} for name in names])


def _page(part: Part, address: str) -> Mapping[str, object]:
    labels = {
        "__metrics_path__": DEVICES_PATH,
        "__param_area": _clean(part.area),
        "__param_subtree": "1" if part.subtree else "0",
        "page": _clean(part.area) + ("" if part.subtree else " alone"),
    }
    return {"targets": [address], "labels": labels}


def _clean(text: str) -> str:
    """Text that is UTF-8 for certain."""
    return text.encode("utf-8", "replace").decode()
