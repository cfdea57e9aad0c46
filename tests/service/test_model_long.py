"""Whatever happens to a small fleet, states and incidents are what a small reference says."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.health import Aspect, Subject
from camera_registry.model.incident import Step
from camera_registry.model.observation import Failure, FailureKind, Stage
from tests.service.reference import Reference
from tests.service.watch import Watch, at, unit

FLEET = (
    unit(0),
    unit(200, parent="u-0000"),
    unit(400),
    unit(600, parent="u-0200"),
    unit(800, parent="u-0200", backup_parent="u-0400"),
    unit(1000, parent="u-0400"),
    unit(1200),
)
NAMES = [device.id for device in FLEET]
SAYS = ("ok", "timeout", "unreachable", "nothing")

turns = st.lists(
    st.tuples(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(SAYS)), max_size=4), st.integers(1, 30)),
    min_size=1,
    max_size=14,
)


@settings(max_examples=4000, deadline=None)
@given(turns)
def test_random_events_leave_the_states_and_incidents_of_the_reference(
    happens: list[tuple[list[tuple[str, str]], int]],
) -> None:
    watch = Watch(FLEET)
    reference = Reference({device.id: device.parents for device in FLEET})
    says = dict.fromkeys(NAMES, "ok")
    for changes, tens in happens:
        says.update(changes)
        for _ in range(tens):
            watch.now += 10
            now = int(watch.now)
            for name in NAMES:
                if says[name] != "nothing" and (now % 60 == 0 or watch.waits(name)):
                    cause = "" if says[name] == "ok" else says[name]
                    watch.hear(name, Failure(FailureKind(cause), Stage.CONNECT, "") if cause else None)
                    reference.hear(name, now, cause)
            watch.ledger.tick(at(now), 1)
            watch.fold()
            reference.pass_time(now)
            _agree(watch, reference)
    told = [(one.incident.about, one.incident.started, one.at) for one in watch.told if one.step is Step.OPENED]
    assert told == [(name, at(start), at(opened)) for name, start, opened in reference.opened]
    over = {(one.incident.about, one.incident.started, one.at) for one in watch.told if one.step is Step.RESOLVED}
    assert over == {(name, at(start), at(end)) for name, start, end in reference.ended}


def _agree(watch: Watch, reference: Reference) -> None:
    for name, one in reference.devices.items():
        state = watch.ledger.state(Subject(name, Aspect.REACH))
        assert state is not None
        assert state.settled == one.state, name
        if one.state in ("down", "flapping"):
            assert state.cause == one.cause, name
    incidents = watch.casebook.incidents.values()
    assert {one.about: one.started for one in incidents} == {name: at(start) for name, start in reference.open.items()}
    assert len({(one.about, one.cause) for one in incidents}) == len(incidents)
    for one in incidents:
        assert sum(one.charged(at(watch.now)).values(), timedelta()) == at(watch.now) - one.started
