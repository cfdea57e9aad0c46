"""What the API answers about searches of the networks and what they propose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from camera_registry.model.discovery import ProposalKind, ProposalState
from camera_registry.rules import acceptance
from camera_registry.store.proposals import StoredProposal


class ProposalAnswer(BaseModel):
    """What a search proposes. ``row`` is what accepting it would write into the device file."""

    id: int
    kind: ProposalKind
    state: ProposalState
    device: str = Field(description="the registered device it is about; of an accepted one, the device that was made")
    address: str
    evidence: dict[str, Any]
    row: dict[str, Any]
    reason: str
    first_seen: datetime
    last_seen: datetime
    decided_at: datetime | None
    decided_by: str

    @classmethod
    def of(cls, kept: StoredProposal) -> ProposalAnswer:
        one = kept.proposal
        return cls(
            id=kept.id,
            kind=one.kind,
            state=kept.state,
            device=one.device,
            address=one.address,
            evidence=dict(one.evidence),
            row=dict(acceptance.row(one)),
            reason=kept.reason,
            first_seen=kept.first_seen,
            last_seen=kept.last_seen,
            decided_at=kept.decided_at,
            decided_by=kept.decided_by,
        )


class SearchAnswer(BaseModel):
    """How far the search under way is, or how the last one ended. ``total`` counts the addresses to scan, ``position``
    those behind it, ``met`` hosts that answered, ``ignored`` answers and addresses that were passed over, because they
    are ``outside`` the device networks or a unit gave them that is ``elsewhere``. ``known``, ``others`` and
    ``proposed`` tell what was met, once the search is over."""

    running: bool
    begun: datetime | None
    ended: datetime | None
    position: int
    total: int
    met: int
    ignored: int
    trouble: str
    stopped: bool
    outside: int
    elsewhere: int
    known: int
    others: int
    proposed: int
