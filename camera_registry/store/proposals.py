"""Keeps what searches propose, until a person decides; accepting is an import of one row, in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from camera_registry.model.discovery import Findings, Proposal, ProposalKind, ProposalState, Sighting
from camera_registry.rules import acceptance, discovery
from camera_registry.rules.inventory.examine import Inventory
from camera_registry.store import audit, intake, register
from camera_registry.store.columns import clean, instant, microseconds
from camera_registry.store.errors import Refused
from camera_registry.store.statements import batches, counter, insert, set_counter
from camera_registry.store.tables import ProposalRow, table

_PROPOSALS = table(ProposalRow)
_LAST = "discovery"
"""The counter that holds when a search last ended, in minutes since 1970: seconds would not fit for long."""
_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """A proposal as it is kept. ``reason`` is why it was rejected; ``decided_by`` is empty while nobody has decided."""

    id: int
    proposal: Proposal
    state: ProposalState
    reason: str
    first_seen: datetime
    last_seen: datetime
    decided_at: datetime | None
    decided_by: str


def record(tx: Connection, findings: Findings, at: datetime) -> Mapping[ProposalState, int]:
    """Keep what a search found; returns how many of its proposals are in which state now.

    One that was decided stays so until there is other evidence. An open one is settled where the search found all as
    registered. Of a rejected one that is seen again only that is noted.
    """
    found = {one.key: one for one in findings.proposals}
    before = {
        row.key: row
        for batch in batches(found)
        for row in tx.execute(select(_PROPOSALS).where(_PROPOSALS.c.key.in_(batch)))
    }
    counts: Counter[ProposalState] = Counter()
    fresh = []
    for key, one in found.items():
        row = before.get(key)
        values: dict[str, Any] = {"last_seen": at}
        if row is None or row.state is ProposalState.OPEN or row.fingerprint != one.fingerprint:
            values |= {name: clean(getattr(one, name)) for name in ("device", "address", "fingerprint")}
            values |= {"evidence": one.evidence, "state": ProposalState.OPEN, "reason": "", "decided_at": None}
            values["decided_by"] = ""
        elif row.state in (ProposalState.ACCEPTED, ProposalState.SETTLED):
            # It had come about, and is no longer so.
            values |= {"state": ProposalState.OPEN, "decided_at": None, "decided_by": ""}
        counts[values.get("state", ProposalState.REJECTED)] += 1
        if row is None:
            fresh.append({"key": clean(key), "kind": one.kind, "first_seen": at, **values})
        else:
            tx.execute(update(_PROPOSALS).where(_PROPOSALS.c.id == row.id).values(values))
    insert(tx, _PROPOSALS, fresh)
    counts[ProposalState.SETTLED] = _settle(tx, findings, found, at)
    return counts


def _settle(tx: Connection, findings: Findings, found: Mapping[str, Proposal], at: datetime) -> int:
    """Close what is open and has come about without us: by an import, by a device that went back."""
    devices = set(findings.known.values())
    ids = [
        row.id
        for row in tx.execute(select(_PROPOSALS).where(_PROPOSALS.c.state == ProposalState.OPEN))
        if row.key not in found and (row.device in devices if row.device else row.address in findings.known)
    ]
    for batch in batches(ids):
        decided = {"state": ProposalState.SETTLED, "decided_at": at}
        tx.execute(update(_PROPOSALS).where(_PROPOSALS.c.id.in_(batch)).values(decided))
    return len(ids)


def propose(
    tx: Connection, sightings: Collection[Sighting], addresses: Mapping[str, Collection[str]], at: datetime
) -> tuple[Findings, Mapping[ProposalState, int]]:
    """Compare what a search met with the register as it is now, and keep what follows. ``addresses``: those of hosts
    that the register knows by name."""
    findings = compare(tx, sightings, addresses)
    set_counter(tx, _LAST, microseconds(at) // _MINUTE)
    return findings, record(tx, findings, at)


def compare(tx: Connection, sightings: Collection[Sighting], addresses: Mapping[str, Collection[str]]) -> Findings:
    """What a search means to the register as it is now. Nothing is written."""
    return discovery.find(sightings, register.load_register(tx), endpoints=endpoints(tx), addresses=addresses)


def page(
    tx: Connection, *, state: ProposalState | None = None, before_id: int | None = None, limit: int = 100
) -> list[StoredProposal]:
    """Proposals, newest first."""
    query = select(_PROPOSALS).order_by(_PROPOSALS.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_PROPOSALS.c.state == state)
    if before_id is not None:
        query = query.where(_PROPOSALS.c.id < before_id)
    return [_stored(row) for row in tx.execute(query)]


def get(tx: Connection, id: int) -> StoredProposal | None:
    """One proposal, or None."""
    row = tx.execute(select(_PROPOSALS).where(_PROPOSALS.c.id == id)).first()
    return None if row is None else _stored(row)


def open_count(tx: Connection) -> int:
    """How many wait for somebody."""
    query = select(func.count()).select_from(_PROPOSALS).where(_PROPOSALS.c.state == ProposalState.OPEN)
    return tx.execute(query).scalar() or 0


def endpoints(tx: Connection) -> dict[str, str]:
    """WS-Discovery endpoints of the units that people accepted, and the devices that they are."""
    accepted = select(_PROPOSALS).where(_PROPOSALS.c.state == ProposalState.ACCEPTED).order_by(_PROPOSALS.c.decided_at)
    found: dict[str, str] = {}
    for row in tx.execute(accepted):
        endpoint = _stored(row).proposal.evidence_of("said").get("endpoint")
        if isinstance(endpoint, str) and row.device:
            found[endpoint] = row.device
    return found


def accept(
    tx: Connection,
    id: int,
    chosen: Mapping[str, str],
    networks: Sequence[str],
    *,
    author: str,
    at: datetime,
) -> Inventory:
    """Take a proposal into the register, as an import of its row; unless what it says is not sound, and then nothing is
    written. ``chosen``: see ``rules.acceptance``. Raises Refused where it is not open, or a new one's id is taken."""
    proposal = _open(tx, id)
    if proposal.device and register.get(tx, "device", proposal.device) is None:
        raise Refused("proposed_gone", device=proposal.device)
    sheets = (acceptance.one_sheet(proposal, chosen),)
    looked = intake.look(tx, sheets, networks)
    found = looked.inventory
    if not found.sound:
        return found
    device = next(item.id for item in found.items)
    if proposal.kind is ProposalKind.NEW and not found.created:
        raise Refused("taken", id=device)
    intake.take(tx, sheets, networks, looked, None, author=author, at=at)
    _decide(tx, id, author, at, state=ProposalState.ACCEPTED, device=device)
    detail = {"kind": proposal.kind.value, "address": proposal.address, "device": device}
    audit.append(tx, author, "proposal.accept", f"proposal/{id}", detail, at)
    return found


def reject(tx: Connection, id: int, reason: str, *, author: str, at: datetime) -> None:
    """Turn a proposal down; it does not come back before there is other evidence. Raises Refused if it is not open."""
    proposal = _open(tx, id)
    _decide(tx, id, author, at, state=ProposalState.REJECTED, reason=clean(reason))
    detail = {"kind": proposal.kind.value, "address": proposal.address, "reason": reason}
    audit.append(tx, author, "proposal.reject", f"proposal/{id}", detail, at)


def last_search(tx: Connection) -> datetime | None:
    """When a search last ended, at its end or before, to the minute."""
    value = counter(tx, _LAST)
    return instant(value * _MINUTE) if value else None


def _open(tx: Connection, id: int) -> Proposal:
    stored = get(tx, id)
    if stored is None:
        raise Refused("no_proposal", id=id)
    if stored.state is not ProposalState.OPEN:
        raise Refused("decided", state=stored.state)
    return stored.proposal


def _decide(tx: Connection, id: int, author: str, at: datetime, **values: object) -> None:
    decided = {**values, "decided_at": at, "decided_by": clean(author)}
    tx.execute(update(_PROPOSALS).where(_PROPOSALS.c.id == id).values(decided))


def _stored(row: Row[Any]) -> StoredProposal:
    return StoredProposal(
        row.id,
        Proposal(row.kind, row.key, row.address, row.fingerprint, row.device, row.evidence),
        row.state,
        row.reason,
        row.first_seen,
        row.last_seen,
        row.decided_at,
        row.decided_by,
    )
