"""This file reports how good judgements of labelled pictures are: recall, what was taken for what, false alarms.

Recall at a rate of false alarms is told from the scores of the same pictures: the limit is set where so many of the
healthy ones would be called faulty by this cause. It needs healthy pictures: 1 % of less than a hundred is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_registry.model.health import Cause
from camera_registry.model.picture import Judgement

RATES = (0.01, 0.002)
"""Shares of healthy pictures that may be called faulty, at which recall is told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one labelled case. ``cause`` is None for a healthy one."""

    cause: Cause | None
    severity: str
    condition: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class OfCause:
    """How one cause was found. ``graded``: (found, cases) by severity; ``rising``: the probability that a faulty
    picture scores higher than a healthy one (area under the ROC curve), ``at``: recall by rate of false alarms,
    ``curve``: (share of healthy, of faulty) at or above each score, ``taken_for``: what missed ones are called."""

    cases: int
    found: int
    graded: Mapping[str, tuple[int, int]]
    rising: float
    at: Mapping[float, float]
    curve: Sequence[tuple[float, float]]
    taken_for: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """``alarms``: by condition, (called faulty, healthy pictures), and the causes that were named."""

    causes: Mapping[Cause, OfCause]
    alarms: Mapping[str, tuple[int, int, Mapping[str, int]]]

    @property
    def mean(self) -> float:
        """Share found, mean over the causes."""
        shares = [one.found / one.cases for one in self.causes.values()]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def alarmed(self) -> tuple[int, int]:
        return sum(one[0] for one in self.alarms.values()), sum(one[1] for one in self.alarms.values())


def report(answers: Sequence[Answer], passed_over: frozenset[str] = frozenset()) -> Report:
    """The report; cases of the severities ``passed_over`` are graded, but count in no share."""
    healthy = [answer for answer in answers if answer.cause is None]
    by_cause: dict[Cause, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.cause is not None:
            by_cause[answer.cause].append(answer)
    alarms: dict[str, list[str]] = defaultdict(list)
    for answer in healthy:
        alarms[answer.condition].append(_named(answer.judgement))
    return Report(
        {cause: _of_cause(cause, by_cause[cause], healthy, passed_over) for cause in sorted(by_cause)},
        {
            condition: (sum(map(bool, named)), len(named), dict(Counter(filter(None, named))))
            for condition, named in sorted(alarms.items())
        },
    )


def _of_cause(
    cause: Cause, faulty: Sequence[Answer], healthy: Sequence[Answer], passed_over: frozenset[str]
) -> OfCause:
    graded: dict[str, list[bool]] = defaultdict(list)
    for answer in faulty:
        graded[answer.severity].append(_finds(answer, cause))
    counted = [answer for answer in faulty if answer.severity not in passed_over] or list(faulty)
    missed = Counter(_named(answer.judgement) or "nothing" for answer in counted if not _finds(answer, cause))
    good = sorted((answer.judgement.scores.get(cause, 0.0) for answer in healthy), reverse=True)
    bad = sorted((answer.judgement.scores.get(cause, 0.0) for answer in counted), reverse=True)
    return OfCause(
        cases=len(counted),
        found=sum(_finds(answer, cause) for answer in counted),
        graded={severity: (sum(hits), len(hits)) for severity, hits in graded.items()},
        rising=_rising(good, bad),
        at={rate: _recall(good, bad, rate) for rate in RATES},
        curve=_curve(good, bad),
        taken_for=dict(missed.most_common()),
    )


def _finds(answer: Answer, cause: Cause) -> bool:
    return any(fault.cause is cause for fault in answer.judgement.faults)


def _named(judgement: Judgement) -> str:
    return ",".join(fault.cause for fault in judgement.faults)


def _recall(good: Sequence[float], bad: Sequence[float], rate: float) -> float:
    """Share of the faulty that score higher than all but ``rate`` of the healthy, and above nothing."""
    most = good[int(rate * len(good))] if good else 0.0
    return sum(value > most for value in bad) / len(bad)


def _rising(good: Sequence[float], bad: Sequence[float]) -> float:
    """Mann and Whitney's statistic, as a share: ties count half."""
    if not good or not bad:
        return 0.0
    higher = sum((value > other) + 0.5 * (value == other) for value in bad for other in good)
    return higher / (len(good) * len(bad))


def _curve(good: Sequence[float], bad: Sequence[float]) -> list[tuple[float, float]]:
    limits = sorted({*good, *bad} - {0.0}, reverse=True)
    return [
        (
            sum(value >= limit for value in good) / max(1, len(good)),
            sum(value >= limit for value in bad) / max(1, len(bad)),
        )
        for limit in limits
    ]
