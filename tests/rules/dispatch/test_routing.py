"""The first rule that fits says who is sent; what it leaves open, the register and the severity say."""

from __future__ import annotations

from camera_registry.model.device import Device, Kind
from camera_registry.model.dispatch import MASS_DEADLINES, DispatchPolicy, DispatchRule
from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope, Severity
from camera_registry.model.people import Contractor
from camera_registry.model.place import Site, SiteCategory
from camera_registry.model.register import Register
from camera_registry.rules.dispatch.routing import Route, contact, route
from tests.notices import incident
from tests.rules.dispatch.town import AREAS, CREWS

DEVICES = {
    "cam-1": Device("cam-1", Kind.CAMERA, area="east-1", site="school", contractor="weibao"),
    "cam-2": Device("cam-2", Kind.CAMERA, area="west", contractor="weibao"),
    "cam-3": Device("cam-3", Kind.CAMERA, area="west"),
}
REGISTER = Register(
    AREAS,
    {"school": Site("school", category=SiteCategory.SCHOOL, area="east-1")},
    devices=DEVICES,
    contractors={"weibao": Contractor("weibao")},
    crews={crew.id: crew for crew in CREWS},
)


def sent(about: str, *rules: DispatchRule, **values: object) -> Route | None:
    made = incident(about=about, **{"area": DEVICES[about].area if about in DEVICES else "west", **values})
    return route(made, DispatchPolicy(rules), REGISTER)


def test_without_rules_the_nearest_crew_of_the_contractor_goes_else_the_citys_own() -> None:
    found = [sent(about) for about in ("cam-1", "cam-2", "cam-3")]
    assert [one and (one.contractor, one.crew) for one in found] == [
        ("weibao", "crew-east"),
        ("weibao", "crew-city"),
        ("", "crew-own"),
    ]


def test_the_first_rule_that_fits_counts_and_leaves_open_what_it_does_not_say() -> None:
    school = DispatchRule(site_categories=frozenset({SiteCategory.SCHOOL}), severity=Severity.P1, arrive=1200.0)
    east = DispatchRule(areas=frozenset({"east"}), crew="crew-city")
    one = sent("cam-1", school, east)
    assert one is not None
    assert (one.severity, one.crew, one.deadlines.arrive, one.deadlines.repair) == (
        Severity.P1,
        "crew-east",
        1200,
        7200,
    )
    other = sent("cam-1", east, school)
    assert other is not None
    assert (other.severity, other.crew) == (Severity.P2, "crew-city")
    nobody = DispatchRule(causes=frozenset({Cause.TIMEOUT}), send=False)
    assert sent("cam-1", nobody, school) is None
    assert sent("cam-1", nobody, school, cause=Cause.BLACK) is not None
    assert sent("cam-2", DispatchRule(severities=frozenset({Severity.P3}), send=False)) is not None


def test_a_mass_failure_is_p1_of_its_own() -> None:
    many = sent("10.3.0.0/24", scope=Scope.PREFIX, affected=8)
    assert many is not None
    assert (many.severity, many.deadlines, many.crew) == (Severity.P1, MASS_DEADLINES, "crew-own")
    rule = DispatchRule(mass=True, contractor="weibao", repair=3600.0, severity=Severity.P3)
    ruled = sent("10.3.0.0/24", rule, scope=Scope.PREFIX, affected=8)
    assert ruled is not None
    assert (ruled.severity, ruled.crew, ruled.deadlines.repair) == (Severity.P1, "crew-city", 3600)
    assert sent("cam-1", rule) == sent("cam-1")


def test_the_contact_is_the_areas_own_or_of_the_first_above_that_has_one() -> None:
    assert contact("east-1", REGISTER)[0] == "east"
    assert contact("west", REGISTER)[0] == "city"
    assert contact("", REGISTER) == ("", "")
