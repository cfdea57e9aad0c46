"""What people see is on disk: what is judged while the store writes is not shown before it is stored itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from camera_registry.board import Board
from camera_registry.link.local import LocalLink
from camera_registry.model.health import State, Status
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.clock import SteadyClock
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.evidence import Evidence
from camera_registry.service.recorder import Recorder
from camera_registry.settings import Settings
from camera_registry.store import Store, health, register
from exporters.service import ServiceMetrics
from tests.service.test_ledger import CAMERAS, SWITCH, at, ledger, lose, well
from tests.shaped import shaped


async def test_what_is_judged_while_the_store_writes_is_shown_when_it_is_stored_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, board, book = Settings(), Board(), ledger(SWITCH, *CAMERAS)
    books = Books(Casebook(book, settings.incidents.policy(), at(0)), Dispatcher(book, settings.dispatch_policy()))

    def shown_and_stored() -> tuple[Status, list[State]]:
        entry = board.get("cam-0")
        assert entry is not None
        return entry.status, [flip.after for flip in store.read_now(health.flips_after, 0) if flip.after is State.DOWN]

    with Store.open("", shaped(tmp_path)) as store:
        store.write_now(register.apply, [SWITCH, *CAMERAS], author="test", at=at(-60))
        evidence, meter = Mock(Evidence), Mock(ServiceMetrics)
        recorder = Recorder(LocalLink(), book, books, store, evidence, board, SteadyClock(), meter)
        well(book, "cam-0")
        write = store.write

        async def meanwhile(job: Callable[..., Any], *given: Any) -> None:
            lose(book, "cam-0", ["rtsp"], start=60)
            await write(job, *given)

        with monkeypatch.context() as patched:
            patched.setattr(store, "write", meanwhile)
            await recorder.flush()
        assert shown_and_stored() == (Status.OK, [])
        await recorder.flush()
        assert shown_and_stored() == (Status.DOWN, [State.DOWN])
