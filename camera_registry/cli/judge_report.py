"""How a report on the picture judge is written down for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from camera_registry.rules.pictures.report import RATES, Report
from camera_registry.texts import Texts


def lines(found: Report, words: Texts) -> Iterator[str]:
    """The report, line by line: causes, then false alarms by condition."""
    wrong, healthy = found.alarmed
    for cause, one in found.causes.items():
        yield words(
            "command.judge_report.cause",
            cause=words.name(cause),
            found=one.found,
            cases=one.cases,
            share=f"{one.found / one.cases:.1%}",
        )
        if healthy:
            one_percent, fifth = (f"{one.at[rate]:.1%}" for rate in RATES)
            rising = f"{one.rising:.3f}"
            yield "  " + words("command.judge_report.rates", one=one_percent, fifth=fifth, rising=rising)
        grades = ", ".join(f"{severity} {hits}/{cases}" for severity, (hits, cases) in one.graded.items())
        yield "  " + words("command.judge_report.graded", grades=grades)
        if one.taken_for:
            yield "  " + words("command.judge_report.taken_for", causes=_counted(one.taken_for, words))
    if found.causes:
        yield words("command.judge_report.mean", share=f"{found.mean:.1%}")
    if healthy:
        yield words("command.judge_report.alarms", wrong=wrong, healthy=healthy, share=f"{wrong / healthy:.2%}")
    for condition, (alarms, cases, named) in found.alarms.items():
        causes = _counted(named, words)
        told = f"  {condition}: {alarms}/{cases} ({alarms / cases:.1%})"
        yield f"{told} {causes}" if causes else told


def _counted(named: Mapping[str, int], words: Texts) -> str:
    return ", ".join(f"{_names(causes, words)} {count}" for causes, count in named.items())


def _names(causes: str, words: Texts) -> str:
    if causes == "nothing":
        return words("command.judge_report.nothing")
    return " + ".join(words("cause." + cause + ".name") for cause in causes.split(","))
