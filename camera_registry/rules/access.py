"""This file decides who may do what: one table, role by action, and one function that everything asks.

Roles follow domain.md: an auditor reads all and changes nothing (figures that are frozen stay as they are), a crew sees
its own orders only, and pictures, which may show people, are for those who need them to judge a fault.
"""

from __future__ import annotations

from enum import StrEnum

from camera_registry.model.people import Role, User
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.dispatch.deeds import Actor


class Action(StrEnum):
    """Everything that can be asked for: a closed list. Each route of the console names one."""

    SEE = "see"
    """Look at devices, their health and history, and the register."""
    SEE_PICTURES = "see_pictures"
    """Look at a snapshot; each look is audited."""
    SEE_CHANGES = "see_changes"
    """Look at who changed what in the register."""
    SEE_ACCESS = "see_access"
    """Look at users, tokens and the names of credentials, never at secrets."""
    SEE_AUDIT = "see_audit"
    """Look at the audit trail."""
    SCRAPE = "scrape"
    """Read metrics and service discovery."""
    ACCEPT = "accept"
    """Say which pictures show how a view is meant to look."""
    PROBE = "probe"
    """Have a device probed now."""
    DISCOVER = "discover"
    """Search the device networks, and decide on what that proposes."""
    EDIT = "edit"
    """Change the register."""
    HANDLE = "handle"
    """Acknowledge and assign incidents, and write notes about them."""
    SEE_ORDERS = "see_orders"
    """Look at work orders; a crew at its own."""
    SEE_PHOTOGRAPHS = "see_photographs"
    """Look at the pictures of a work order; each look is audited."""
    CALL_BACK = "call_back"
    """Report the status of work orders from another system."""
    OPEN_ORDERS = "open_orders"
    """Send a crew for what no incident has sent one for."""
    WORK = "work"
    """Do something about work orders; what exactly, ``rules.dispatch.deeds`` says."""
    NOTIFY = "notify"
    """Try channels of notices, and have what failed sent again."""
    REPORT = "report"
    """Have reports made, and look at them."""
    FREEZE = "freeze"
    """Keep the figures of a report for good."""
    PLAN = "plan"
    """Plan maintenance, and call it off."""
    CREDENTIALS = "credentials"
    """Set and remove credentials of devices."""
    ADMINISTER = "administer"
    """Change users and tokens."""
    RELOAD = "reload"
    """Have settings and register read again."""
    OWN = "own"
    """Look at one's own account, change one's own password and language, sign out."""


_READ = frozenset({Action.SEE, Action.SEE_ORDERS, Action.REPORT, Action.OWN})
_WORK = frozenset(
    {
        Action.SEE_PICTURES,
        Action.SEE_CHANGES,
        Action.SCRAPE,
        Action.ACCEPT,
        Action.PROBE,
        Action.DISCOVER,
        Action.EDIT,
        Action.HANDLE,
        Action.SEE_PHOTOGRAPHS,
        Action.OPEN_ORDERS,
        Action.WORK,
        Action.CALL_BACK,
        Action.NOTIFY,
        Action.PLAN,
    }
)
_AUDIT = frozenset(
    {
        Action.SEE_PICTURES,
        Action.SEE_PHOTOGRAPHS,
        Action.SEE_CHANGES,
        Action.SEE_ACCESS,
        Action.SEE_AUDIT,
        Action.SCRAPE,
        Action.FREEZE,
    }
)

PERMITTED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _READ | {Action.SCRAPE},
    Role.OPERATOR: _READ | _WORK,
    Role.CREW: frozenset({Action.SEE_ORDERS, Action.SEE_PHOTOGRAPHS, Action.WORK, Action.OWN}),
    Role.AUDITOR: _READ | _AUDIT,
    Role.ADMIN: frozenset(Action),
}


class Denied(Exception):
    """This user may not do this; ``foreign``: not to somebody else's, that is."""

    def __init__(self, action: Action, role: Role, *, foreign: bool = False) -> None:
        what = f"{action.value} of what is somebody else's" if foreign else action.value
        super().__init__(f"the role {role.value} does not include {what}")
        self.action = action
        self.role = role
        self.foreign = foreign


def authorize(user: User, action: Action, target: object = None) -> None:
    """Pass when ``user`` may do ``action`` to ``target``; raise Denied otherwise.

    ``target`` is an item of the register, the name of a user, a work order, or None where an action is not about one
    thing. An action on one's own account is denied for the account of somebody else, whatever the role; one on a work
    order is denied to a crew whose order it is not.
    """
    permitted = user.active and action in PERMITTED[user.role]
    if action is Action.OWN and target not in (None, user.name):
        permitted = False
    if not permitted:
        raise Denied(action, user.role)
    crew = user.role is Role.CREW and Actor(user.name, user.role, user.crew, user.contractor)
    if crew and isinstance(target, WorkOrder) and not crew.owns(target):
        raise Denied(action, user.role, foreign=True)


def may(user: User, action: Action, target: object = None) -> bool:
    """Whether ``authorize`` would pass: for showing or hiding a button, never in place of it."""
    try:
        authorize(user, action, target)
    except Denied:
        return False
    return True
