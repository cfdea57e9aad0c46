"""Incidents as alerts of an Alertmanager (API v2), which groups, silences and tells them by its own configuration.

Labels are those of our metrics, so that its inhibition rules hold: ``device``, ``area``, ``site``, ``parent``. An alert
is its labels there; when cause or severity change, the alert with the old ones is ended, found by ``incident``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from camera_registry.channels import AlertmanagerChannel
from camera_registry.model.incident import Scope
from camera_registry.model.notice import Notice, Occasion
from exporters.base import DeliveryError, Message
from exporters.posting import Poster

NAME = "CameraIncident"
HOLDS = timedelta(days=1)
"""How long Alertmanager keeps an alert that it hears nothing more of: longer than we may be stopped. Restarted itself
it forgets them all, so the notifier tells it every few minutes anew what is open."""
_SEVERITIES = {"P1": "critical", "P2": "warning", "P3": "warning", "P4": "info"}


class Alertmanager:
    """One Alertmanager."""

    def __init__(self, settings: AlertmanagerChannel) -> None:
        self._url = settings.url.rstrip("/")
        self._poster = Poster(settings.ca_file, settings.timeout)

    async def send(self, message: Message) -> None:
        base = message.link.partition("/incidents")[0]
        alerts: dict[str, dict[str, Any]] = {}
        for notice, headline in zip(message.notices, message.headlines, strict=True):
            # In their order: of one incident the newest counts.
            if notice.occasion not in (Occasion.OPENED, Occasion.TEST):
                for stale in await self._known(notice):
                    alerts[_identity(stale)] = stale
            fresh = alert(notice, headline, message, base)
            alerts[_identity(fresh)] = fresh
        await self._poster.post(f"{self._url}/api/v2/alerts", orjson.dumps(list(alerts.values())), {})

    async def _known(self, notice: Notice) -> list[dict[str, Any]]:
        """The alerts of this incident that it has, with an end."""
        filters = [f'alertname="{NAME}"', f'incident="{notice.incident}"']
        query = urlencode({"filter": filters}, doseq=True)
        found = await self._poster.get(f"{self._url}/api/v2/alerts?{query}")
        try:
            known = [(one["labels"], one["annotations"], one["startsAt"]) for one in orjson.loads(found)]
        except (orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise DeliveryError("what it answers is not Alertmanager's API v2") from error
        ends = str(notice.values["ended"] or notice.created_at.isoformat())
        return [
            {"labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": ends}
            for labels, annotations, starts in known
        ]

    async def close(self) -> None:
        await self._poster.close()


def alert(notice: Notice, headline: str, message: Message, base: str) -> dict[str, Any]:
    """One notice as an alert of API v2."""
    told = notice.values
    if notice.occasion is Occasion.TEST:
        labels = {"alertname": f"{NAME}Test", "severity": "info"}
        ends = message.sent_at + timedelta(minutes=1)
        return _alert(labels, headline, message.sent_at, ends, message.link)
    labels = {
        "alertname": NAME,
        "incident": str(notice.incident),
        "scope": str(told["scope"]),
        "device": str(told["about"]) if told["scope"] == Scope.DEVICE.value else "",
        "cause": str(told["cause"]),
        "priority": str(told["severity"]),
        "severity": _SEVERITIES[str(told["severity"])],
        **{name: str(told[name]) for name in ("area", "site", "kind", "contractor", "parent")},
    }
    starts = datetime.fromisoformat(str(told["started"]))
    ends = datetime.fromisoformat(str(told["ended"])) if told["ended"] else message.sent_at + HOLDS
    return _alert(labels, headline, starts, ends, f"{base}/incidents/{notice.incident}")


def _alert(labels: dict[str, str], summary: str, starts: datetime, ends: datetime, link: str) -> dict[str, Any]:
    return {
        # An empty label is no label there.
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {"summary": summary},
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat(),
        "generatorURL": link,
    }


def _identity(one: dict[str, Any]) -> str:
    return orjson.dumps(one["labels"], option=orjson.OPT_SORT_KEYS).decode()
