"""Gives all tests what they share: golden files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make golden` write the golden files instead of comparing with them."""
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write tests/golden/ anew instead of comparing with it"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in tests/golden/: `golden("metrics.txt", text)`."""
    rewrite = request.config.getoption("--rewrite-golden")

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if rewrite:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
        if not file.exists():
            pytest.fail(f"{file} does not exist; `make golden` writes it")
        with file.open(encoding="utf-8", newline="") as stream:
            assert text == stream.read(), f"{name} differs; if that is meant, `make golden` writes it anew"

    return compare
