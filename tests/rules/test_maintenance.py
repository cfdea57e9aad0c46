"""When planned work mutes, whom, and what it leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.incident import Party, Step
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.register import Register
from camera_registry.rules.maintenance import Turn, flaw, plan, reached, turn
from tests.rules.incidents.city import City, at, camera

FIXED = Window(1, WindowKind.FIXED, Cover(devices=("cam-001",)), at(0), at(600), "lens cleaning", "li", at(-100))
HOUR = timedelta(hours=1)


def test_a_fixed_window_is_in_force_from_its_beginning_until_its_end() -> None:
    assert turn(FIXED, at(-1)) is None
    assert turn(FIXED, at(0)) == Turn(at(0), at(600))
    assert turn(FIXED, at(600)) is None


def test_a_cancelled_window_is_over_at_that_moment() -> None:
    cancelled = replace(FIXED, cancelled_at=at(100))
    assert turn(cancelled, at(99)) == Turn(at(0), at(100))
    assert turn(cancelled, at(100)) is None


def test_a_recurring_window_follows_its_schedule_in_its_time_zone() -> None:
    nightly = replace(
        FIXED, kind=WindowKind.RECURRING, ends=None, schedule="0 2 * * 0", zone="Asia/Shanghai", lasts=2 * HOUR
    )
    sunday = datetime(2026, 10, 3, 18, tzinfo=UTC)  # 02:00 on Sunday in Shanghai
    nightly = replace(nightly, begins=sunday - 30 * HOUR)
    assert turn(nightly, sunday - timedelta(seconds=1)) is None
    assert turn(nightly, sunday) == Turn(sunday, sunday + 2 * HOUR)
    assert turn(nightly, sunday + 2 * HOUR) is None
    assert turn(nightly, sunday + 24 * HOUR) is None
    assert turn(nightly, sunday + 169 * HOUR) == Turn(sunday + 168 * HOUR, sunday + 170 * HOUR)


def test_a_recurring_window_keeps_its_hour_when_clocks_are_set() -> None:
    monday = replace(
        FIXED,
        kind=WindowKind.RECURRING,
        begins=datetime(2026, 1, 1, tzinfo=UTC),
        ends=None,
        schedule="30 3 * * 1",
        zone="Europe/Berlin",
        lasts=HOUR,
    )
    winter, summer = datetime(2026, 3, 23, 2, 30, tzinfo=UTC), datetime(2026, 3, 30, 1, 30, tzinfo=UTC)
    assert turn(monday, winter) == Turn(winter, winter + HOUR)
    assert turn(monday, summer) == Turn(summer, summer + HOUR)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"lasts": 30 * HOUR},  # the next turn begins before it is over
        {"lasts": 30 * HOUR, "cancelled_at": at(80 * 3600 + 60)},
        {"kind": WindowKind.FIXED, "ends": at(70 * 3600)},
        {"kind": WindowKind.FLEXIBLE, "began": at(30 * 3600), "lasts": 90 * HOUR},
    ],
)
def test_a_window_mutes_at_exactly_the_time_that_is_kept_out_of_rates(change: dict[str, object]) -> None:
    recurring = replace(FIXED, kind=WindowKind.RECURRING, ends=at(60 * 3600), schedule="30 4 * * *", lasts=2 * HOUR)
    window = replace(recurring, **change)  # type: ignore[arg-type]
    begins, ends = at(10 * 3600), at(140 * 3600)
    kept_out = list(reached([window], Register(), (), begins, ends))
    for now in (begins + timedelta(minutes=10) * step for step in range(130 * 6)):
        covering = [one for one in kept_out if one.begins <= now < one.ends]
        assert len(covering) == (turn(window, now) is not None), now


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"cover": Cover()}, "covers_nothing"),
        ({"ends": None}, "no_end"),
        ({"ends": at(-5)}, "ends_before"),
        ({"kind": WindowKind.FLEXIBLE}, "no_length"),
        ({"kind": WindowKind.RECURRING, "lasts": HOUR, "schedule": "61 2 * * *"}, "schedule"),
        ({"kind": WindowKind.RECURRING, "lasts": HOUR, "schedule": "0 2 31 2 *"}, "schedule"),
        ({"kind": WindowKind.RECURRING, "lasts": HOUR, "schedule": "0 2 * * *", "zone": "Mars/Base"}, "zone"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"zone": "America"}, "zone"),
        ({}, ""),
    ],
)
def test_a_window_that_means_nothing_is_refused(change: dict[str, object], key: str) -> None:
    assert flaw(replace(FIXED, **change)) == key  # type: ignore[arg-type]


def test_a_window_covers_devices_tags_areas_with_all_beneath_and_parents_with_all_behind() -> None:
    areas = {"city": "", "east": "city", "grid-1": "east"}
    devices = {
        one.id: one
        for one in (
            Device("sw-1", Kind.NETWORK),
            camera(1, parent="sw-1"),
            camera(2, backup_parent="cam-001"),
            camera(3, area="grid-1"),
            camera(4, tags=("bus",)),
            camera(5, area="city"),
        )
    }
    parents = {device.id: device.parents for device in devices.values()}

    def covered(**named: tuple[str, ...]) -> set[str]:
        (planned,) = plan([replace(FIXED, cover=Cover(**named))], devices, areas, parents)
        return set(planned.covered)

    assert covered(devices=("cam-004",)) == {"cam-004"}
    assert covered(tags=("bus", "tram")) == {"cam-004"}
    assert covered(areas=("east",)) == {"cam-003"}
    assert covered(parents=("sw-1",)) == {"sw-1", "cam-001", "cam-002"}
    assert covered(devices=("cam-005",), areas=("grid-1",)) == {"cam-003", "cam-005"}


def test_nobody_is_told_of_what_is_lost_and_back_within_a_window() -> None:
    city = City([camera(1)])
    city.windows = [FIXED]
    city.lose("cam-001", 100)
    city.back("cam-001", 500)
    assert city.until(900) == []


def test_what_outlasts_a_window_is_told_after_it_and_charged_from_its_end() -> None:
    city = City([camera(1)])
    city.windows = [FIXED]
    city.lose("cam-001", 100)
    assert city.until(655) == []
    (opened,) = city.until(700)
    assert (opened.step, opened.incident.started) == (Step.OPENED, at(100))
    assert opened.incident.charged(at(700)) == {
        Party.MAINTENANCE: timedelta(seconds=500),
        Party.DEVICE: timedelta(seconds=100),
    }


def test_a_window_mutes_an_open_incident_and_never_its_end() -> None:
    city = City([camera(1)])
    city.windows = [replace(FIXED, begins=at(300))]
    city.lose("cam-001", 0)
    city.until(400)
    (incident,) = city.open
    assert incident.muted
    assert city.told[-1].step is Step.MUTED
    city.back("cam-001", 500)
    (resolved,) = city.until(550)
    assert resolved.step is Step.RESOLVED
    assert resolved.incident.charged(at(550)) == {
        Party.DEVICE: timedelta(seconds=300),
        Party.MAINTENANCE: timedelta(seconds=200),
    }


def test_an_incident_is_told_again_when_its_window_ends_or_is_cancelled() -> None:
    city = City([camera(1)])
    city.lose("cam-001", -100)
    city.windows = [replace(FIXED, begins=at(50))]
    city.until(200)
    city.windows = [replace(FIXED, begins=at(50), cancelled_at=at(200))]
    (unmuted,) = city.until(210)
    assert (unmuted.step, unmuted.other) == (Step.UNMUTED, 1)


def test_a_flexible_window_begins_with_the_first_loss_and_lasts_its_time() -> None:
    city = City([camera(1), camera(2)])
    city.windows = [
        replace(
            FIXED,
            kind=WindowKind.FLEXIBLE,
            cover=Cover(devices=("cam-001", "cam-002")),
            ends=at(7200),
            lasts=timedelta(seconds=300),
        )
    ]
    city.lose("cam-001", 1000)
    city.until(1030)
    assert city.windows[0].began == at(1000)
    city.lose("cam-002", 1200)
    assert city.until(1355) == []
    city.until(1400)
    assert sorted(city.steps(Step.OPENED)) == ["cam-001", "cam-002"]


def test_a_switch_in_maintenance_takes_its_cameras_along_in_silence() -> None:
    city = City([Device("sw-1", Kind.NETWORK, host="10.250.0.1"), *(camera(n, parent="sw-1") for n in range(20))])
    city.windows = [replace(FIXED, cover=Cover(parents=("sw-1",)))]
    for device in city.devices:
        city.lose(device, 100)
    for device in city.devices:
        city.back(device, 550)
    assert city.until(1000) == []
