"""Gives all tests what they share: golden files, and a database of each kind, without and with tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from camera_registry.store import Store
from tests.servers import postgresql_server
from tests.shaped import shaped

GOLDEN = Path(__file__).with_name("golden")

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make golden` write the golden files instead of comparing with them."""
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write tests/golden/ anew instead of comparing with it"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files with long tests over a run, and none to its end: they wait for most of their time, and others
    compute meanwhile. A long test is one that was given a time-out of its own; the longest come first."""
    patience: dict[Path, float] = dict.fromkeys((item.path for item in items), 0.0)
    for item in items:
        if (mark := item.get_closest_marker("timeout")) is not None:
            patience[item.path] = max(patience[item.path], mark.args[0])
    long = sorted(filter(patience.get, patience), key=lambda path: -patience[path])
    short = [path for path in patience if not patience[path]]
    places = {path: 0.8 * n / len(long) for n, path in enumerate(long)}
    places |= {path: n / len(short) for n, path in enumerate(short)}
    items.sort(key=lambda item: places[item.path])


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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests do."""
    with postgresql_server() as address:
        yield address


@pytest.fixture(scope="session")
def shaped_database(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database on the server that is of today's shape, with nothing in it."""
    name = "shaped"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with Store.open(postgresql.replace("/postgres?", f"/{name}?"), tmp_path_factory.mktemp(name)):
        return name


@contextmanager
def database(server: str, template: str = "template1") -> Iterator[str]:
    """The address of a database of its own on the server: a copy of this one."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield server.replace("/postgres?", f"/{name}?")
        # A folder with a hundred databases takes its time to go.
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'camera_registry.db'}"
        return
    with database(request.getfixturevalue("postgresql")) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def shaped_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of today's shape with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{shaped(tmp_path / 'data') / 'camera_registry.db'}"
        return
    with database(request.getfixturevalue("postgresql"), request.getfixturevalue("shaped_database")) as made:
        yield made
