"""Notices to chat groups: WeCom and DingTalk by their robots, Feishu and whatever else by Apprise.

Apprise waits in its own way, so it runs in a thread. Addresses are secrets: Apprise's log, which may hold them, is
turned off, and what failed is told by the kind of address alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import apprise

from camera_registry.channels import ChatChannel
from exporters.base import DeliveryError, Message
from exporters.posting import Poster
from exporters.robots import Robot, is_robot

_MOST = 1800
"""Letters of a text that goes through Apprise."""

Say = Callable[[str, str], Awaitable[None]]
"""Puts subject and text into one group. Raises DeliveryError."""


class Chat:
    """Every group named in one file."""

    def __init__(self, settings: ChatChannel) -> None:
        logging.getLogger(apprise.LOGGER_NAME).setLevel(logging.CRITICAL + 1)
        lines = settings.url_file.read_text(encoding="utf-8").splitlines()
        addresses = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        self._poster = Poster(timeout=settings.timeout)
        self._groups: dict[str, Say] = {}
        self._unknown: list[str] = []
        for number, address in enumerate(addresses, 1):
            say = Robot(address, self._poster).say if is_robot(address) else _by_apprise(address)
            if say is None:
                self._unknown.append(str(number))
            else:
                self._groups[f"{number} ({address.partition('://')[0]})"] = say
        self._sent: tuple[str, set[str]] = ("", set())

    async def send(self, message: Message) -> None:
        if self._unknown or not self._groups:
            raise DeliveryError(f"addresses in the file that nobody can read: {', '.join(self._unknown) or 'none'}")
        # A group that has it is not told again because another one failed; after a restart it is.
        key, done = self._sent
        if key != message.key:
            done = set()
            self._sent = (message.key, done)
        failed = []
        for name, say in self._groups.items():
            if name in done:
                continue
            try:
                await say(message.subject, "\n".join(message.lines))
            except DeliveryError as error:
                failed.append(f"{name}: {error.detail}")
            else:
                done.add(name)
        if failed:
            raise DeliveryError(f"not taken by address {'; '.join(failed)}")

    async def close(self) -> None:
        await self._poster.close()


def _by_apprise(address: str) -> Say | None:
    asset = apprise.AppriseAsset(app_id="camera-registry", app_desc="", app_url="", storage_mode="memory")
    group = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if not isinstance(group, apprise.NotifyBase):
        return None

    async def say(subject: str, text: str) -> None:
        if not await asyncio.to_thread(group.notify, body=text[:_MOST], title=subject):
            raise DeliveryError("not taken")

    return say
