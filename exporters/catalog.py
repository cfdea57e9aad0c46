"""Which module serves which kind of channel, imported when the first of its kind is opened."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from camera_registry.channels import AnyChannel
from exporters.base import Channel

KINDS = {
    "webhook": "exporters.webhook:Webhook",
    "email": "exporters.email:Email",
    "alertmanager": "exporters.alertmanager:Alertmanager",
    "chat": "exporters.chat:Chat",
    "syslog": "exporters.syslog:Syslog",
}


def open_channel(settings: AnyChannel) -> Channel:
    """The channel that these settings describe. Raises OSError when one of its files can't be read."""
    module, _, name = KINDS[settings.kind].partition(":")
    made: Callable[[AnyChannel], Channel] = getattr(import_module(module), name)
    return made(settings)
