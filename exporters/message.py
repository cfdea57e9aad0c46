"""Writes messages: what the notices of a batch say, in the language, time zone and words of whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity
from camera_registry.model.notice import OF_ORDERS, Batch, Notice, Occasion
from camera_registry.model.work_order import OrderState, Phase
from camera_registry.texts import Texts
from exporters.base import Message

LISTED = 20
"""Notices that a message tells one by one; of the others it tells how many."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one channel. ``url`` is where the console is."""

    words: Texts
    zone: ZoneInfo
    url: str

    def write(self, batch: Batch, now: datetime) -> Message:
        """The message that tells of a batch."""
        headlines = tuple(self._headline(notice) for notice in batch.notices)
        single = batch.total == 1
        link = f"{self.url}/incidents"
        if single and batch.notices[0].occasion in OF_ORDERS:
            link = f"{self.url}/orders/{batch.notices[0].values['order']}"
        elif single and batch.notices[0].incident is not None:
            link += f"/{batch.notices[0].incident}"
        if single:
            subject, lines = f"[{batch.severity.value}] {headlines[0]}", self._told(batch.notices[0])
        else:
            key = "notice.digest" if batch.digest else "notice.several"
            subject = f"[{batch.severity.value}] {self.words.count(key, batch.total)}"
            lines = (*self._counts(batch), *self._listed(batch, headlines))
        return Message(
            batch.key,
            batch.channel,
            _one_line(subject),
            tuple(map(_one_line, (*lines, self.words("notice.more_at", link=link)))),
            batch.notices,
            tuple(map(_one_line, headlines)),
            batch.total,
            batch.counts,
            batch.severity,
            batch.digest,
            link,
            now,
        )

    def _headline(self, notice: Notice) -> str:
        if notice.occasion is Occasion.TEST:
            return self.words("notice.line.test")
        told = notice.values
        scope = Scope(str(told["scope"]))
        called = str(told["called"])
        if scope is not Scope.DEVICE:
            called = f"{self.words.name(scope)} {called}"
        return self.words(
            f"notice.line.{notice.occasion.value}",
            called=called,
            cause=self.words.name(Cause(str(told["cause"]))),
            since=self._stamp(told["started"]),
            lasted=self._lasted(notice),
            order=told.get("order", ""),
            crew=told.get("crew") or self.words("notice.no_crew"),
            phase=self.words.name(Phase(str(told["phase"]))) if "phase" in told else "",
            state=self.words.name(OrderState(str(told["order_state"]))) if "order_state" in told else "",
        )

    def _told(self, notice: Notice) -> tuple[str, ...]:
        """All that one notice says below its headline."""
        if notice.occasion is Occasion.TEST:
            return (self.words("notice.test"),)
        told, words = notice.values, self.words
        cause = Cause(str(told["cause"]))
        lines = [words("notice.about", about=told["about"], severity=words.name(Severity(str(told["severity"]))))]
        if told["area"]:
            lines.append(words("notice.area", area=told["area_name"] or told["area"]))
        lines.append(words("notice.since", since=self._stamp(told["started"])))
        if told["ended"]:
            lines.append(words("notice.until", until=self._stamp(told["ended"]), lasted=self._lasted(notice)))
        if isinstance(told["affected"], int) and told["affected"]:
            lines.append(words.count("notice.behind", told["affected"]))
        if not told["ended"]:
            lines += [words.why(cause), words.next(cause)]
        if told["detail"]:
            lines.append(
                words(
                    "notice.detail", detail=words.retold(str(told["detail"]), notice.created_at.astimezone(self.zone))
                )
            )
        if "order" in told:
            lines.append(words("notice.order", order=told["order"], crew=told["crew"] or words("notice.no_crew")))
        if told.get("repeats"):
            lines.append(words("notice.repeats", n=told["repeats"]))
        if told.get("contact"):
            lines.append(words("notice.contact", contact=told["contact"]))
        return tuple(lines)

    def _counts(self, batch: Batch) -> tuple[str, ...]:
        if not batch.digest:
            return ()
        return tuple(
            self.words("notice.count", occasion=self.words.name(occasion), severity=severity.value, n=n)
            for (occasion, severity), n in sorted(batch.counts.items(), key=lambda one: (one[0][1], one[0][0]))
        )

    def _listed(self, batch: Batch, headlines: tuple[str, ...]) -> tuple[str, ...]:
        listed = tuple(
            f"[{notice.severity.value}] {headline}"
            for notice, headline in zip(batch.notices[:LISTED], headlines, strict=False)
        )
        more = batch.total - len(listed)
        return (*listed, self.words.count("notice.others", more)) if more else listed

    def _stamp(self, at: object) -> str:
        return datetime.fromisoformat(str(at)).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def _lasted(self, notice: Notice) -> str:
        begin = datetime.fromisoformat(str(notice.values["started"]))
        ended = notice.values["ended"]
        return self.words.duration((datetime.fromisoformat(str(ended)) if ended else notice.created_at) - begin)


def _one_line(text: str) -> str:
    """What a device said of itself can begin no line of its own, in a letter's head least of all."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
