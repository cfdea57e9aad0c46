"""Whether a site was covered as much as is required of it: cases by hand."""

from datetime import timedelta

import pytest

from camera_registry.rules.coverage.demand import Demand, Kept, demand
from camera_registry.rules.coverage.period import Totals

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("totals", "share", "found"),
    [
        (Totals(98 * HOUR, 2 * HOUR), 0.98, Demand(Kept.MET, 0.98)),
        (Totals(90 * HOUR, 10 * HOUR), 0.9, Demand(Kept.MET, 0.9)),
        (Totals(95 * HOUR, 5 * HOUR), 0.98, Demand(Kept.MISSED, 0.98, 3 * HOUR)),
        (Totals(98 * HOUR, 2 * HOUR, planned=50 * HOUR, unknown=50 * HOUR), 0.98, Demand(Kept.MET, 0.98)),
        (Totals(unknown=5 * HOUR), 0.98, Demand(Kept.UNKNOWN, 0.98)),
        (Totals(uncovered=5 * HOUR), None, Demand(Kept.NOT_REQUIRED, None)),
    ],
)
def test_a_site_is_held_against_what_is_required_of_it(totals: Totals, share: float | None, found: Demand) -> None:
    assert demand(totals, share) == found
