"""What forms and bodies ask to be done to a work order, as the deeds of the rules."""

from __future__ import annotations

from camera_registry.console.ordering import DoDeed
from camera_registry.model.work_order import CancelReason, HoldReason
from camera_registry.rules.dispatch import deeds


def accept() -> DoDeed:
    return lambda order, who, at, _: deeds.accept(order, who, at)


def arrive() -> DoDeed:
    return lambda order, who, at, _: deeds.arrive(order, who, at)


def hold(reason: HoldReason, text: str) -> DoDeed:
    return lambda order, who, at, _: deeds.hold(order, reason, text, who, at)


def resume() -> DoDeed:
    return deeds.resume


def fix(text: str) -> DoDeed:
    return lambda order, who, at, _: deeds.fix(order, text, who, at)


def close(stars: int | None, text: str) -> DoDeed:
    return lambda order, who, at, _: deeds.close(order, stars, text, who, at)


def rate(stars: int, text: str) -> DoDeed:
    return lambda order, who, at, _: deeds.rate(order, stars, text, who, at)


def cancel(reason: CancelReason, text: str) -> DoDeed:
    return lambda order, who, at, policy: deeds.cancel(order, reason, text, who, at, policy)


def reopen(text: str) -> DoDeed:
    return lambda order, who, at, policy: deeds.reopen(order, text, who, at, policy)


def note(text: str) -> DoDeed:
    return lambda order, who, at, _: deeds.note(order, text, who, at)
