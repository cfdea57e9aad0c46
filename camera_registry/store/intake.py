"""Takes an inventory into the register: looked at first, then written as a whole, by command and API alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from camera_registry.rules.geometry.datum import Datum
from camera_registry.rules.inventory.examine import Inventory, examine
from camera_registry.rules.inventory.sheets import Sheet
from camera_registry.store import credentials, register
from camera_registry.store.credentials import Vault


@dataclass(frozen=True, slots=True)
class Looked:
    """What an inventory means to the register as it stood at ``version``."""

    inventory: Inventory
    version: int
    datum: Datum = Datum.WGS84


def look(tx: Connection, sheets: Sequence[Sheet], networks: Sequence[str], datum: Datum = Datum.WGS84) -> Looked:
    """What would change, and every problem. Nothing is written."""
    known = {listed.id for listed in credentials.listed(tx)}
    found = examine(sheets, register.load_register(tx), credentials=known, networks=networks, datum=datum)
    return Looked(found, register.version(tx), datum)


def take(
    tx: Connection,
    sheets: Sequence[Sheet],
    networks: Sequence[str],
    looked: Looked,
    vault: Vault | None,
    *,
    author: str,
    at: datetime,
) -> tuple[Inventory, int]:
    """Write it, unless it has an error; returns what was found and how many credentials it set.

    The register may have changed since it was looked at: what is written is what is found against it as it is now.
    ``vault`` may be left out where there are no credentials.
    """
    found = (
        looked.inventory
        if register.version(tx) == looked.version
        else look(tx, sheets, networks, looked.datum).inventory
    )
    if not found.sound:
        return found, 0
    set_anew = 0 if vault is None else credentials.put_all(tx, vault, found.credentials, author=author, at=at)
    register.apply(tx, found.items, author=author, at=at)
    return found, set_anew
