"""A city whose incidents are followed by work orders, and crews that a test moves by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from camera_registry.model.device import Device
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import Flip
from camera_registry.model.incident import Party, Severity
from camera_registry.model.notice import Audience, Notice
from camera_registry.model.people import Contractor, Crew, Role
from camera_registry.model.place import Area
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, OrderStep, WorkOrder
from camera_registry.rules import notices, order_notices
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.dispatch.book import OrderBook, Scene
from camera_registry.rules.dispatch.deeds import Actor
from camera_registry.rules.dispatch.fold import dispatch
from camera_registry.rules.dispatch.opening import Wish, by_hand
from tests.rules.incidents.city import City, at

DUTY = Actor("duty", Role.OPERATOR)
CREW = Actor("zhang", Role.CREW, "crew-east", "weibao")

AREAS: Mapping[str, Area] = {
    "city": Area("city", contact="市局值班 duty@example.org"),
    "east": Area("east", parent="city", contact="东区 王 east@example.org"),
    "east-1": Area("east-1", parent="east"),
    "west": Area("west", parent="city"),
}
CREWS = (
    Crew("crew-east", "东区抢修组", "weibao", "east"),
    Crew("crew-city", "市级抢修组", "weibao", "city"),
    Crew("crew-own", "自有班组", "", "west"),
)


class Town(City):
    """A city with crews. Each fold checks what must hold of orders and of what incidents are charged."""

    def __init__(self, devices: Iterable[Device], policy: DispatchPolicy | None = None) -> None:
        super().__init__(devices, {area.id: area.parent for area in AREAS.values()})
        self.policy = policy or DispatchPolicy()
        self.orders = OrderBook()
        self.ordered: list[OrderChange] = []

    @property
    def scene(self) -> Scene:
        contractors = {"weibao": Contractor("weibao", "蓉安维保")}
        crews = {crew.id: crew for crew in CREWS}
        register = Register(AREAS, devices=self.devices, contractors=contractors, crews=crews)
        return Scene(register, self.policy, self.book.incidents, self.states.get)

    def fold(self, flips: Sequence[Flip] = ()) -> None:
        super().fold(flips)
        folded = self.folded
        self.orders, done = dispatch(self.orders, folded.incidents, folded.changes, self.scene, at(self.now))
        self.ordered += done.changes
        self._follow()

    def do(self, id: int, deed: Callable[..., OrderChange], *given: object, actor: Actor = DUTY) -> WorkOrder:
        """Somebody does something now. Raises Refusal."""
        more = (self.policy,) if deed in (deeds.assign, deeds.resume, deeds.cancel, deeds.reopen) else ()
        step = deed(self.orders.orders[id], *given, actor, at(self.now), *more)
        self.ordered.append(step)
        self.orders = OrderBook({**self.orders.orders, id: step.order}, self.orders.last_id, at(self.now))
        self._follow()
        return step.order

    def ask(self, wish: Wish, actor: Actor = DUTY) -> WorkOrder:
        """Somebody wants a crew sent. Raises Refusal."""
        states = [state for subject, state in self.states.items() if subject.device == wish.device]
        step = by_hand(self.orders, self.scene, wish, states, Severity.P3, actor, at(self.now))
        self.ordered.append(step)
        self.orders = OrderBook({**self.orders.orders, step.order.id: step.order}, step.order.id, at(self.now))
        self._follow()
        return step.order

    def _follow(self) -> None:
        orders = self.orders.orders.values()
        self.holds = {order.incident: order.holds for order in orders if order.holds}
        about = [order.incident for order in orders if not order.by_hand]
        assert len(about) == len(set(about)), "one order for one incident"

    def notices(self, audience: Audience) -> list[Notice]:
        """What a channel is owed by now."""
        orders, register = {order.incident: order for order in self.orders.orders.values()}, self.scene.register
        told = notices.owed(self.told, [audience], register, orders)
        return told + order_notices.owed(self.ordered, [audience], register)

    def order(self, id: int = 1) -> WorkOrder:
        return self.orders.orders[id]

    def took(self, id: int = 1) -> list[OrderStep]:
        """The time line of an order."""
        return [change.step for change in self.ordered if change.order.id == id]

    def charged(self, incident: int = 1) -> dict[Party, float]:
        """Seconds by party, of an open incident."""
        found = self.book.incidents[incident].charged(at(self.now))
        return {party: length / timedelta(seconds=1) for party, length in found.items() if length}
