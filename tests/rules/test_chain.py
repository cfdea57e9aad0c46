"""Where the chain between us and a picture is broken, by what the probes of a device found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.chain import Link, LinkSeen, LinkState, Way, first_broken
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts, Failure, FailureKind, ProbeSeen, Stage
from camera_registry.rules.chain import chain
from camera_registry.texts import texts

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
OK, BROKEN, NOT_ASKED = LinkState


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def run(probe: str, seconds: float = 0, failure: Failure | None = None, facts: Facts | None = None) -> ProbeSeen:
    return ProbeSeen(probe, "", at(seconds), 0.1, failure, None, facts or {})


def failed(kind: FailureKind, stage: Stage, way: Way | None = None) -> Failure:
    return Failure(kind, stage, "as told by a test", way=way)


def way(seconds: float, **states: LinkState) -> Way:
    return Way(at(seconds), tuple(LinkSeen(Link(link), state) for link, state in states.items()))


def broken(*runs: ProbeSeen, causes: tuple[Cause, ...] = (), blamed: str = "") -> Link | None:
    first = first_broken(chain(runs, causes, blamed))
    return first.link if first else None


SILENT = failed(FailureKind.TIMEOUT, Stage.CONNECT)


def test_a_camera_that_gives_a_picture_has_a_whole_chain():
    found = chain(
        [run("onvif", facts={"clock_offset_seconds": 0.4}), run("rtsp", facts={"frames": 3}), run("snapshot")], ()
    )
    assert [seen.link for seen in found] == list(Link)
    assert {seen.state for seen in found} == {OK}


def test_nothing_is_claimed_of_what_nobody_has_asked():
    assert {seen.state for seen in chain([], ())} == {NOT_ASKED}
    states = {seen.link: seen.state for seen in chain([run("tcp")], ())}
    assert {link for link, state in states.items() if state is OK} == {Link.GATEWAY, Link.PARENT, Link.HOST, Link.PORT}


@pytest.mark.parametrize(
    ("probe", "kind", "stage", "link"),
    [
        ("onvif", FailureKind.DNS, Stage.ADDRESS, Link.HOST),
        ("onvif", FailureKind.TIMEOUT, Stage.CONNECT, Link.HOST),
        ("onvif", FailureKind.REFUSED, Stage.CONNECT, Link.PORT),
        ("onvif", FailureKind.TLS, Stage.HANDSHAKE, Link.PORT),
        ("onvif", FailureKind.TIMEOUT, Stage.ANSWER, Link.PORT),
        ("onvif", FailureKind.PROTOCOL, Stage.ANSWER, Link.PORT),
        ("onvif", FailureKind.BUSY, Stage.ANSWER, Link.PORT),
        ("onvif", FailureKind.BUSY, Stage.AUTHENTICATE, Link.CREDENTIALS),
        ("rtsp", FailureKind.AUTH, Stage.AUTHENTICATE, Link.CREDENTIALS),
        ("rtsp", FailureKind.NO_STREAM, Stage.ANSWER, Link.STREAM),
        ("rtsp", FailureKind.BUSY, Stage.ANSWER, Link.STREAM),
        ("rtsp", FailureKind.NO_MEDIA, Stage.MEDIA, Link.FRAME),
        ("rtsp", FailureKind.TIMEOUT, Stage.MEDIA, Link.FRAME),
        ("snapshot", FailureKind.NO_STREAM, Stage.ANSWER, Link.FRAME),
        ("snapshot", FailureKind.UNDECODABLE, Stage.DECODE, Link.FRAME),
        ("snapshot", FailureKind.INTERNAL, Stage.DECODE, None),
    ],
)
def test_each_failure_speaks_of_its_own_link(probe: str, kind: FailureKind, stage: Stage, link: Link | None):
    assert broken(run(probe, failure=failed(kind, stage))) is link


@pytest.mark.parametrize(
    ("cause", "link"),
    [
        (Cause.CLOCK_DRIFT, Link.CLOCK),
        (Cause.LOW_FRAME_RATE, Link.STREAM),
        (Cause.FROZEN, Link.FRAME),
        (Cause.POWER, Link.HOST),
        (Cause.REPLACED, None),
        (Cause.RECORDING_GAP, None),
    ],
)
def test_a_verdict_on_good_answers_breaks_the_link_that_it_is_about(cause: Cause, link: Link | None):
    runs = [run("onvif", facts={"clock_offset_seconds": 74}), run("rtsp"), run("snapshot")]
    assert broken(*runs, causes=(cause,)) is link


@pytest.mark.parametrize(
    ("states", "link"),
    [
        ({"gateway": BROKEN}, Link.GATEWAY),
        ({"gateway": OK, "parent": BROKEN}, Link.PARENT),
        ({"gateway": OK, "parent": OK, "host": BROKEN}, Link.HOST),
        ({"parent": OK, "host": OK}, Link.PORT),
        ({"host": NOT_ASKED}, Link.HOST),
    ],
)
def test_where_nothing_answers_it_is_what_was_asked_on_the_spot(states: dict[str, LinkState], link: Link):
    silent = failed(FailureKind.TIMEOUT, Stage.CONNECT, way(1, **states))
    found = chain([run("onvif", 0, silent), run("rtsp", -30)], ())
    first = first_broken(found)
    assert first is not None
    assert first.link is link
    if link is not Link.PORT:
        behind = found[list(Link).index(link) + 1 :]
        assert {seen.state for seen in behind} == {NOT_ASKED}, "what was known of it is of the time before"


def test_what_was_asked_when_it_began_is_forgotten_once_the_device_answers_again():
    silent = failed(FailureKind.TIMEOUT, Stage.CONNECT, way(1, host=BROKEN))
    assert broken(run("onvif", 600, silent), run("rtsp", 500, silent)) is Link.HOST
    assert broken(run("onvif", 600), run("rtsp", 590, silent)) is Link.PORT


def test_a_port_that_is_silent_while_another_answers_is_the_broken_link():
    assert broken(run("onvif", 0, SILENT), run("rtsp", 10)) is Link.PORT


def test_a_parent_that_is_down_is_the_broken_link_and_the_crew_is_sent_there():
    first = first_broken(chain([run("onvif", 0, SILENT)], (), blamed="sw-1"))
    assert first is not None
    assert first.link is Link.PARENT
    assert "sw-1" in texts("en").link_next(first)
    assert "sw-1" in texts("zh").link_next(first)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_picture_that_came_wants_what_its_cause_wants_and_no_other_thing(language: str):
    words = texts(language)
    for cause in (Cause.OSD_CLOCK, Cause.NO_SIGNAL, Cause.MOVED):
        first = first_broken(chain([run("snapshot", 0)], {cause}))
        assert first is not None
        assert words.link_next(first) == words.next(cause)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("link", Link)
def test_each_broken_link_says_what_to_do(language: str, link: Link):
    assert texts(language).link_next(LinkSeen(link, BROKEN))
