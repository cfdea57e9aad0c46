"""This file decides who may do what: one table, role by action, and one function that everything asks.

Roles follow domain.md: an auditor reads all and changes nothing, a crew sees its own orders only, and pictures, which
may show people, are for those who need them to judge a fault.
"""

from __future__ import annotations

from enum import StrEnum

from camera_registry.model.people import Role, User


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
    WORK = "work"
    """Do something about work orders; what exactly, ``rules.dispatch.deeds`` says."""
    NOTIFY = "notify"
    """Try channels of notices, and have what failed sent again."""
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


_READ = frozenset({Action.SEE, Action.SEE_ORDERS, Action.OWN})
_WORK = frozenset(
    {
        Action.SEE_PICTURES,
        Action.SEE_CHANGES,
        Action.SCRAPE,
        Action.PROBE,
        Action.DISCOVER,
        Action.EDIT,
        Action.HANDLE,
        Action.WORK,
        Action.NOTIFY,
        Action.PLAN,
    }
)
_AUDIT = frozenset({Action.SEE_PICTURES, Action.SEE_CHANGES, Action.SEE_ACCESS, Action.SEE_AUDIT, Action.SCRAPE})

PERMITTED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _READ | {Action.SCRAPE},
    Role.OPERATOR: _READ | _WORK,
    Role.CREW: frozenset({Action.SEE_ORDERS, Action.WORK, Action.OWN}),
    Role.AUDITOR: _READ | _AUDIT,
    Role.ADMIN: frozenset(Action),
}


class Denied(Exception):
    """This user may not do this."""

    def __init__(self, action: Action, role: Role) -> None:
        super().__init__(f"the role {role.value} does not include {action.value}")
        self.action = action
        self.role = role


def authorize(user: User, action: Action, target: object = None) -> None:
    """Pass when ``user`` may do ``action`` to ``target``; raise Denied otherwise.

    ``target`` is an item of the register, the name of a user, or None where an action is not about one thing. An
    action on one's own account is denied for the account of somebody else, whatever the role.
    """
    permitted = user.active and action in PERMITTED[user.role]
    if action is Action.OWN and target not in (None, user.name):
        permitted = False
    if not permitted:
        raise Denied(action, user.role)


def may(user: User, action: Action, target: object = None) -> bool:
    """Whether ``authorize`` would pass: for showing or hiding a button, never in place of it."""
    try:
        authorize(user, action, target)
    except Denied:
        return False
    return True
