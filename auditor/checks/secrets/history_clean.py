"""No working credential is in the repository's history.

Passing title: No password, key or token is left in earlier versions
Failing title: Credentials that were deleted can still be read in the history
Grading: Fail on one value in an earlier version that has the form of a working credential (a vendor's key, a private key, a password in the address of a server,
    a random value in a settings file for the environment), and on one that is committed in the tree today: deleting it there leaves it in the history. Partial when there
    are only values whose name says that they are secret: keys that sign, random passwords in code, passwords in settings. Samples in tests, documents and
    templates, placeholders and keys that are public by design count as they do in the tree.
Done when: each value is revoked and replaced where it was issued; after that the history may be rewritten, though copies made before keep it.
What it cannot see: whether a value has been revoked, branches and tags that the checked-out commit does not contain, binary files, libraries and generated files
    (built bundles too), and values that look like ordinary words.
"""

from __future__ import annotations

import datetime as dt

from auditor.checks.credential_words import UNSURE_KINDS, first_places, name_of, size_of
from auditor.checks.registry import check
from auditor.model.evidence import PastSecret, Secret, SecretHistory, Secrets
from auditor.model.needs import SECRET_HISTORY, SECRETS, SNAPSHOT
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Undecided
from auditor.words import plural

_FLOOR_LIKELY = 0.5


@check("secrets.history-clean", needs=(SECRET_HISTORY, SECRETS, SNAPSHOT), roles=tuple(Role))
def history_clean(history: SecretHistory, secrets: Secrets, snapshot: Snapshot) -> Judgement:
    """Judge the credentials of earlier versions by how sure it is that they open something."""
    if not history.total:
        return NotApplicable("There is no git history here: nothing that was deleted can be read from it.")
    working = [past for past in history.found if past.secret.certainty == "working"]
    likely = [past for past in history.found if past.secret.certainty == "likely"]
    tracked = {file.path for file in snapshot.files if file.tracked}
    found = [secret for secret in secrets.found if secret.certainty == "working" and secret.path in tracked]
    first = first_places(found)
    present = [secret for secret in found if first.get(secret.root, secret) is secret]
    read = f"{history.commits:,} of {plural(history.total, 'commit')} read"
    if not working and not likely and not present and history.gap:
        return Undecided(f"Nothing was found, but the history was not searched completely ({read}; {history.gap}). Audit a full clone.")
    possible = len(history.found) - len(working) - len(likely)
    signals = [read, *([history.gap] if history.gap else [])]
    if possible:
        signals.append(f"{plural(possible, 'value')} under a password's name that may be a sample")
    sure = any(secret.kind not in UNSURE_KINDS for secret in (*(past.secret for past in working), *present))
    return Assessed(
        bad=0,
        total=0,
        summary=_summary(len(working), len(likely), len(present), history.total),
        floor=1.0 if working or present else _FLOOR_LIKELY if likely else 0.0,
        findings=(*(_finding(past) for past in (*working, *likely)), *(_present(secret) for secret in present)),
        signals=tuple(signals),
        confidence=Confidence.HIGH if sure or not (history.found or present) else Confidence.MEDIUM,
    )


def _finding(past: PastSecret) -> Finding:
    secret = past.secret
    day = dt.datetime.fromtimestamp(min(max(past.time, 0), 4_102_444_800), tz=dt.UTC).date().isoformat()
    where = f"line {secret.line} of the file as commit {past.commit[:8]} ({day}) has it"
    confidence = Confidence.MEDIUM if secret.kind in UNSURE_KINDS else Confidence.HIGH
    message = (
        f"{name_of(secret)}{size_of(secret)} was deleted and stays readable in {where}, for everybody with a copy of the repository"
        f" ({secret.reason}): it must be revoked even though it is gone."
    )
    return Finding(secret.kind, secret.path, message, confidence=confidence, detector="history", cwe=540)


def _present(secret: Secret) -> Finding:
    message = f"{name_of(secret)}{size_of(secret)} is committed: taking it out of the file leaves it in the history, so it must be revoked as well."
    confidence = Confidence.MEDIUM if secret.kind in UNSURE_KINDS else Confidence.HIGH
    return Finding(secret.kind, secret.path, message, secret.line, secret.line, confidence, "secrets", 540)


def _summary(working: int, likely: int, present: int, commits: int) -> str:
    if working:
        return f"{plural(working, 'deleted value')} in the history look{'s' if working == 1 else ''} like a working credential."
    if present:
        return f"{plural(present, 'value')} that look{'s' if present == 1 else ''} like a working credential {'is' if present == 1 else 'are'} in the tree, and so in every copy of the history."
    if likely:
        return f"{plural(likely, 'deleted value')} in the history {'stands' if likely == 1 else 'stand'} under a secret's name."
    return f"No deleted credential found in {plural(commits, 'commit')}."
