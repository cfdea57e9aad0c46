"""Writes the audit of device files: the file rate, flaws by field, and every single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_registry.model.device import Life
from camera_registry.model.place import Site
from camera_registry.model.register import Register
from camera_registry.rules.device_files import FileFinding, FileFlaw, file_rate
from exporters.report.document import Document, Fact, Ratio, Section, Table, ratio
from exporters.report.wording import Writing


def document(
    register: Register,
    findings: Sequence[FileFinding],
    bare: Sequence[Site],
    version: int,
    writing: Writing,
    zone: ZoneInfo,
) -> Document:
    """The audit, of the register as it is now. ``bare`` are sites without views, whose coverage can't be told."""
    words, devices = writing.words, register.devices
    files = [device for device in devices.values() if device.life is not Life.RETIRED]
    facts: list[tuple[str, int | str | Ratio | datetime | None]] = [
        ("formula", words("report.formula.files")),
        ("devices", len(files)),
        ("file_rate", ratio(file_rate(files, findings))),
        ("register_version", version),
        ("made", writing.now),
    ]
    counts = Counter((one.field, one.flaw) for one in findings)
    fields = sorted({field for field, _ in counts})
    summary = Table(
        "fields",
        words("report.table.fields"),
        writing.columns("field", *(f"flaw_{flaw.value}" for flaw in FileFlaw)),
        tuple((words(f"field.{field}"), *(counts[field, flaw] for flaw in FileFlaw)) for field in fields),
    )
    rows = tuple(
        (
            one.device,
            devices[one.device].name,
            devices[one.device].area,
            devices[one.device].contractor,
            words(f"field.{one.field}"),
            words.name(one.flaw),
            one.found,
            one.against,
        )
        for one in findings
    )
    columns = writing.columns("device", "name", "area", "contractor", "field", "flaw", "found", "against")
    every = Table("findings", words("report.table.findings"), columns, rows)
    sites = Table(
        "sites",
        words("coverage_report.section.without_views"),
        writing.columns("site", "name", "area", "flaw"),
        tuple((one.id, one.name, one.area, words("problem.site_without_views.what", id=one.id)) for one in bare),
        note=words("problem.site_without_views.remedy"),
    )
    return Document(
        "files",
        words("report.title.files"),
        words.language,
        zone,
        tuple(Fact(name, words(f"report.fact.{name}"), value) for name, value in facts),
        (Section(words("report.section.files"), (), (), (*((sites,) if bare else ()), summary, every)),),
        (words("report.note.files"),),
        (words("report.sign.made"), words("report.sign.checked")),
    )
