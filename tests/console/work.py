"""Work orders for the console's tests: one that a crew has, one that another has, and one that is verified."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.incident import Incident, IncidentChange, Scope, Severity, Step
from camera_registry.model.work_order import Deadlines, OrderChange, OrderState, OrderStep, WorkOrder
from camera_registry.rules.dispatch.hours import due
from camera_registry.store import incidents, orders
from tests.console import fleet
from tests.console.conftest import Site

SINCE = fleet.NOW - timedelta(hours=1)
LIMITS = Deadlines(1800, 7200, 86_400)


def incident(id: int, device: str) -> Incident:
    return Incident(
        id, Scope.DEVICE, device, Cause.TIMEOUT, Severity.P2, SINCE, SINCE, SINCE, area="510104001",
        symptoms=(Subject(device, Aspect.REACH),),
    )  # fmt: skip


def order(id: int, device: str, crew: str, state: OrderState = OrderState.ASSIGNED) -> WorkOrder:
    made = WorkOrder(
        id, id, Scope.DEVICE, device, Cause.TIMEOUT, Severity.P2, SINCE, SINCE, LIMITS, state, "510104001", "weibao-1",
        crew, symptoms=(Subject(device, Aspect.REACH),),
    )  # fmt: skip
    return replace(made, due=due(made, DispatchPolicy()))


def give(site: Site) -> None:
    """Order 1 is crew-east's and overdue, 2 is crew-west's, 3 is anybody's of the contractor, 4 is verified."""
    given = [
        order(1, "cam-00003", "crew-east"),
        order(2, "cam-00005", "crew-west"),
        order(3, "cam-00009", ""),
        replace(order(4, "cam-00011", "crew-east", OrderState.VERIFIED), verified_at=fleet.NOW, fixed_at=fleet.NOW),
    ]
    broken = [incident(one.id, one.about) for one in given]
    site.store.write_now(incidents.save, broken, [IncidentChange(Step.OPENED, SINCE, one) for one in broken])
    opened = [OrderChange(OrderStep.OPENED, SINCE, one) for one in given]
    site.store.write_now(orders.save, given, opened)
    site.board.swap((), (), {one.id: one for one in broken}, {one.id: one for one in given})


def photograph(width: int = 640, height: int = 480, *, orientation: int = 6) -> bytes:
    """A JPEG as a phone makes it: lying on its side, and with where it was taken in it."""
    drawn = np.zeros((height, width, 3), np.uint8)
    drawn[:, : width // 2] = (0, 0, 255)
    jpeg: bytes = cv2.imencode(".jpg", drawn)[1].tobytes()
    place = struct.pack("<HHII", 0x8825, 4, 1, 38)
    entries = struct.pack("<H", 2) + struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0) + place
    gps = struct.pack("<H", 1) + struct.pack("<HHI4s", 1, 2, 2, b"N\0\0\0") + bytes(4)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entries + bytes(4) + gps + b"secret place"
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
