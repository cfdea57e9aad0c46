"""Writes a report as a page made for print: no script, and the one style in it is allowed by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import jinja2

from camera_registry.texts import texts
from exporters.report.cells import shown
from exporters.report.chart import draw
from exporters.report.document import Cell, Chart, Document

_STYLE = files("exporters.report").joinpath("report.css").read_text(encoding="utf-8").rstrip()

_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""The content policy of such a page (CSP 3, section 6.7.3.3). It stands in the page itself, for when it is a file."""


def write(document: Document) -> bytes:
    """The document as one file in HTML, with nothing outside it."""

    def tell(cell: Cell) -> str:
        return shown(cell, document.zone)

    def picture(chart: Chart) -> str:
        return draw(chart, document.table(chart.table), document.zone)

    page = _template().render(document=document, t=texts(document.language), shown=tell, draw=picture, policy=POLICY)
    return page.encode("utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("exporters.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
