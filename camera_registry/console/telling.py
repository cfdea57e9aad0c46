"""What people do about notices, for the API and the pages alike: try a channel, have what failed sent again."""

from __future__ import annotations

from typing import Any

from camera_registry.console.found import number
from camera_registry.console.problems import not_found
from camera_registry.console.routing import Asked
from camera_registry.model.notice import Delivery
from camera_registry.store import Transaction, audit, outbox

_Ask = Asked[Any, Any]


async def try_channel(asked: _Ask) -> Delivery:
    """Send a test message over the channel that the path names. Raises Problem."""
    name, deps = asked.item(), asked.deps
    sent = await deps.test_channel(name)
    if sent is None:
        raise not_found("notice_channel", name)
    detail = {"result": sent.result, "error": sent.error}
    await deps.store.write(audit.append, asked.user.name, "channel.test", f"channel/{name}", detail, deps.now())
    return sent


async def dismiss(asked: _Ask) -> int:
    """Give up what the channel that the path names has refused, and all that it is owed if it is no longer in the
    settings; how many notices. Raises Problem."""
    name, now, author = asked.item(), asked.deps.now(), asked.user.name
    standing = next((one for one in asked.deps.standings() if one.name == name), None)
    if standing is None:
        raise not_found("notice_channel", name)

    def job(tx: Transaction) -> int:
        count = outbox.dismiss(tx, name, now, owed=not standing.kind)
        audit.append(tx, author, "notice.dismiss", f"channel/{name}", {"notices": count}, now)
        return count

    return await asked.deps.store.write(job)


async def retry(asked: _Ask) -> int:
    """Have the failed notice that the path names sent again, with all of its message; how many. Raises Problem."""
    id, now, author = number(asked, "notice"), asked.deps.now(), asked.user.name

    def job(tx: Transaction) -> int:
        count = outbox.retry(tx, id, now)
        if count:
            audit.append(tx, author, "notice.retry", f"notice/{id}", {"notices": count}, now)
        return count

    count = await asked.deps.store.write(job)
    if not count:
        raise not_found("notice", id)
    return count
