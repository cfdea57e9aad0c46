"""Writes the tables of devices that README.md and tests/devices/README.md show, from the recordings in tests/devices.

Run by the Python of `.venv/`. With `--check`, as in `make check`, it writes nothing and says which one is out of date.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from camera_registry.capture.recording import Recording, read

TOP = Path(__file__).resolve().parent.parent
DEVICES = TOP / "tests" / "devices"
MARKS = "<!-- {name}: written by tools/devices.py -->", "<!-- end of {name} -->"


def main() -> int:
    """Write the tables, or check them."""
    check = "--check" in sys.argv[1:]
    devices = [(file, read(file)) for file in sorted(DEVICES.glob("*.json"))]
    quirks = [(file, read(file)) for file in sorted((DEVICES / "quirks").glob("*.json"))]
    tables = {"devices": list(table_of_devices(devices)), "quirks": list(table_of_quirks(quirks))}
    stale = []
    for file in (TOP / "README.md", DEVICES / "README.md"):
        text = file.read_text(encoding="utf-8")
        new = text
        for name, lines in tables.items():
            new = between(new, name, "\n".join(lines))
        if new != text:
            stale.append(str(file.relative_to(TOP)))
            if not check:
                file.write_text(new, encoding="utf-8")
    if check and stale:
        print(f"{', '.join(stale)}: the table of devices is out of date; `make golden` writes it anew")
        return 1
    print(f"Tables of {len(devices)} recorded devices and {len(quirks)} quirks {'hold' if not stale else 'written'}")
    return 0


def between(text: str, name: str, table: str) -> str:
    """The text with what stands between the marks of a table replaced; unchanged where it has no such marks."""
    begin, end = (mark.format(name=name) for mark in MARKS)
    before, found, rest = text.partition(begin)
    if not found or end not in rest:
        return text
    return f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"


def table_of_devices(devices: Sequence[tuple[Path, Recording]]) -> Iterator[str]:
    """What the README shows of each device."""
    yield "| device | firmware | ONVIF | stream | picture | passwords | peculiar | source (recording) |"
    yield "|---|---|---|---|---|---|---|---|"
    for file, recording in devices:
        told = recording.expect["observations"]
        facts = {name: value for seen in told.values() for name, value in seen["facts"].items()}
        maker = recording.notes.get("maker", facts.get("manufacturer", ""))
        model = recording.notes.get("model", facts.get("model", ""))
        cells = (
            model if str(model).startswith(("a ", "the ")) else f"{maker} {model}",
            recording.notes.get("firmware", facts.get("firmware", "")),
            onvif(recording),
            stream(told.get("rtsp")),
            picture(told.get("snapshot")),
            ", ".join(passwords(recording)) or ("none" if recording.origin == "captured" else "not recorded"),
            "; ".join(str(quirk) for quirk in quirks_of(recording)),
            f"{recording.notes.get('source', 'sent in')} ({file.stem})",
        )
        yield f"| {' | '.join(str(cell).strip().replace('|', '/') or '-' for cell in cells)} |"


def table_of_quirks(recordings: Sequence[tuple[Path, Recording]]) -> Iterator[str]:
    """What is survived, and what is found."""
    yield "| recording | what is peculiar | found |"
    yield "|---|---|---|"
    for file, recording in recordings:
        found = ", ".join(f"{reason['aspect']}: {reason['cause']}" for reason in recording.expect["reasons"])
        yield f"| {file.stem} | {'; '.join(map(str, quirks_of(recording)))} | {found or recording.expect['status']} |"


def quirks_of(recording: Recording) -> Sequence[object]:
    quirks = recording.notes.get("quirks")
    return quirks if isinstance(quirks, list) else ()


def onvif(recording: Recording) -> str:
    """The services that answered, or why none did."""
    seen = recording.expect["observations"].get("onvif")
    if seen is None:
        return ""
    if seen["failure"] is not None:
        return str(seen["failure"]["kind"])
    good = [one.asked.operation for one in recording.exchanges if one.answer is not None and one.answer.status < 300]
    services = {"ver10/device": "Device", "ver10/media": "Media", "ver20/media": "Media2", "ver20/imaging": "Imaging"}
    return ", ".join(name for path, name in services.items() if any(one.startswith(f"{path}/") for one in good))


def stream(seen: dict[str, dict[str, object]] | None) -> str:
    if seen is None:
        return ""
    if seen["failure"] is not None:
        return str(seen["failure"]["kind"])
    facts = seen["facts"]
    return f"{facts.get('codec', '?')} {facts.get('width', '?')}x{facts.get('height', '?')}"


def picture(seen: dict[str, dict[str, object]] | None) -> str:
    if seen is None:
        return ""
    if seen["failure"] is not None:
        return str(seen["failure"]["kind"])
    return f"{seen['facts'].get('width', '?')}x{seen['facts'].get('height', '?')}"


def passwords(recording: Recording) -> list[str]:
    """How the device was shown passwords."""
    found: dict[str, None] = {}
    for one in recording.exchanges:
        if one.answer is None:
            continue
        if one.asked.proof == "token" and one.answer.status < 300:
            found["WS-Security"] = None
        for name, value in one.answer.headers:
            if name == "www-authenticate" and value.lower().startswith("basic"):
                found["Basic"] = None
            elif name == "www-authenticate":
                algorithm = re.search(r"algorithm\s*=\s*\"?([\w-]+)", value)
                found[f"Digest {algorithm[1] if algorithm else 'MD5'}"] = None
    if any(port.tls for port in recording.ports.values()):
        found["over TLS"] = None
    return list(found)


if __name__ == "__main__":
    sys.exit(main())
