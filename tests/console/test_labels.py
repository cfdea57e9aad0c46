"""QR codes of device files."""

from __future__ import annotations

import re

import cv2
import numpy as np

from camera_registry.settings import Settings, Web
from tests.console.conftest import Browser, Site


def drawn(svg: str) -> np.ndarray:
    """A code as a camera would see it: dark modules of the SVG's one path, drawn large."""
    width = int(re.findall(r'width="(\d+)"', svg)[0]) // 8
    picture = np.full((width, width), 255, np.uint8)
    x, y = 0.0, 0.0
    for move, numbers in re.findall(r"([Mmh])([-\d. ]+)", re.findall(r' d="(M[^"]+m[^"]+)"', svg)[-1]):
        values = [float(one) for one in numbers.split()]
        if move == "h":
            picture[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if move == "M" else (x + values[0], y + values[1])
    return cv2.resize(picture, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)


async def test_a_code_leads_to_the_devices_page_for_crews(admin: Browser, site: Site) -> None:
    site.settings = Settings(web=Web(public_url="http://cameras.example.org"))
    async with admin.session.get(f"{site.url}/devices/cam-00002/qr.svg") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
        said, _, _ = cv2.QRCodeDetector().detectAndDecode(drawn(await answer.text()))
    assert said == "http://cameras.example.org/m/devices/cam-00002"


async def test_a_sheet_holds_the_labels_of_an_area_and_warns_of_a_private_address(admin: Browser, site: Site) -> None:
    _, text = await admin.get("/labels?lang=en")
    assert text.count('class="label"') == 41
    assert "Set [web] public_url before printing" in text
    site.settings = Settings(web=Web(public_url="http://cameras.example.org"))
    _, text = await admin.get("/labels?lang=en")
    assert "public_url" not in text
    _, text = await admin.get("/labels?area=nowhere&lang=en")
    assert "No area has the code or name “nowhere”" in text
