"""This file probes a TCP port: does something listen there?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes import transport
from probes.base import Context


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Connect to the ``tcp`` port, or to the first port that the device has. Options: ``port``.

    Facts: ``port`` and ``connect_seconds``.
    """
    wished = options.get("port")
    port = wished if isinstance(wished, int) else target.ports.get("tcp", 0)
    port = port or next((known for known in target.ports.values() if known), 0)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    connection = await transport.connect(context, target, port)
    connection.close()
    return {"port": port, "connect_seconds": round(loop.time() - begun, 6)}
