"""This file probes a device's encryption: can it be agreed, what is it, and which certificate does the device show?"""

from __future__ import annotations

from collections.abc import Mapping

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes import transport
from probes.base import Context


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Agree on encryption at the ``tls`` port and hang up; nothing is asked. Options: ``port``.

    Facts: ``version`` and ``cipher`` as OpenSSL names them, ``handshake_seconds``, ``certificate``.
    """
    wished = options.get("port")
    port = wished if isinstance(wished, int) else target.ports.get("tls", 0) or 443
    connection = await transport.connect(context, target, port, tls=True)
    agreed = connection.agreed
    connection.close()
    if agreed is not None:
        context.facts |= {
            "version": agreed.version,
            "cipher": agreed.cipher,
            "handshake_seconds": round(agreed.seconds, 4),
        }
    return context.facts
