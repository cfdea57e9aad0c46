"""Proposals are kept until a person decides; what was decided stays decided while the evidence is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.discovery import ProposalKind, ProposalState, Sighting
from camera_registry.store import Refused, Store, audit, proposals, register

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
NETWORKS = ("10.20.0.0/16",)
GATE = Device("cam-gate", Kind.CAMERA, "East gate", "10.20.0.7", serial="HA8FC16E2284", mac="02:5e:00:00:00:09")
STRANGER = Sighting("10.20.0.50", NOW, (80,), onvif_port=80, http_port=80, serial="DS0001", name="\x00<b>枪机")


@pytest.fixture(autouse=True)
def _registered(store: Store) -> None:
    store.write_now(register.apply, [GATE], author="import", at=NOW)


def met(store: Store, *sightings: Sighting, days: int = 0) -> dict[ProposalState, int]:
    """Keep what a search met; the states that its proposals are in."""
    _, counts = store.write_now(proposals.propose, sightings, {}, NOW + timedelta(days=days))
    return {state: number for state, number in counts.items() if number}


def states(store: Store) -> list[tuple[str, str, str]]:
    kept = store.read_now(proposals.page)
    return [(one.proposal.kind.value, one.proposal.address, one.state.value) for one in kept]


def only(store: Store) -> proposals.StoredProposal:
    (kept,) = store.read_now(proposals.page)
    return kept


def accept(store: Store, **chosen: str) -> object:
    return store.write_now(proposals.accept, only(store).id, chosen, NETWORKS, author="lee", at=NOW)


def test_what_is_met_again_is_one_proposal_that_tells_since_when(store: Store) -> None:
    assert met(store, STRANGER) == {ProposalState.OPEN: 1}
    assert met(store, replace(STRANGER, address="10.20.0.51"), days=2) == {ProposalState.OPEN: 1}
    kept = only(store)
    assert (kept.proposal.address, kept.first_seen, kept.last_seen) == ("10.20.0.51", NOW, NOW + timedelta(days=2))
    assert store.read_now(proposals.open_count) == 1
    assert store.read_now(proposals.last_search) == NOW + timedelta(days=2)


def test_accepting_a_new_device_registers_it_with_its_history_and_in_the_trail(store: Store) -> None:
    met(store, STRANGER)
    accept(store, id="cam-south", name="South gate", life="planned")
    stored = store.read_now(register.get, "device", "cam-south")
    assert stored is not None
    assert (stored.item.name, stored.item.serial) == ("South gate", "DS0001")  # type: ignore[union-attr]
    (change,) = store.read_now(register.changes_of, "device", "cam-south")
    assert change.change.author == "lee"
    (row,) = [row for row in store.read_now(audit.trail) if row.action == "proposal.accept"]
    assert (row.actor, row.about) == ("lee", f"proposal/{only(store).id}")
    kept = only(store)
    assert (kept.state, kept.decided_by, kept.proposal.device) == (ProposalState.ACCEPTED, "lee", "cam-south")
    assert met(store, STRANGER) == {}


def test_accepting_a_new_address_edits_the_device_and_nothing_else(store: Store) -> None:
    met(store, replace(STRANGER, serial=GATE.serial))
    accept(store)
    stored = store.read_now(register.get, "device", "cam-gate")
    assert stored is not None
    assert stored.item == replace(GATE, host="10.20.0.50")
    (change, _) = store.read_now(register.changes_of, "device", "cam-gate")
    assert (change.change.before, change.change.after) == ({"host": "10.20.0.7"}, {"host": "10.20.0.50"})


def test_what_was_rejected_is_not_proposed_again_until_there_is_other_evidence(store: Store) -> None:
    met(store, STRANGER)
    store.write_now(proposals.reject, only(store).id, "a visitor's", author="lee", at=NOW)
    kept = only(store)
    assert (kept.state, kept.reason, kept.decided_by) == (ProposalState.REJECTED, "a visitor's", "lee")
    assert [row.actor for row in store.read_now(audit.trail) if row.action == "proposal.reject"] == ["lee"]
    assert met(store, replace(STRANGER, address="10.20.0.99", firmware="2"), days=1) == {ProposalState.REJECTED: 1}
    assert only(store).last_seen == NOW + timedelta(days=1)
    assert met(store, replace(STRANGER, mac="02:00:00:00:00:01"), days=2) == {ProposalState.OPEN: 1}
    kept = only(store)
    assert (kept.state, kept.reason, kept.decided_by, kept.decided_at) == (ProposalState.OPEN, "", "", None)


def test_a_proposal_that_has_come_about_by_itself_is_settled(store: Store) -> None:
    met(store, STRANGER, Sighting("10.20.0.7", NOW, (80,), onvif_port=80, serial="HB99999999"))
    store.write_now(
        register.apply,
        [replace(GATE, id="cam-south", host="10.20.0.50", serial="DS0001", mac="")],
        author="import",
        at=NOW,
    )
    back = Sighting("10.20.0.7", NOW, (80,), onvif_port=80, serial=GATE.serial)
    assert met(store, STRANGER, back) == {ProposalState.SETTLED: 2}
    assert {state for _, _, state in states(store)} == {"settled"}
    assert store.read_now(proposals.open_count) == 0


def test_what_a_search_did_not_look_at_stays_open(store: Store) -> None:
    met(store, STRANGER)
    assert met(store) == {}
    assert states(store) == [("new", "10.20.0.50", "open")]


def test_a_proposal_is_decided_once(store: Store) -> None:
    met(store, STRANGER)
    accept(store)
    with pytest.raises(Refused, match=r"already \(Accepted\): look at the list again"):
        accept(store)
    with pytest.raises(Refused, match="already"):
        store.write_now(proposals.reject, only(store).id, "no", author="lee", at=NOW)
    with pytest.raises(Refused, match="does not exist"):
        store.write_now(proposals.reject, 99, "no", author="lee", at=NOW)


def test_a_new_device_does_not_take_the_id_of_another(store: Store) -> None:
    met(store, STRANGER)
    with pytest.raises(Refused, match="another device has the code “cam-gate” already"):
        accept(store, id="cam-gate")
    assert only(store).state is ProposalState.OPEN
    stored = store.read_now(register.get, "device", "cam-gate")
    assert stored is not None
    assert stored.item == GATE


def test_a_device_that_is_gone_meanwhile_is_not_made_anew(store: Store) -> None:
    met(store, replace(STRANGER, serial=GATE.serial))
    store.write_now(register.apply, [], [("device", "cam-gate")], author="lee", at=NOW)
    with pytest.raises(Refused, match="cam-gate is not registered any more"):
        accept(store)


@pytest.mark.parametrize(
    ("chosen", "column"),
    [
        ({"area": "nowhere"}, "area"),
        ({"id": "x" * 101}, "id"),
        ({"kind": "toaster"}, "kind"),
        ({"credential": "c"}, "credential"),
    ],
)
def test_what_is_not_sound_is_told_as_an_import_tells_it_and_written_nowhere(
    store: Store, chosen: dict[str, str], column: str
) -> None:
    met(store, STRANGER)
    found = accept(store, **chosen)
    assert [problem.column for problem in found.problems] == [column]  # type: ignore[attr-defined]
    assert only(store).state is ProposalState.OPEN
    assert set(store.read_now(register.load_register).devices) == {"cam-gate"}


def test_an_address_outside_the_networks_of_today_is_not_accepted(store: Store) -> None:
    met(store, replace(STRANGER, address="10.99.0.1"))
    found = accept(store)
    assert [problem.column for problem in found.problems] == ["host"]  # type: ignore[attr-defined]


def test_an_accepted_unit_is_known_again_by_its_endpoint(store: Store) -> None:
    endpoint = "0aaa0f71-aab4-5474-b36c-3bf4c0395ee2"
    shy = Sighting("10.20.0.60", NOW, (80,), onvif_port=80, endpoint=endpoint)
    met(store, shy)
    accept(store, id="cam-shy")
    assert met(store, replace(shy, address="10.20.0.61")) == {ProposalState.OPEN: 1}
    newest = store.read_now(proposals.page)[0]
    assert (newest.proposal.kind, newest.proposal.device) == (ProposalKind.MOVED, "cam-shy")


def test_pages_are_read_newest_first_and_by_state(store: Store) -> None:
    met(store, *(replace(STRANGER, address=f"10.20.1.{number}", serial=f"DS{number:06}") for number in range(1, 8)))
    first = store.read_now(proposals.page, limit=5)
    rest = store.read_now(proposals.page, before_id=first[-1].id, limit=5)
    assert [one.id for one in (*first, *rest)] == [7, 6, 5, 4, 3, 2, 1]
    assert store.read_now(proposals.page, state=ProposalState.REJECTED) == []
    assert len(store.read_now(proposals.page, state=ProposalState.OPEN)) == 7
