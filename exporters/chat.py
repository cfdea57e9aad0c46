"""Notices to chat groups: WeCom, DingTalk, Feishu and whatever else Apprise speaks.

Apprise waits in its own way, so it runs in a thread. Its addresses are secrets: its log, which may hold them, is
turned off, and what failed is told by the kind of address alone.
"""

from __future__ import annotations

import asyncio
import logging

import apprise

from camera_registry.channels import ChatChannel
from exporters.base import DeliveryError, Message

_MOST = 1800
"""Letters of a text; the strictest group (WeCom) takes 2,048 bytes of plain text."""


class Chat:
    """Every group named in one file."""

    def __init__(self, settings: ChatChannel) -> None:
        logging.getLogger(apprise.LOGGER_NAME).setLevel(logging.CRITICAL + 1)
        asset = apprise.AppriseAsset(app_id="camera-registry", app_desc="", app_url="", storage_mode="memory")
        lines = settings.url_file.read_text(encoding="utf-8").splitlines()
        addresses = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        self._groups: dict[str, apprise.NotifyBase] = {}
        self._unknown: list[int] = []
        for number, address in enumerate(addresses, 1):
            group = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
            if isinstance(group, apprise.NotifyBase):
                self._groups[f"{number} ({address.partition('://')[0]})"] = group
            else:
                self._unknown.append(number)
        self._sent: tuple[str, set[str]] = ("", set())

    async def send(self, message: Message) -> None:
        if self._unknown or not self._groups:
            lines = ", ".join(map(str, self._unknown)) or "none"
            raise DeliveryError(f"addresses in the file that Apprise can't read: {lines}")
        # A group that has it is not told again because another one failed; after a restart it is.
        key, done = self._sent
        if key != message.key:
            done = set()
            self._sent = (message.key, done)
        text = "\n".join(message.lines)[:_MOST]
        failed = []
        for name, group in self._groups.items():
            if name in done:
                continue
            if await asyncio.to_thread(group.notify, body=text, title=message.subject):
                done.add(name)
            else:
                failed.append(name)
        if failed:
            raise DeliveryError(f"not taken by address {', '.join(failed)}")

    async def close(self) -> None:
        """Nothing stays open between messages."""
