"""What programs read: Prometheus scrapes metrics and targets, has a device probed, and asks whether we live."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from camera_registry.console import probing
from camera_registry.console.found import on_board
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Filters, OptionalKind, PageQuery
from camera_registry.model.observation import Observation
from camera_registry.rules.access import Action
from camera_registry.rules.chain import chain
from exporters import discovery
from exporters.exposition import CONTENT_TYPE, Family, accepts_gzip, compress, escape, number
from exporters.prometheus import DevicePage

DEVICE_PAGE = web.AppKey("device_page", DevicePage)

_SUCCESS = Family("probe_success", "1: every probe of the device could measure, 0: one could not.")
_DURATION = Family("probe_duration_seconds", "How long all probes took together.")
_PROBE_SUCCESS = Family("camera_probe_success", "1: this probe could measure, 0: it could not.")
_PROBE_DURATION = Family("camera_probe_duration_seconds", "How long this probe took.")


class ProbeQuery(PageQuery):
    """``target`` is the identifier of a registered device; ``debug=1`` tells the steps in words before the metrics. A
    scrape configuration of other exporters sends a ``module`` too."""

    target: str = Field(max_length=200)
    debug: bool = False


class DevicePageQuery(Filters):
    """One area with all beneath it (``subtree=0``: alone), one kind."""

    area: str = Field("", max_length=200)
    kind: OptionalKind = None
    subtree: bool = True


async def metrics(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return _exposed(asked.deps.metrics.text())


async def device_metrics(asked: Asked[DevicePageQuery, Nothing]) -> web.StreamResponse:
    query = asked.query
    page = asked.request.app[DEVICE_PAGE]
    text = await page.render(query.area, query.kind or "", subtree=query.subtree)
    if not accepts_gzip(asked.request.headers.get("Accept-Encoding", "")):
        return _exposed(text)
    # Of a large fleet this takes tens of milliseconds, which the loop has better use for.
    packed = _exposed(await asyncio.to_thread(compress, text))
    packed.headers["Content-Encoding"] = "gzip"
    return packed


async def device_targets(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return _listed(discovery.devices(asked.deps.board))


async def page_targets(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return _listed(discovery.pages(asked.deps.board, asked.request.host))


async def poller_targets(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    return _listed(discovery.pollers(asked.request.host, asked.deps.pollers))


async def probe(asked: Asked[ProbeQuery, Nothing]) -> web.StreamResponse:
    entry = on_board(asked.deps.board, asked.query.target)
    by = asked.who.user.name if asked.who else "prometheus"
    runs = await asked.request.app[probing.PROBING].run(entry.device, by)
    exposed = exposition([seen for seen, _ in runs])
    if not asked.query.debug:
        return _exposed(exposed.encode())
    words = asked.words
    told = [f"{entry.device.name} {entry.device.id} ({entry.device.host})".lstrip(), ""]
    for seen, steps in runs:
        outcome = words.kind(seen.failure) if seen.failure else words("device.good")
        took = words("device.took", seconds=f"{seen.took:.3f}")
        told.append(f"{seen.probe} {seen.channel}".rstrip() + f": {outcome}, {took}")
        told += [f"  - {words(f'step.{step.key}', **step.values)}" for step in steps]
        if seen.failure is not None:
            said = words.failure(seen.failure, asked.deps.zone())
            told.append(f"  {words('device.stage', stage=words.name(seen.failure.stage))} {said}")
        told.append("")
    found = chain([seen for seen, _ in runs], {reason.cause for reason in entry.reasons})
    told += [*words.chain(found, asked.deps.zone()), ""]
    return web.Response(text="\n".join([*told, exposed]), content_type="text/plain")


def exposition(runs: list[Observation]) -> str:
    """The runs as blackbox_exporter would expose them: success is that of all probes together, then of each."""
    good = bool(runs) and all(seen.ok for seen in runs)
    samples = (
        (_SUCCESS, [f"probe_success {int(good)}"]),
        (_DURATION, [f"probe_duration_seconds {number(round(sum(seen.took for seen in runs), 6))}"]),
        (_PROBE_SUCCESS, [f"camera_probe_success{_labels(seen)} {int(seen.ok)}" for seen in runs]),
        (
            _PROBE_DURATION,
            [f"camera_probe_duration_seconds{_labels(seen)} {number(round(seen.took, 6))}" for seen in runs],
        ),
    )
    return "".join(family.head.decode() + "".join(f"{line}\n" for line in lines) for family, lines in samples)


def _labels(seen: Observation) -> str:
    return f'{{probe="{escape(seen.probe)}",channel="{escape(seen.channel)}"}}'


async def healthz(_: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    return web.Response(text="ok\n")


async def readyz(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    if asked.deps.ready():
        return web.Response(text="ok\n")
    return web.Response(text="not ready\n", status=HTTPStatus.SERVICE_UNAVAILABLE)


def _exposed(page: bytes) -> web.Response:
    return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE})


def _listed(targets: bytes) -> web.Response:
    return web.Response(body=targets, content_type=discovery.CONTENT_TYPE)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.MACHINE, "GET", "/metrics", metrics, Action.SCRAPE, Nothing, Nothing),
    Route(Surface.MACHINE, "GET", "/metrics/devices", device_metrics, Action.SCRAPE, DevicePageQuery, Nothing),
    Route(Surface.MACHINE, "GET", "/sd/devices", device_targets, Action.SCRAPE, Nothing, Nothing),
    Route(Surface.MACHINE, "GET", "/sd/pages", page_targets, Action.SCRAPE, Nothing, Nothing),
    Route(Surface.MACHINE, "GET", "/sd/pollers", poller_targets, Action.SCRAPE, Nothing, Nothing),
    Route(Surface.MACHINE, "GET", "/probe", probe, Action.PROBE, ProbeQuery, Nothing),
    Route(Surface.OPEN, "GET", "/healthz", healthz, None, PageQuery, Nothing),
    Route(Surface.OPEN, "GET", "/readyz", readyz, None, PageQuery, Nothing),
)
