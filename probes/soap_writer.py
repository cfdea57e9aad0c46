"""This file has ONVIF's requests written by a process of its own: what it takes to write them, zeep and the documents,
is 25 MB that nobody needs afterwards, and that goes with that process."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from threading import Lock

import orjson

from probes.wire import soap_requests

log = logging.getLogger(__name__)

SECONDS = 60.0
"""That it may take; on an idle machine it is one."""

_KNOWN = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What that process may know of ours: where Python is; no secret."""

_once = Lock()


async def write(namespace: str, *, lasting: bool) -> None:
    """See to it that the requests of a service are there. Who is not ``lasting`` writes those alone, by itself: that is
    over sooner, and its memory is soon free anyway."""
    if not soap_requests.prepared(namespace):
        await asyncio.to_thread(_have_written if lasting else soap_requests.prepare, namespace)


def _have_written(namespace: str) -> None:
    with _once:
        if soap_requests.prepared(namespace):
            return
        try:
            done = subprocess.run(
                [sys.executable, "-m", "probes.soap_writer"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=SECONDS,
                env={name: os.environ[name] for name in _KNOWN if name in os.environ},
            )
            soap_requests.take_over(orjson.loads(done.stdout))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            log.warning("ONVIF's requests are written by this process, which takes 25 MB of memory: %s", error)
            soap_requests.prepare(namespace)


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(soap_requests.everything()))
