"""Checks the Markdown in this repository: every link leads somewhere, every command that it tells readers exists.

Run by the Python of `.venv/`, as a part of `make check`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# What readers are told to type stands in an indented block, a fenced block, or between backticks.
TYPED = re.compile(r"^(?: {4}|\t)([^\n]+)$|^```[^\n]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"\bmake ([a-z]+)")
COMMAND = re.compile(r"\bcamera-registry ([a-z][a-z-]*)")


def main() -> int:
    """Print every fault as FILE:LINE: what is wrong."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md"], cwd=TOP, check=True, capture_output=True, text=True
    ).stdout
    files = [TOP / name for name in listed.split("\0") if name]
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = known_commands()
    faults = [
        f"{file.relative_to(TOP)}:{line}: {what}"
        for file in files
        for line, what in faults_in(file, file.read_text(encoding="utf-8"), targets, commands)
    ]
    print("\n".join(faults) if faults else f"Links and commands of {len(files)} texts hold")
    return 1 if faults else 0


def faults_in(file: Path, text: str, targets: set[str], commands: set[str]) -> Iterator[tuple[int, str]]:
    """Find what does not hold in one text, with its line."""
    for link in LINK.finditer(text):
        path = link[1].partition("#")[0]
        if path and "://" not in path and not path.startswith("mailto:") and not (file.parent / path).exists():
            yield line_of(text, link.start()), f"{path} does not exist"
    for typed in TYPED.finditer(text):
        words = next(filter(None, typed.groups()), "")
        for kind, pattern, known in (("make", MAKE, targets), ("camera-registry", COMMAND, commands)):
            for name in pattern.findall(words):
                if name not in known:
                    yield line_of(text, typed.start()), f"`{kind} {name}` does not exist"


def known_commands() -> set[str]:
    """Ask the program for its commands, the way a reader would."""
    program = [sys.executable, "-m", "camera_registry", "--help"]
    shown = subprocess.run(program, cwd=TOP, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^ {4}([a-z][a-z-]*)", shown.partition("COMMAND\n")[2], re.MULTILINE))


def line_of(text: str, position: int) -> int:
    """Count the lines up to a position."""
    return text.count("\n", 0, position) + 1


if __name__ == "__main__":
    sys.exit(main())
