"""Whoever may not do something to a work order is told why, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from camera_registry.console.ordering import told
from camera_registry.model.people import Role
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.deeds import Actor, Refusal
from camera_registry.texts import LANGUAGES, texts
from tests.notices import NOON, order

DUTY = Actor("duty", Role.OPERATOR)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("deed", "given", "says"),
    [
        (deeds.arrive, (DUTY,), {"en": "in state “Assigned”", "zh": "“已派单”"}),
        (deeds.fix, ("", Actor("li", Role.VIEWER)), {"en": "Your role may not", "zh": "您的角色"}),
        (deeds.accept, (Actor("li", Role.CREW, "crew-2"),), {"en": "Work order 1 is another", "zh": "工单 1 属于"}),
    ],
)
def test_a_refusal_says_what_is_in_the_way(
    deed: Any, given: tuple[Any, ...], says: dict[str, str], language: str
) -> None:
    with pytest.raises(Refusal) as refused:
        deed(order(), *given, NOON)
    assert says[language] in told(refused.value, texts(language))
