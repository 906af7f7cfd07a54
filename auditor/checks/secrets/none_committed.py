"""No working credential is in the tracked files.

Passing title: No password, key or token is in the repository
Failing title: Working credentials stand in the repository, readable by everybody who has a copy
Grading: Fail on one value that looks like it opens something: a vendor's key, a private key, a token with rights, a password for a server on the internet. Partial
    when there are only passwords for the developer's own machine or a private network, values that are public by design in a tracked settings file, a settings
    file with values that should not be tracked, or a credential in a file git does not track yet. Samples in tests and documents are noted only.
Done when: the values are revoked and replaced where they were issued, the files hold references or placeholders, and a scanner runs before each commit.
What it cannot see: whether a value still works, secrets in binary files and pictures, and values that look like ordinary words under ordinary names.
"""

from __future__ import annotations

import re

from auditor.checks.credential_words import UNSURE_KINDS, first_places, name_of, same_as, size_of, values_of
from auditor.checks.registry import check
from auditor.model.artifacts import EnvironmentFile
from auditor.model.evidence import Secret, Secrets
from auditor.model.needs import ENVIRONMENT_FILES, SECRETS, SNAPSHOT
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement
from auditor.secret_names import kind_of_name
from auditor.words import listed, plural

_DOCUMENTS = {Role.DOC, Role.EXAMPLE, Role.TEST}
_PLACES = 4
"""Further places of a value that are named."""
_HARMLESS_NAME = re.compile(r"test|example|sample|template|default|dist$|schema", re.IGNORECASE)


@check("secrets.none-committed", needs=(SECRETS, SNAPSHOT, ENVIRONMENT_FILES), roles=tuple(Role))
def none_committed(secrets: Secrets, snapshot: Snapshot, environment: tuple[EnvironmentFile, ...]) -> Judgement:
    """Judge every credential-like value by what it is and where it stands."""
    roles = {file.path: file.role for file in snapshot.files}
    untracked = {file.path for file in snapshot.files if not file.tracked}
    working = sorted(
        (secret for secret in secrets.found if secret.certainty == "working"), key=lambda s: (s.path in untracked, s.path, s.line)
    )
    tracked = [secret for secret in working if secret.path not in untracked]
    first = first_places(working)
    findings = [_working(secret, same_as(secret, first), untracked=secret.path in untracked) for secret in working]
    local = [secret for secret in secrets.found if secret.certainty == "local" and roles.get(secret.path) not in _DOCUMENTS]
    first |= {number: place for number, place in first_places(local).items() if number not in first}
    findings += _locals(local, first)
    public = _public_in_settings(secrets, environment)
    findings += [_public(secret) for secret in public]
    settings = [] if working else _filled_settings(environment, {secret.path for secret in (*local, *public)})
    findings += settings
    floor = 1.0 if tracked else 0.5 if working else 0.3 if findings else 0.0
    return Assessed(
        bad=0,
        total=0,
        summary=_summary(tracked, len(working) - len(tracked), len(local) + len(public) + len(settings), len(roles)),
        floor=floor,
        findings=tuple(findings),
        signals=_signals(secrets, len(roles)),
        confidence=Confidence.HIGH if not tracked or any(secret.kind not in UNSURE_KINDS for secret in tracked) else Confidence.MEDIUM,
    )


def _working(secret: Secret, same: str, *, untracked: bool) -> Finding:
    confidence = Confidence.MEDIUM if secret.kind in UNSURE_KINDS else Confidence.HIGH
    if untracked:
        message = (
            f"{name_of(secret)}{size_of(secret)} stands in a file that git neither tracks nor ignores: the next `git add` publishes it."
        )
    else:
        message = f"{name_of(secret)}{size_of(secret)} is committed: whoever gets a copy of the repository can use it until it is revoked ({secret.reason})."
    return Finding(secret.kind, secret.path, message + same, secret.line, secret.line, confidence, "secrets", 798)


def _locals(local: list[Secret], first: dict[int, Secret]) -> list[Finding]:
    """One finding for each value: in however many places it stands, it is one to replace."""
    places: dict[int, list[Secret]] = {}
    for number, secret in enumerate(local):
        places.setdefault(secret.root or -number - 1, []).append(secret)
    return [_local(found[0], same_as(found[0], first) + _further(found[1:])) for found in places.values()]


def _further(others: list[Secret]) -> str:
    named = listed([f"`{other.path}`, line {other.line}" for other in others], _PLACES)
    return f" The same value stands in {named}." if others else ""


def _local(secret: Secret, same: str) -> Finding:
    message = f"A fixed value{size_of(secret)} is committed that opens something inside one machine or private network only ({secret.reason}); it must not become the one in production."
    return Finding("local-password", secret.path, message + same, secret.line, secret.line, Confidence.MEDIUM, "secrets", 798)


def _public(secret: Secret) -> Finding:
    message = f"A settings file with a value that is public by design{size_of(secret)} is tracked ({secret.reason}): the next value put beside it is published too."
    return Finding("tracked-settings", secret.path, message, secret.line, secret.line, Confidence.HIGH, "secrets", 540)


def _public_in_settings(secrets: Secrets, environment: tuple[EnvironmentFile, ...]) -> list[Secret]:
    real = {
        file.path
        for file in environment
        if file.tracked and not file.example and not _HARMLESS_NAME.search(file.path.rsplit("/", maxsplit=1)[-1])
    }
    return [secret for secret in secrets.found if secret.certainty == "publishable" and secret.path in real]


def _filled_settings(environment: tuple[EnvironmentFile, ...], known: set[str]) -> list[Finding]:
    """Tracked dotenv files that hold something under a secret's name, though nothing that was recognised as one."""
    found = []
    for file in environment:
        if file.example or not file.tracked or file.path in known or _HARMLESS_NAME.search(file.path.rsplit("/", maxsplit=1)[-1]):
            continue
        lines = [line for name, shape, line in file.entries if shape == "literal" and kind_of_name(name, settings=True)]
        if lines:
            message = f"The settings file is tracked and has {plural(len(lines), 'value')} under a secret's name: it is made to be filled in, and what is filled in is published."
            found.append(Finding("tracked-settings", file.path, message, lines[0], lines[0], Confidence.MEDIUM, "secrets", 540))
    return found


def _summary(tracked: list[Secret], untracked: int, lesser: int, files: int) -> str:
    if tracked:
        values = values_of(tracked)
        places = f", in {plural(len(tracked), 'place')}" if values < len(tracked) else ""
        return f"{plural(values, 'value')} in the tracked files look{'s' if values == 1 else ''} like a working credential{places}."
    if untracked:
        return f"{plural(untracked, 'credential')} in files that git does not track yet."
    if lesser:
        return f"Nothing that works from outside, but {plural(lesser, 'place')} with a fixed local password or a tracked settings file."
    return f"No credential found in {plural(files, 'file')}."


def _signals(secrets: Secrets, files: int) -> tuple[str, ...]:
    counts = {certainty: sum(secret.certainty == certainty for secret in secrets.found) for certainty in ("publishable", "test", "local")}
    words = {"publishable": "public by design", "test": "in tests, samples and documents", "local": "for the own machine or network"}
    return (f"{plural(files, 'file')} searched", *(f"{plural(count, 'value')} {words[key]}" for key, count in counts.items() if count))
