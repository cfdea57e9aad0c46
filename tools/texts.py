"""Checks the Markdown in this repository: every link leads somewhere, every command that it tells readers exists. And
the errors that people read: each is a key of the texts with its values, and no sentence of one language.

Run by the Python of `.venv/`, as a part of `make check`.
"""

import ast
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
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
    english = tomllib.loads((TOP / "camera_registry/texts/en.toml").read_text(encoding="utf-8"))
    sources = {file: file.read_text(encoding="utf-8") for file in sorted((TOP / "camera_registry").rglob("*.py"))}
    sections = sections_in(sources.values())
    for file, source in sources.items():
        found = errors_in(source, english, sections)
        faults += [f"{file.relative_to(TOP)}:{line}: {what}" for line, what in found]
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


def sections_in(sources: Iterable[str]) -> dict[str, str]:
    """Find the classes of errors that people read, and the section of the texts that each says as its own or has from
    the class that it is made of."""
    classes = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    found = {
        node.name: line.value.value
        for node in classes
        for line in node.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "section" and node.name.endswith("Error")
        if isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    }
    for _ in classes:
        heirs = {node.name: found[base] for node in classes for base in map(ast.unparse, node.bases) if base in found}
        if heirs.keys() <= found.keys():
            break
        found = heirs | found
    return found


def errors_in(source: str, english: dict[str, dict[str, str]], sections: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Find errors that no text tells in the reader's language, with their lines."""
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in sections):
            continue
        error, section, key = call.func.id, sections[call.func.id], call.args[0]
        for one in (key.body, key.orelse) if isinstance(key, ast.IfExp) else (key,):
            if isinstance(one, ast.Name):
                continue  # chosen before
            text = english[section].get(str(one.value)) if isinstance(one, ast.Constant) else None
            if text is None:
                yield call.lineno, f"{error} takes a key of [{section}] in the texts, not a message"
                continue
            wanted = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            if missing := wanted - {value.arg for value in call.keywords}:
                yield call.lineno, f"{error} {ast.unparse(one)} lacks {', '.join(sorted(missing))}"


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
