"""The outbox keeps what is owed, gives it out one message at a time and in order, and forgets nothing on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from camera_registry.model.incident import IncidentChange, Severity, Step
from camera_registry.model.notice import Audience, Batch, Delivery, Notice, NoticeState, Occasion
from camera_registry.model.register import Register
from camera_registry.rules import notices
from camera_registry.store import Store, outbox
from tests.notices import NOON, at, incident, opened, resolved, step

DUTY = Audience("duty", group_wait=0, digest=50)
LEASE = timedelta(minutes=5)


def owe(store: Store, changes: Sequence[IncidentChange], audience: Audience = DUTY) -> None:
    store.write_now(outbox.owe, notices.owed(changes, [audience], Register()))


def claim(store: Store, now: datetime = NOON, audience: Audience = DUTY) -> Batch | None:
    return store.write_now(outbox.claim, audience, now, LEASE, lambda occasion, id: "")


def attempt(batch: Batch, result: str = "delivered", when: datetime = NOON, error: str = "") -> Delivery:
    return Delivery(batch.key, batch.channel, when, 0.1, result, batch.total, error)


def told(batch: Batch | None) -> list[tuple[int | None, str]]:
    return [] if batch is None else [(one.incident, one.occasion.value) for one in batch.notices]


def test_a_notice_comes_back_as_it_was_owed(store: Store) -> None:
    (one,) = notices.owed([opened(1, detail="没有应答\x00")], [DUTY], Register())
    store.write_now(outbox.owe, [one])
    (kept,) = store.read_now(outbox.page)
    assert kept.values["detail"] == "没有应答\N{REPLACEMENT CHARACTER}"
    assert (kept.key, kept.occasion, kept.severity, kept.created_at) == (one.key, one.occasion, one.severity, NOON)


def test_what_is_owed_twice_is_kept_once(store: Store) -> None:
    owe(store, [opened(1)])
    owe(store, [opened(1)])
    assert len(store.read_now(outbox.page)) == 1


def test_the_end_is_owed_only_to_whom_the_beginning_was(store: Store) -> None:
    urgent = Audience("boss", severity=Severity.P1, group_wait=0)
    steps = [opened(1), resolved(incident(1))]
    store.write_now(outbox.owe, notices.owed(steps, [DUTY, urgent], Register()))
    assert [(one.channel, one.occasion) for one in store.read_now(outbox.page)] == [
        ("duty", Occasion.RESOLVED),
        ("duty", Occasion.OPENED),
    ]


def test_of_one_incident_nothing_overtakes_what_is_owed_before_it(store: Store) -> None:
    owe(store, [opened(1), opened(2)])
    first = claim(store)
    assert told(first) == [(1, "opened"), (2, "opened")]
    owe(store, [resolved(incident(1)), resolved(incident(3))])
    assert claim(store) is None
    assert first is not None
    store.write_now(outbox.postponed, first, attempt(first, "retry", error="500"), at(60))
    assert claim(store, at(30)) is None
    again = claim(store, at(60))
    assert again is not None
    assert again.key == first.key
    assert again.attempts == 2
    store.write_now(outbox.delivered, again, attempt(again))
    assert told(claim(store, at(60))) == [(1, "resolved")]


def test_a_message_of_a_process_that_died_is_given_out_again_whole_with_its_key(store: Store) -> None:
    owe(store, [opened(1), opened(2)])
    first = claim(store)
    owe(store, [opened(3)])
    assert told(claim(store, at(299))) == [(3, "opened")]
    again = claim(store, at(300))
    assert first is not None
    assert again is not None
    assert (again.key, told(again)) == (first.key, told(first))
    store.write_now(outbox.release)
    released = [claim(store, at(301)), claim(store, at(301))]
    assert [told(one) for one in released] == [[(1, "opened"), (2, "opened")], [(3, "opened")]]


def test_too_many_notices_become_one_digest_of_which_all_are_delivered(store: Store) -> None:
    owe(store, [opened(id, severity=Severity.P1 if id % 100 == 0 else Severity.P3) for id in range(1, 5001)])
    digest = claim(store)
    assert digest is not None
    assert digest.digest
    assert digest.total == 5000
    assert digest.counts == {(Occasion.OPENED, Severity.P1): 50, (Occasion.OPENED, Severity.P3): 4950}
    assert len(digest.notices) == outbox.SHOWN
    assert {one.severity for one in digest.notices} == {Severity.P1}
    assert claim(store) is None
    store.write_now(outbox.delivered, digest, attempt(digest))
    assert store.read_now(outbox.owing) == {}
    assert len(store.read_now(outbox.page, state=NoticeState.DELIVERED, limit=6000)) == 5000


def test_what_is_not_wanted_any_more_is_kept_as_not_sent_with_the_reason(store: Store) -> None:
    owe(store, [opened(1), opened(2)])
    batch = store.write_now(outbox.claim, DUTY, NOON, LEASE, lambda occasion, id: "muted" if id == 1 else "")
    assert told(batch) == [(2, "opened")]
    (one,) = store.read_now(outbox.page, state=NoticeState.MUTED)
    assert (one.incident, one.error) == (1, "muted")


def test_an_escalation_that_waits_does_not_hold_up_the_end_and_is_not_followed_by_it(store: Store) -> None:
    boss = Audience("boss", after=1800, group_wait=0)
    owe(store, [opened(1), resolved(incident(1))], boss)
    assert [one.occasion for one in store.read_now(outbox.page)] == [Occasion.ESCALATED]


def test_an_incident_that_grows_worse_is_told_at_once_even_if_it_was_to_wait_for_the_morning(store: Store) -> None:
    (waiting,) = notices.owed([opened(1)], [DUTY], Register())
    later = Notice(**{name: getattr(waiting, name) for name in waiting.__slots__} | {"not_before": at(30_000)})
    store.write_now(outbox.owe, [later])
    owe(store, [step(Step.SEVERITY_CHANGED, incident(1), at(60), severity=Severity.P1)])
    batch = claim(store, at(60))
    assert told(batch) == [(1, "opened")]
    assert batch is not None
    assert batch.severity is Severity.P1


def test_what_failed_for_good_can_be_tried_again(store: Store) -> None:
    owe(store, [opened(1), opened(2)])
    batch = claim(store)
    assert batch is not None
    store.write_now(outbox.refused, batch, attempt(batch, "failed", error="422"))
    (second, first) = store.read_now(outbox.page)
    assert (first.state, first.error) == (NoticeState.FAILED, "422")
    assert store.write_now(outbox.retry, second.id, at(10)) == 2
    assert store.write_now(outbox.retry, second.id, at(10)) == 0
    again = claim(store, at(10))
    assert again is not None
    assert again.key == batch.key
    assert [one.result for one in store.read_now(outbox.attempts)] == ["failed"]


def test_a_clock_that_is_set_makes_nothing_due_earlier_or_later(store: Store) -> None:
    boss = Audience("boss", after=1800, group_wait=0)
    owe(store, [opened(1)], boss)
    owe(store, [opened(2)])
    batch = claim(store)
    assert batch is not None
    hour = timedelta(hours=1)
    for step_made, now in ((hour, NOON + hour), (-hour, NOON)):
        store.write_now(outbox.shift, step_made)
        assert claim(store, now + timedelta(seconds=1799), boss) is None
        assert claim(store, now + timedelta(seconds=299)) is None
    assert told(claim(store, at(1800), boss)) == [(1, "escalated")]
    assert told(claim(store, at(300))) == [(2, "opened")]


def test_old_deliveries_are_swept_and_what_is_owed_stays(store: Store) -> None:
    owe(store, [opened(1)])
    batch = claim(store)
    assert batch is not None
    store.write_now(outbox.delivered, batch, attempt(batch))
    owe(store, [opened(2)])
    store.write_now(outbox.sweep, at(1))
    assert [one.incident for one in store.read_now(outbox.page)] == [2]
    assert store.read_now(outbox.attempts) == []
