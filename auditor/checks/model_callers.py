"""Who reaches the language models somebody pays for: the calls behind an endpoint, what counts or limits them, and who may ask. Shared by every check that asks."""

from __future__ import annotations

import re

from auditor.checks.authorization import Guards
from auditor.checks.guard import Strength
from auditor.checks.handler_classes import names_before
from auditor.checks.limiters import LIMITER
from auditor.checks.model_calls import ModelCall
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Syntax

_SIGNED = re.compile(r"constructEvent|construct_event|hmac|timingSafeEqual|compare_digest|verify_?\w*signature|svix", re.IGNORECASE)
_GATE = re.compile(r"authenticat|(?:^|\.)login|check_password|require_\w*(?:user|login|auth)|experimental_user", re.IGNORECASE)
_ADMINISTRATOR = re.compile(r"admin|staff|superuser", re.IGNORECASE)
_COUNTS = re.compile(
    r"quota|credits?(?:$|[A-Z_.])|usage|allowance|budget|entitle|(?:daily|message|request|monthly)_?(?:limit|count)|max_?messages",
    re.IGNORECASE,
)
_ABOUT_ERRORS = re.compile(r"(?:^|\.)_?(?:is|was|handle|parse|format)_?\w*(?:error|exception)\w*$", re.IGNORECASE)
"""What asks whether the vendor's own quota is used up counts nothing."""


class ModelCallers:
    """Follows endpoints to the calls of models that cost money; those on the owner's own machine are left out."""

    def __init__(self, calls: tuple[ModelCall, ...], syntax: Syntax, guards: Guards) -> None:
        self.paid = {(call.path, call.line): call for call in calls if not call.local}
        self._syntax = syntax
        self._guards = guards

    def reached(self, route: Route) -> list[ModelCall]:
        """The paid calls behind an endpoint."""
        if route.handler_scope < 0 and route.kind is not RouteKind.PAGE:
            return []
        calls = self._guards.reach.calls(route.place.path, route.handler_scope, 4, classes=True, used=True)
        return [self.paid[path, call.line] for path, call in calls if (path, call.line) in self.paid]

    def limited(self, route: Route) -> bool:
        """Whether something before or inside an endpoint limits or counts what it is asked."""
        return any(LIMITER.search(name) for name in route.through) or any(
            (LIMITER.search(name) or _COUNTS.search(name)) and not _ABOUT_ERRORS.search(name) for name in self._inner(route)
        )

    def administrators_only(self, route: Route) -> bool:
        """Whether only the owner's own people get to an endpoint."""
        return any(_ADMINISTRATOR.search(name) for name in names_before(route, self._syntax))

    def guard(self, route: Route) -> Strength:
        """How an endpoint is guarded; a signature that is checked is a guard, and so is the login of a page."""
        inner = self._inner(route)
        if any(_SIGNED.search(name) for name in inner):
            return Strength.SEEN
        if route.kind is RouteKind.PAGE:
            return Strength.NAMED if any(_GATE.search(name) for name in inner) else Strength.NONE
        return self._guards.of(route).strength

    def _inner(self, route: Route) -> list[str]:
        return [call.callee for _, call in self._guards.reach.calls(route.place.path, route.handler_scope, 3, classes=True, used=True)]
