"""Accounts that a hosted provider keeps: calls that make people known there, and calls that remove them."""

from __future__ import annotations

import re

from auditor.model.syntax import FileFacts, ImportKind
from auditor.model.verdict import Place

_KEPT_THERE = re.compile(
    r"(?:^|\.)(?:createUserWithEmailAndPassword|signInWithEmailAndPassword|signInWithPopup|signInWithOAuth|signInWithOtp|signInWithPassword|signInWithIdToken)$"
    r"|\.auth(?:\(\))?\.(?:sign_?[uU]p|sign_in_with_\w+|signIn\w*|admin\.create_?[uU]ser|create_user)$"
)
_PROVIDERS = re.compile(
    r"^(?:@clerk/|@auth0/|auth0|@workos-inc/|@kinde-oss/|@stackframe/|@propelauth/|@descope/|supertokens|amazon-cognito-identity-js|@aws-sdk/client-cognito)"
)
_REMOVED_THERE = re.compile(
    r"\.auth(?:\(\))?\.admin\.delete_?[uU]ser$|(?:^|\.)users\.(?:deleteUser|delete)$|^deleteUser$|(?:^|\.)auth(?:\(\))?\.(?:delete_?[uU]ser|deleteUsers|delete_users)$|^(?:new )?AdminDeleteUserCommand$"
    r"|(?:^|\.)admin_delete_user$|(?:^|\.)currentUser\.delete$|^user\.delete$"
)


def hosted_accounts(files: tuple[FileFacts, ...]) -> tuple[Place, ...]:
    """Where people are made known to a hosted provider."""
    found = [Place(facts.path, call.line) for facts in files for call in facts.calls if _KEPT_THERE.search(call.callee)]
    for facts in files:
        found += [Place(facts.path, i.line) for i in facts.imports if i.kind is not ImportKind.TYPE_ONLY and _PROVIDERS.match(i.module)]
    return tuple(found)


def account_removals(files: tuple[FileFacts, ...]) -> tuple[Place, ...]:
    """Where an account is removed at its provider, failed sign-ups that are taken back left out."""
    found: list[Place] = []
    for facts in files:
        for call in facts.calls:
            undone = any(handler.line <= call.line <= handler.end_line for handler in facts.handlers)
            if not undone and _REMOVED_THERE.search(call.callee):
                found.append(Place(facts.path, call.line))
    return tuple(found)
