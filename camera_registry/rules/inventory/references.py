"""References of an inventory: ids, or names where a name is one thing's alone, in the file or in the register."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from camera_registry.model.register import KINDS, Register
from camera_registry.rules.inventory.columns import COLUMNS, Column
from camera_registry.rules.inventory.drafts import Draft
from camera_registry.rules.inventory.problems import Flaw, Problem, shown

_SHOWN = 5


class Names:
    """Everything that can be referred to."""

    def __init__(self, register: Register, found: Sequence[Draft], credentials: Collection[str]) -> None:
        self._ids: dict[str, set[str]] = {record: set(getattr(register, f"{record}s")) for record in KINDS}
        self._ids["credential"] = set(credentials)
        names: dict[str, dict[str, str]] = {
            record: {id: item.name for id, item in getattr(register, f"{record}s").items()} for record in KINDS
        }
        for draft in found:
            self._ids[draft.record].add(draft.id)
            if "name" in draft.values:
                names[draft.record][draft.id] = str(draft.values["name"])
        self._named: dict[str, dict[str, list[str]]] = {"credential": {}}
        for record, by_id in names.items():
            named = self._named[record] = {}
            for id, name in by_id.items():
                if name:
                    named.setdefault(name, []).append(id)

    def resolve(self, draft: Draft, problems: list[Problem]) -> None:
        """Put ids in place of what the draft refers to; what refers to nothing is a problem and is left out."""
        for name in [name for name in draft.values if COLUMNS[draft.record][name].refers]:
            column, value = COLUMNS[draft.record][name], draft.values[name]
            if isinstance(value, tuple):
                found = [self._find(draft, column, str(part), problems) for part in value]
                draft.values[name] = tuple(id for id in found if id)
            elif value:
                id = self._find(draft, column, str(value), problems)
                if id:
                    draft.values[name] = id
                else:
                    del draft.values[name]

    def _find(self, draft: Draft, column: Column, written: str, problems: list[Problem]) -> str:
        if written in self._ids[column.refers]:
            return written
        ids = self._named[column.refers].get(written, [])
        if len(ids) == 1:
            return ids[0]
        details = {"record": column.refers, "wanted": shown(written)}
        if ids:
            some = ", ".join(ids[:_SHOWN]) + (" ..." if len(ids) > _SHOWN else "")
            problems.append(draft.problem(Flaw.AMBIGUOUS_REFERENCE, column.field, **details, ids=some))
        else:
            problems.append(draft.problem(Flaw.UNKNOWN_REFERENCE, column.field, **details))
        return ""
