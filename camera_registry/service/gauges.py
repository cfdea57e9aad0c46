"""What the service tells of itself: how much is under way, what waits, and what has been done, each read when asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from camera_registry.link.local import LocalLink
from camera_registry.service.discoverer import Discoverer
from camera_registry.service.ledger import Ledger
from camera_registry.service.notifier import Notifier
from camera_registry.service.polling import Polling
from camera_registry.service.recorder import Recorder
from camera_registry.service.wire.pollers import Pollers
from exporters.service import ServiceMetrics


class Desk(Protocol):
    """Where pictures are measured; see ``probes.picture.desk.PictureDesk``."""

    @property
    def waiting(self) -> int: ...

    @property
    def measured(self) -> int: ...

    @property
    def restarts(self) -> int: ...

    @property
    def spent(self) -> float: ...


def follow_processes(metrics: ServiceMetrics, pollers: Pollers) -> None:
    """Let ``metrics`` show how the processes fare that poll."""
    metrics.follow("camera_registry_poller_processes", "Processes that poll now.", lambda: pollers.running)
    metrics.follow_count(
        "camera_registry_poller_restarts_total", "Polling processes replaced.", lambda: pollers.replaced
    )
    metrics.follow_processes("camera_registry_poller", lambda: pollers.pids)


def follow(
    metrics: ServiceMetrics,
    desks: Sequence[Desk],
    link: LocalLink,
    ledger: Ledger,
    poller: Polling,
    recorder: Recorder,
    notifier: Notifier,
    discoverer: Discoverer,
) -> None:
    """Let ``metrics`` show what these parts of the service say of themselves."""
    metrics.follow("camera_registry_slots", "Probes that may run at once.", lambda: poller.slots)
    metrics.follow(
        "camera_registry_slots_open", "Probes that may run now: fewer while this machine is busy.", lambda: poller.room
    )
    metrics.follow("camera_registry_slots_used", "Probes under way.", lambda: poller.slots_used)
    metrics.follow("camera_registry_tasks", "Probes on the agenda.", lambda: poller.tasks)
    metrics.follow("camera_registry_batches_waiting", "Batches not judged yet.", lambda: link.waiting)
    metrics.follow("camera_registry_rows_waiting", "Rows not written yet.", lambda: recorder.waiting)
    metrics.follow(
        "camera_registry_pictures_waiting", "Pictures not measured yet.", lambda: sum(desk.waiting for desk in desks)
    )
    metrics.follow_count(
        "camera_registry_pictures_total", "Pictures measured or refused.", lambda: sum(desk.measured for desk in desks)
    )
    metrics.follow_count(
        "camera_registry_picture_restarts_total",
        "Decoding processes replaced.",
        lambda: sum(desk.restarts for desk in desks),
    )
    metrics.follow_count(
        "camera_registry_picture_seconds_total",
        "Processor time of comparing pictures with what was accepted.",
        lambda: sum(desk.spent for desk in desks),
    )
    metrics.follow_counts(
        "camera_registry_pictures_judged_total",
        "Pictures judged, by whether anything seemed wrong.",
        "result",
        lambda: ledger.sightings.pictures,
    )
    metrics.follow_counts(
        "camera_registry_picture_not_checked_total",
        "Causes that a picture could not tell about, by the reason.",
        "reason",
        lambda: ledger.sightings.not_checked,
    )
    metrics.follow("camera_registry_outbox_pending", "Notices owed to channels.", lambda: notifier.pending)
    metrics.follow("camera_registry_outbox_failed", "Notices that a channel refused.", lambda: notifier.failed)
    metrics.follow(
        "camera_registry_outbox_overdue_seconds",
        "How long the notice that waits longest has been due.",
        lambda: notifier.overdue,
    )
    metrics.follow("camera_registry_proposals_open", "Proposals that wait for somebody.", lambda: discoverer.open)
    metrics.follow(
        "camera_registry_discovery_last_end_timestamp_seconds",
        "When a search of the device networks last ended; 0: never.",
        lambda: discoverer.last.timestamp() if discoverer.last is not None else 0,
    )
