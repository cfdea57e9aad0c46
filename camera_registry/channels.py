"""The settings of channels: where notices go, who is told of what, and when. One class for each kind of channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from camera_registry.model.health import Cause
from camera_registry.model.incident import Severity
from camera_registry.model.notice import Audience, Occasion, Quiet
from camera_registry.model.place import SiteCategory
from camera_registry.model.wrong import Wrong
from camera_registry.settings_section import Section, empty, refused, unread

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")
_ADDRESS = re.compile(r"[^@\s<>,;\"\x00-\x1f\x7f]+@[^@\s<>,;\"\x00-\x1f\x7f]+")


def _http(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or not text.isprintable() or " " in text:
        raise refused("address", "write a whole address, such as https://example.org/hook")
    if url.username is not None or url.password is not None:
        raise refused(
            "address_secret",
            "a user name or password does not belong into an address; name a file that holds the secret",
        )
    return text


def _span(text: str) -> str:
    if _SPAN.fullmatch(text) is None:
        raise refused("span", "write a span of hours such as 22:00-07:00")
    return text


def _mailbox(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise refused("mailbox", "'{given}' is no address; write one such as duty@example.org", given=text)
    return text


def mailboxes(text: str) -> list[str]:
    """The addresses that stand in a text, such as a contact's name, telephone and address."""
    return [word for word in re.split(r"[\s,;<>，；（）()]+", text) if _ADDRESS.fullmatch(word)]


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise refused("host", "write a host name or an address")
    return text


Http = Annotated[str, AfterValidator(_http)]
Span = Annotated[str, AfterValidator(_span)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Duration = Annotated[float, Field(ge=0, le=31_536_000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


OrderOccasion = Literal["opened", "assigned", "held", "fixed", "overdue", "verified", "closed"]
"""Steps of work orders that a channel may be told."""


class _Channel(Section):
    """What all kinds have in common: whom they are for. See ``Audience`` for what each key means."""

    name: Name
    language: Literal["zh", "en", ""] = ""
    """Empty: the service's."""
    severity: Severity = Severity.P4
    areas: frozenset[str] = frozenset()
    causes: frozenset[Cause] = frozenset()
    site_categories: frozenset[SiteCategory] = frozenset()
    after: Duration = 0
    repeat: Duration = 0
    group_wait: float = Field(20, ge=0, le=3600)
    digest: int = Field(50, ge=2, le=10_000)
    resolved: bool = True
    quiet: tuple[Span, ...] = ()
    quiet_unless: Severity = Severity.P1
    orders: frozenset[OrderOccasion] = frozenset({"overdue"})
    timeout: float = Field(15, gt=0, le=120)
    """Seconds that one attempt may take."""

    def audience(self, zone: str) -> Audience:
        """Whom this channel is for, with quiet hours in ``zone``."""
        return Audience(
            self.name,
            self.severity,
            self.areas,
            frozenset(cause.value for cause in self.causes),
            frozenset(category.value for category in self.site_categories),
            self.after,
            self.repeat,
            self.group_wait,
            self.digest if self.for_people else 0,
            self.resolved,
            tuple(map(_minutes, self.quiet)),
            self.quiet_unless,
            zone,
            frozenset(Occasion(f"order_{step}") for step in self.orders),
        )

    @property
    def for_people(self) -> bool:
        """Whether many notices may be told as their number; programs that keep count themselves are told each."""
        return True

    @property
    def refresh(self) -> float:
        """Seconds after which the receiver is told anew what is open, because it may have forgotten; 0: it does not."""
        return 0


def _minutes(span: str) -> Quiet:
    hours = [int(part[:2]) * 60 + int(part[3:]) for part in span.split("-")]
    return Quiet(hours[0], hours[1])


class WebhookChannel(_Channel):
    """JSON by POST, signed with the secret in ``secret_file`` if one is named."""

    kind: Literal["webhook"]
    url: Http
    secret_file: Path | None = None
    ca_file: Path | None = None
    """Who vouches for the receiver, instead of whom the system trusts."""


class EmailChannel(_Channel):
    """Letters by SMTP."""

    kind: Literal["email"]
    host: Host
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    sender: Mailbox
    to: tuple[Mailbox, ...] = Field(min_length=1)
    contacts: bool = False
    """Whether overdue work orders go to the address that the area's contact has, too."""
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if bool(self.user) != bool(self.password_file):
            raise refused("login_halved", "user and password_file go together: give both, or neither")
        if self.user and self.security == "none":
            raise refused("login_open", "a password is not sent unencrypted: set security to starttls or tls")
        return self


class AlertmanagerChannel(_Channel):
    """Alertmanager's API v2; it groups, mutes and repeats by its own configuration."""

    kind: Literal["alertmanager"]
    url: Http
    ca_file: Path | None = None
    group_wait: float = Field(0, ge=0, le=3600)
    orders: frozenset[OrderOccasion] = Field(frozenset(), max_length=0)
    """None: an alert is an incident there, and a second one about the same would have to be ended, too."""

    @property
    def for_people(self) -> bool:
        return False

    @property
    def refresh(self) -> float:
        return 300


class ChatChannel(_Channel):
    """WeCom, DingTalk, Feishu and whatever else Apprise speaks. ``url_file`` holds one address of Apprise a line: they
    contain secrets."""

    kind: Literal["chat"]
    url_file: Path


class SyslogChannel(_Channel):
    """A syslog server, RFC 5424."""

    kind: Literal["syslog"]
    host: Host
    port: Port = 514
    transport: Literal["udp", "tcp", "tls"] = "udp"
    facility: int = Field(16, ge=0, le=23)
    """16 is local0."""
    ca_file: Path | None = None


AnyChannel = Annotated[
    WebhookChannel | EmailChannel | AlertmanagerChannel | ChatChannel | SyslogChannel, Field(discriminator="kind")
]


class Heartbeat(Section):
    """A sign of life for something that raises the alarm when it stops coming."""

    url: Annotated[str, AfterValidator(lambda text: text and _http(text))] = ""
    interval: float = Field(60, ge=1, le=3600)


_FILES = ("secret_file", "password_file", "url_file", "ca_file")


def located(channels: tuple[AnyChannel, ...], folder: Path) -> tuple[AnyChannel, ...]:
    """The channels with paths that are relative to the settings file's folder made whole."""
    return tuple(
        channel.model_copy(
            update={name: (folder / path).resolve() for name in _FILES if (path := getattr(channel, name, None))}
        )
        for channel in channels
    )


def flaws(channels: tuple[AnyChannel, ...]) -> Iterator[Wrong]:
    """What pydantic can't see: names given twice, and files that can't be read."""
    seen: set[str] = set()
    for number, channel in enumerate(channels):
        if channel.name in seen:
            detail = f"there are two channels {channel.name!r}; give each a name of its own"
            yield Wrong(f"channels.{number}.name", "twice", detail, {"name": channel.name})
        seen.add(channel.name)
        for key in _FILES:
            path = getattr(channel, key, None)
            if path is None:
                continue
            try:
                text = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                yield unread(f"channels.{number}.{key}", path, error)
                continue
            if not text:
                yield empty(f"channels.{number}.{key}", path)
