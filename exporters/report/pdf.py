"""Writes a report as PDF: its page made for print, printed by a Chromium without a screen, if there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from exporters.report import html
from exporters.report.document import Document

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DEADLINE = 300
"""Seconds; a thousand pages take about one minute."""


class NoBrowser(Exception):
    """There is no Chromium on this machine, or it could not print; the message says which."""


def write(document: Document) -> bytes:
    """The document as PDF. Raises NoBrowser."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise NoBrowser(f"none of {', '.join(BROWSERS)} is installed; the html format prints to the same page")
    with tempfile.TemporaryDirectory(prefix="camera-registry-report-") as folder:
        page, printed = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_bytes(html.write(document))
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={printed}",
            # Chromium refuses to sandbox for root; the page is ours, and its policy allows neither script nor network.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            page.as_uri(),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE)  # noqa: S603 - a program of a fixed list
        except (subprocess.SubprocessError, OSError) as error:
            raise NoBrowser(f"{program} could not print the report: {type(error).__name__}") from error
        if not printed.exists():
            raise NoBrowser(f"{program} printed nothing")
        return printed.read_bytes()
