"""This file decides what people may do to an open incident, and how it stands afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from camera_registry.model.incident import Acknowledgement, Incident, IncidentChange, Step


def acknowledge(incident: Incident, seen: Acknowledgement) -> IncidentChange:
    """Somebody has seen it; in place of an earlier acknowledgement."""
    after = replace(incident, acknowledged=seen, version=incident.version + 1)
    return IncidentChange(Step.ACKNOWLEDGED, seen.at, after, seen.by, text=seen.note)


def unacknowledge(incident: Incident, by: str, at: datetime) -> IncidentChange:
    """The acknowledgement is taken back."""
    after = replace(incident, acknowledged=None, version=incident.version + 1)
    return IncidentChange(Step.UNACKNOWLEDGED, at, after, by)


def assign(incident: Incident, to: str, by: str, at: datetime) -> IncidentChange:
    """``to`` looks after it from now on; empty: nobody."""
    after = replace(incident, assignee=to, version=incident.version + 1)
    return IncidentChange(Step.ASSIGNED, at, after, by, text=to)


def note(incident: Incident, text: str, by: str, at: datetime) -> IncidentChange:
    """Something worth knowing. The incident itself stays as it is, so a note needs no version and may come late."""
    return IncidentChange(Step.NOTED, at, incident, by, text=text)
