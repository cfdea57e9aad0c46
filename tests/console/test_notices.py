"""What people see of notices and do about them, over the API and on the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from camera_registry.model.incident import IncidentChange, Step
from camera_registry.model.notice import Audience, Delivery, NoticeState, Owing, Standing
from camera_registry.model.people import Role
from camera_registry.model.register import Register
from camera_registry.rules import notices
from camera_registry.store import incidents, outbox
from tests.console import fleet
from tests.console.conftest import Browser, Script, Site
from tests.notices import incident

DUTY = Audience("duty", group_wait=0)
OPEN = incident(1, "cam-00003")
MUTED = incident(2, "cam-00004", parent=1)


@pytest.fixture
def site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """With a notice that a channel has refused, one that was not sent, and a channel that can be tried."""

    async def test_channel(name: str) -> Delivery | None:
        if name != "duty":
            return None
        sent = Delivery("duty/test.1", "duty", fleet.NOW, 0.1, "failed", 1, "it answered 503 <b>")
        await site.store.write(outbox.log, sent)
        return sent

    object.__setattr__(site.deps, "standings", lambda: [Standing("duty", "webhook", Owing(0, 1, None), 3, "down")])
    object.__setattr__(site.deps, "test_channel", test_channel)
    steps = [IncidentChange(Step.OPENED, fleet.NOW, one) for one in (OPEN, MUTED)]
    site.store.write_now(incidents.save, [OPEN, MUTED], steps)
    site.board.swap((), (), {1: OPEN, 2: MUTED})
    site.store.write_now(outbox.owe, notices.owed(steps, [DUTY], Register()))
    lease = timedelta(minutes=5)
    batch = site.store.write_now(outbox.claim, DUTY, fleet.NOW, lease, lambda occasion, id: "")
    assert batch is not None
    attempt = Delivery(batch.key, "duty", fleet.NOW, 0.1, "failed", 1, "it answered 422")
    site.store.write_now(outbox.refused, batch, attempt)
    return site


async def test_the_api_tells_what_is_owed_failed_and_was_not_sent(script: Script) -> None:
    _, told, _ = await script.ask("GET", "/api/v1/notices")
    assert [(one["incident"], one["state"], one["error"]) for one in told["items"]] == [
        (2, "muted", ""),
        (1, "failed", "it answered 422"),
    ]
    _, failed, _ = await script.ask("GET", "/api/v1/notices?state=failed&channel=duty&incident=1")
    assert len(failed["items"]) == 1
    _, log, _ = await script.ask("GET", "/api/v1/deliveries")
    assert [one["result"] for one in log["items"]] == ["failed"]
    _, channels, _ = await script.ask("GET", "/api/v1/notices/channels")
    assert channels["items"] == [
        {"name": "duty", "kind": "webhook", "pending": 0, "failed": 1, "failures": 3, "error": "down"}
    ]


async def test_pages_of_notices_follow_each_other(script: Script) -> None:
    _, first, _ = await script.ask("GET", "/api/v1/notices?limit=1")
    _, second, _ = await script.ask("GET", f"/api/v1/notices?limit=1&cursor={first['next']}")
    assert [one["incident"] for one in first["items"] + second["items"]] == [2, 1]
    assert second["next"] is None


async def test_what_failed_is_sent_again_once_and_who_asked_for_it_is_in_the_trail(script: Script, site: Site) -> None:
    (failed,) = site.store.read_now(outbox.page, state=NoticeState.FAILED)
    assert (await script.ask("POST", f"/api/v1/notices/{failed.id}/retry"))[:2] == (201, {"notices": 1})
    assert (await script.ask("POST", f"/api/v1/notices/{failed.id}/retry"))[0] == 404
    assert [row.about for row in site.trail("notice.retry")] == [f"notice/{failed.id}"]
    assert site.store.read_now(outbox.owing)["duty"].pending == 1


async def test_what_failed_can_be_given_up_and_is_kept_as_not_sent(script: Script, site: Site) -> None:
    assert (await script.ask("POST", "/api/v1/notices/channels/duty/dismiss"))[:2] == (201, {"notices": 1})
    assert (await script.ask("POST", "/api/v1/notices/channels/nobody/dismiss"))[0] == 404
    assert site.store.read_now(outbox.owing) == {}
    assert {one.error for one in site.store.read_now(outbox.page)} == {"", "dismissed"}
    assert [row.about for row in site.trail("notice.dismiss")] == ["channel/duty"]


async def test_what_is_owed_to_a_channel_that_is_gone_can_be_given_up_but_not_what_one_still_gets(
    script: Script, site: Site
) -> None:
    (failed,) = site.store.read_now(outbox.page, state=NoticeState.FAILED)
    site.store.write_now(outbox.retry, failed.id, fleet.NOW)
    assert (await script.ask("POST", "/api/v1/notices/channels/duty/dismiss"))[1] == {"notices": 0}
    object.__setattr__(site.deps, "standings", lambda: [Standing("duty", "", Owing(1, 0, None))])
    assert (await script.ask("POST", "/api/v1/notices/channels/duty/dismiss"))[1] == {"notices": 1}


async def test_a_channel_is_tried_by_name_and_who_tried_it_is_in_the_trail(script: Script, site: Site) -> None:
    status, sent, _ = await script.ask("POST", "/api/v1/notices/channels/duty/test")
    assert (status, sent["result"], sent["error"]) == (201, "failed", "it answered 503 <b>")
    assert (await script.ask("POST", "/api/v1/notices/channels/nobody/test"))[0] == 404
    assert [row.about for row in site.trail("channel.test")] == ["channel/duty"]


async def test_an_operator_presses_the_button_and_a_viewer_sees_none(browser: Browser, site: Site) -> None:
    site.user("lee", Role.OPERATOR)
    await browser.sign_in("lee")
    _, page = await browser.get("/notices?lang=en")
    assert "Send a test" in page
    assert "Try again" in page
    assert "a parent or planned work speaks for it" in page
    form = {"csrf": await browser.csrf()}
    status, there = await browser.submit("/notices/channels/duty/test", form)
    assert (status, there) == (303, "/notices?tried=duty/test.1")
    _, page = await browser.get(there)
    assert "it answered 503 &lt;b&gt;" in page
    (failed,) = site.store.read_now(outbox.page, state=NoticeState.FAILED)
    assert await browser.submit(f"/notices/{failed.id}/retry", form) == (303, "/notices")
    site.user("eve", Role.VIEWER)
    await browser.sign_in("eve")
    _, page = await browser.get("/notices?lang=zh")
    assert "通知渠道" in page
    assert "发送测试" not in page
    assert (await browser.submit("/notices/channels/duty/test", {"csrf": await browser.csrf()}))[0] == 403


async def test_what_alertmanager_tells_becomes_a_note_once(script: Script, site: Site) -> None:
    def alert(**labels: str) -> dict[str, object]:
        return {"status": "firing", "labels": labels, "annotations": {"summary": "is\ndown"}, "fingerprint": "1"}

    alerts = [
        alert(alertname="CameraDown", device="cam-00003"),
        alert(alertname="Fan", incident="2"),
        alert(alertname="Watchdog"),
        alert(alertname="Other", device="cam-99999"),
    ]
    body = {"version": "4", "receiver": "registry", "status": "firing", "groupKey": "{}", "alerts": alerts}
    assert (await script.ask("POST", "/api/v1/alertmanager", body))[1] == {"noted": 2, "known": 0, "unmatched": 2}
    assert (await script.ask("POST", "/api/v1/alertmanager", body))[1] == {"noted": 0, "known": 2, "unmatched": 2}
    line = site.store.read_now(incidents.time_line, 1)
    assert line[-1].text == "Alertmanager registry: CameraDown firing: is down"
    assert (await script.ask("POST", "/api/v1/alertmanager", {**body, "version": "3"}))[0] == 422
    assert replace(site.board.incidents[1], version=1) == OPEN
