"""This file builds a program from one file of C: by the system's compiler, else by tcc of the Debian archive, unpacked
beside what tests fetch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench.processes import BenchError
from tests.servers import ServerMissingError, debian_file

COMPILERS = ("cc", "gcc", "clang")


def build(source: Path, program: Path) -> None:
    """Raises BenchError where there is no compiler, or it refuses."""
    found = next(filter(None, map(shutil.which, COMPILERS)), None)
    command = [found, "-O2", str(source)] if found is not None else _unpacked(source)
    built = subprocess.run([*command, "-o", program], capture_output=True, text=True, check=False)
    if built.returncode:
        raise BenchError(f"{source.name} can't be built by {command[0]}:\n{built.stderr[-2000:]}")


def _unpacked(source: Path) -> list[str]:
    """A call of the compiler that was not installed, and so looks nowhere by itself."""
    try:
        program = debian_file("usr/bin/tcc", "tcc")
        start = debian_file("usr/lib/*-linux-gnu*/crt1.o", "libc6-dev")
    except ServerMissingError as error:
        raise BenchError("there is no C compiler: `apt-get install gcc`, or `python tools/debian.py tcc`") from error
    folder, headers = start.parent, program.parent.parent / "include"
    # The unpacked libc.so is a script that names files of the system; the library itself is there.
    library = Path("/lib", folder.name, "libc.so.6")
    return [
        str(program),
        f"-B{folder / 'tcc'}",
        "-nostdinc",
        *(f"-I{one}" for one in (folder / "tcc" / "include", headers / folder.name, headers)),
        "-nostdlib",
        *map(str, (start, folder / "crti.o", source, library, folder / "crtn.o", folder / "tcc" / "libtcc1.a")),
    ]
