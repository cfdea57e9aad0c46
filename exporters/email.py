"""Notices by e-mail: SMTP with TLS or STARTTLS, plain text with a simple HTML form of it beside."""

from __future__ import annotations

import hashlib
import html
import ssl
from email.message import EmailMessage
from email.policy import SMTP as LINES

import aiosmtplib

from camera_registry.channels import EmailChannel, mailboxes
from camera_registry.model.incident import Severity
from camera_registry.model.notice import Occasion
from exporters.base import DeliveryError, Message
from exporters.posting import trusting

_OURS = frozenset({421, 454, 530, 534, 535, 538})
"""The server is busy, or does not let us in: that may be mended, and says nothing of the letter."""


class Email:
    """One mail server, and whom it is to write to."""

    def __init__(self, settings: EmailChannel) -> None:
        self._settings = settings
        password = settings.password_file
        self._password = password.read_text(encoding="utf-8").strip() if password else None
        self._trust: ssl.SSLContext | None = None

    async def send(self, message: Message) -> None:
        settings = self._settings
        if self._trust is None:
            self._trust = trusting(settings.ca_file)
        connection = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=self._password,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=None if settings.security == "none" else self._trust,
            timeout=settings.timeout,
        )
        try:
            async with connection:
                refused, _ = await connection.send_message(letter(message, settings))
        except aiosmtplib.SMTPRecipientsRefused as error:
            # Some of them for now, perhaps (grey-listing): only if no address will ever do, nothing is tried again.
            permanent = all(one.code >= 500 for one in error.recipients)
            raise DeliveryError("the server takes no letter for these addresses", permanent=permanent) from error
        except aiosmtplib.SMTPResponseException as error:
            permanent = error.code >= 500 and error.code not in _OURS
            raise DeliveryError(f"the server answered {error.code} {error.message}", permanent=permanent) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"the mail server can't be reached: {error}") from error
        if refused:
            # The others have it; sending it again would send it to them twice.
            raise DeliveryError(f"not taken for {', '.join(sorted(refused))}", permanent=True)

    async def close(self) -> None:
        """Nothing stays open between letters."""


def letter(message: Message, settings: EmailChannel) -> EmailMessage:
    """The letter. Its Message-ID is made of the message's key, so that mail programs show one that came twice once."""
    made = EmailMessage(LINES)
    made["From"] = settings.sender
    made["To"] = ", ".join(dict.fromkeys((*settings.to, *_contacts(message, settings))))
    made["Subject"] = message.subject
    made["Date"] = message.sent_at
    domain = settings.sender.rpartition("@")[2]
    made["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Idempotency-Key"] = message.key
    if message.severity is Severity.P1:
        made["Importance"] = "high"
    made.set_content("\n".join((message.subject, "", *message.lines)) + "\n")
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in message.lines)
    made.add_alternative(
        f"<!doctype html><html><body><h3>{html.escape(message.subject)}</h3>{paragraphs}</body></html>", subtype="html"
    )
    return made


def _contacts(message: Message, settings: EmailChannel) -> list[str]:
    """Who is to push what is overdue, as far as their areas' contacts are addresses."""
    overdue = (one.values.get("contact") for one in message.notices if one.occasion is Occasion.ORDER_OVERDUE)
    return [address for contact in overdue for address in mailboxes(str(contact or ""))] if settings.contacts else []
