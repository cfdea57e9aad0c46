"""The commands `import` and `export`: inventory files in, inventory files out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from camera_registry.cli.outcome import GOOD, MISUSE, CommandError, why

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.rules.geometry.datum import Datum
    from camera_registry.rules.inventory.examine import Inventory
    from camera_registry.rules.inventory.problems import Problem
    from camera_registry.rules.inventory.sheets import Sheet
    from camera_registry.settings import Settings
    from camera_registry.store import Store
    from camera_registry.texts import Texts


_SHOWN = 50
"""So many changes are told in words; ``_LISTED`` in JSON."""
_LISTED = 1000
_ROWS = 6
"""So many rows with the same problem are named."""
_WIDTH = 60
"""Characters of a value."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One record that is new (``before`` None) or differs; the fields that do, as JSON values."""

    record: str
    id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object]


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the commands."""
    reading = commands.add_parser("import", parents=[common])
    reading.add_argument("file", type=Path, metavar="FILE")
    reading.add_argument("--dry-run", action="store_true")
    reading.add_argument("--datum", choices=("wgs84", "gcj02", "bd09"), default="wgs84")
    reading.set_defaults(func=import_file)
    writing = commands.add_parser("export", parents=[common])
    writing.add_argument("file", type=Path, metavar="FILE")
    writing.set_defaults(func=export_file)


def import_file(args: argparse.Namespace) -> int:
    """Read a file into the register; 2 if it has an error."""
    from camera_registry.cli.opening import settings_of, store_of
    from camera_registry.rules.geometry.datum import Datum
    from camera_registry.rules.inventory import files
    from camera_registry.rules.inventory.sheets import Unreadable
    from camera_registry.texts import texts

    loaded = settings_of(args)
    try:
        with args.file.open("rb") as file:
            # One byte more than is allowed shows that there are too many, of a file without an end, too.
            sheets = files.read(file.read(files.MAX_BYTES + 1), args.file.name)
    except OSError as error:
        raise CommandError("unreadable", file=args.file, why=why(error)) from error
    except Unreadable as error:
        raise CommandError("file", file=args.file, why=error) from error
    with store_of(loaded) as store:
        found, credentials = _take(store, loaded, sheets, Datum(args.datum), dry_run=args.dry_run)
    words = texts(args.lang)
    if args.json:
        print(json.dumps(_told(args, found, credentials, words), ensure_ascii=False))
    else:
        for line in sentences(found.problems, words):
            print(line)
        if args.dry_run and found.sound:
            print("".join(f"{line}\n" for line in _changes_in_words(found, words)), end="")
        print(_summary(args, found, credentials, words))
    return GOOD if found.sound else MISUSE


def export_file(args: argparse.Namespace) -> int:
    """Write the register to a file."""
    from camera_registry.cli.opening import author, settings_of, store_of
    from camera_registry.rules.inventory import export, files
    from camera_registry.store import audit, register
    from camera_registry.texts import texts

    if args.file.suffix.lower() not in (".csv", ".xlsx"):
        raise CommandError("format", file=args.file)
    with store_of(settings_of(args)) as store:
        everything = store.read_now(register.load_register)
        # Where every camera stands is worth knowing who took along.
        store.write_now(audit.append, author(), "register.export", "register", None, datetime.now(UTC))
    sheets = export.sheets(everything, args.lang)
    records = sum(len(sheet.rows) - 1 for sheet in sheets)
    if args.file.suffix.lower() == ".csv":
        content = files.write_csv(export.table(everything, args.lang))
    else:
        content = files.write_workbook(sheets)
    partial = args.file.with_name(args.file.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(args.file)
    except OSError as error:
        raise CommandError("unwritable", file=args.file, why=why(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    if args.json:
        print(json.dumps({"file": str(args.file), "records": records}, ensure_ascii=False))
    else:
        print(texts(args.lang)("inventory.exported", records=records, file=args.file))
    return GOOD


def sentences(problems: Iterable[Problem], words: Texts) -> Iterator[str]:
    """Each problem in one line: how bad, where, what, and what to do. What is wrong with many rows in the same way (an
    area that is not registered) is one line, so that it hides nothing else."""
    rows: dict[tuple[str, str, str, str, str], list[int]] = {}
    for one in problems:
        column = words.column(one.column, lacks=one.lacks)
        rows.setdefault((one.severity, one.sheet, column, *said(one, words)), []).append(one.row)
    gap = "" if words.language == "zh" else " "
    for (severity, sheet, column, what, remedy), numbers in rows.items():
        place = [
            words("problem.place.sheet", sheet=sheet) if sheet else "",
            _rows(numbers, words),
            words("problem.place.column", column=column) if column else "",
        ]
        yield f"{' '.join([words(f'problem.severity.{severity}'), *filter(None, place)])}: {what}{gap}{remedy}"


def _rows(numbers: Sequence[int], words: Texts) -> str:
    if not any(numbers):
        return ""
    if len(numbers) == 1:
        return words("problem.place.row", row=numbers[0])
    listed = words("list.comma").join(str(number) for number in numbers[:_ROWS])
    return words(
        "problem.place.rows" if len(numbers) <= _ROWS else "problem.place.more_rows", rows=listed, n=len(numbers)
    )


def said(problem: Problem, words: Texts) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    return words.problem(problem.flaw, {"value": problem.value, **problem.details})


def _take(
    store: Store, loaded: Settings, sheets: Sequence[Sheet], datum: Datum, *, dry_run: bool
) -> tuple[Inventory, int]:
    """Examine the sheets and, if all is well, write them; returns what was found and how many credentials it set."""
    from camera_registry.cli.opening import author, vault_of
    from camera_registry.store import intake

    networks = loaded.devices.networks
    looked = store.read_now(intake.look, sheets, networks, datum)
    seen = looked.inventory
    if dry_run or not seen.sound:
        return seen, len(seen.credentials)
    vault = vault_of(loaded) if seen.credentials else None
    return store.write_now(intake.take, sheets, networks, looked, vault, author=author(), at=datetime.now(UTC))


def _summary(args: argparse.Namespace, found: Inventory, credentials: int, words: Texts) -> str:
    errors, warnings = _counts(found)
    tried = "inventory.dry_run" if found.sound else "inventory.dry_run_refused"
    key = tried if args.dry_run else "inventory.written" if found.sound else "inventory.refused"
    return words(
        key,
        created=found.created,
        changed=found.changed,
        unchanged=found.unchanged,
        credentials=credentials,
        errors=errors,
        warnings=warnings,
    )


def _changes(found: Inventory, most: int) -> Iterator[_Change]:
    """What would be written, at most so many records."""
    from camera_registry.model.register import kind_of
    from camera_registry.rules.inventory.differences import differing

    for old, new in islice(found.differing, most):
        before, after = differing(old, new)
        yield _Change(kind_of(new), new.id, before, after or {})


def _changes_in_words(found: Inventory, words: Texts) -> Iterator[str]:
    from camera_registry.rules.inventory.export import title

    for one in _changes(found, _SHOWN):
        values = {name: _short(new) for name, new in one.after.items() if name != "id"}
        if one.before is not None:
            values = {name: f"{_short(one.before[name])} -> {new}" for name, new in values.items()}
        told = "inventory.creates" if one.before is None else "inventory.changes"
        fields = ", ".join(f"{title(name, words.language)} {value}" for name, value in values.items())
        yield words(told, record=words(f"thing.{one.record}"), id=one.id, fields=fields)
    if (left := found.created + found.changed - _SHOWN) > 0:
        yield words.count("inventory.and_more", left)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _told(args: argparse.Namespace, found: Inventory, credentials: int, words: Texts) -> dict[str, object]:
    problems = []
    for problem in found.problems:
        what, remedy = said(problem, words)
        problems.append(
            {
                "severity": problem.severity,
                "kind": problem.flaw,
                "sheet": problem.sheet,
                "row": problem.row,
                "column": problem.column,
                "value": problem.value,
                "message": what,
                "remedy": remedy,
            }
        )
    errors, warnings = _counts(found)
    return {
        "file": str(args.file),
        "dry_run": args.dry_run,
        "written": found.sound and not args.dry_run,
        "created": found.created,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "credentials": credentials,
        "errors": errors,
        "warnings": warnings,
        "problems": problems,
        "changes": [asdict(one) for one in _changes(found, _LISTED)],
        "changes_left_off": max(0, found.created + found.changed - _LISTED),
    }


def _counts(found: Inventory) -> tuple[int, int]:
    from camera_registry.rules.inventory.problems import Severity

    errors = sum(1 for problem in found.problems if problem.severity is Severity.ERROR)
    return errors, len(found.problems) - errors
