"""A notifier in a process of its own, to be killed: data directory and receiver are its arguments."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from camera_registry.channels import WebhookChannel
from camera_registry.service import notifier as module
from camera_registry.service.clock import SteadyClock
from camera_registry.service.notifier import Notifier
from camera_registry.store import Store


class _Deaf:
    def delivery(self, channel: str, result: str) -> None:
        """Nobody asks."""


async def main(directory: Path, url: str) -> None:
    module.LOOK_EVERY = 0.02
    channel = WebhookChannel(kind="webhook", name="duty", url=url, group_wait=0)
    with Store.open("", directory) as store:
        made = Notifier(store, SteadyClock(), dict, _Deaf(), lambda: None)
        await made.follow([channel], "en", "UTC", "http://127.0.0.1:8600")
        await made.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
