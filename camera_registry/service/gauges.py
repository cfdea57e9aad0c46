"""What the service tells of itself: how much is under way, what waits, and what has been done, each read when asked."""

from __future__ import annotations

from camera_registry.link.local import LocalLink
from camera_registry.service.discoverer import Discoverer
from camera_registry.service.ledger import Ledger
from camera_registry.service.notifier import Notifier
from camera_registry.service.poller import Poller
from camera_registry.service.recorder import Recorder
from exporters.service import ServiceMetrics
from probes.picture.desk import PictureDesk


def follow(
    metrics: ServiceMetrics,
    desk: PictureDesk,
    link: LocalLink,
    ledger: Ledger,
    poller: Poller,
    recorder: Recorder,
    notifier: Notifier,
    discoverer: Discoverer,
) -> None:
    """Let ``metrics`` show what these parts of the service say of themselves."""
    metrics.follow("camera_registry_slots", "Probes that may run at once.", lambda: poller.limits.slots)
    metrics.follow(
        "camera_registry_slots_open", "Probes that may run now: fewer while this machine is busy.", lambda: poller.room
    )
    metrics.follow("camera_registry_slots_used", "Probes under way.", lambda: poller.slots_used)
    metrics.follow("camera_registry_tasks", "Probes on the agenda.", lambda: len(poller.agenda))
    metrics.follow("camera_registry_batches_waiting", "Batches not judged yet.", lambda: link.waiting)
    metrics.follow("camera_registry_rows_waiting", "Rows not written yet.", lambda: recorder.waiting)
    metrics.follow("camera_registry_pictures_waiting", "Pictures not measured yet.", lambda: desk.waiting)
    metrics.follow_count("camera_registry_pictures_total", "Pictures measured or refused.", lambda: desk.measured)
    metrics.follow_count(
        "camera_registry_picture_restarts_total", "Decoding processes replaced.", lambda: desk.restarts
    )
    metrics.follow_count(
        "camera_registry_picture_seconds_total",
        "Processor time of comparing pictures with what was accepted.",
        lambda: desk.spent,
    )
    metrics.follow_counts(
        "camera_registry_pictures_judged_total",
        "Pictures judged, by whether anything seemed wrong.",
        "result",
        lambda: ledger.pictures,
    )
    metrics.follow_counts(
        "camera_registry_picture_not_checked_total",
        "Causes that a picture could not tell about, by the reason.",
        "reason",
        lambda: ledger.not_checked,
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
