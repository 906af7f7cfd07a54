"""Runs every finder over one text, keeps the best match of each place, and weighs it by where it stands (product, test, template, document)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.languages.credentials.connections import connection_matches
from auditor.languages.credentials.formats import layout_matches
from auditor.languages.credentials.keys import key_matches
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.named import Style, named_matches
from auditor.languages.credentials.payloads import signature_matches, token_matches
from auditor.languages.credentials.vendors import vendor_matches
from auditor.languages.dotenv import is_dotenv, is_template
from auditor.model.evidence import Secret
from auditor.model.snapshot import UNREAD_LANGUAGES, Language, Role

PER_FILE = 200
"""Most credentials listed of one file."""

LOCKS = re.compile(r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|deno\.lock|poetry\.lock|uv\.lock|pdm\.lock|pipfile\.lock|cargo\.lock|composer\.lock|gemfile\.lock|go\.sum|flake\.lock|mix\.lock|pubspec\.lock)$", re.IGNORECASE)  # fmt: skip
_TRANSLATIONS = re.compile(
    r"(?:^|/)(?:locales?|i18n|l10n|lang|langs|languages|translations?|messages|intl|lproj)(?:/|$)|\.(?:po|pot|arb|xliff?|strings|resx)$|(?:^|/)(?:ar|bg|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|it|ja|ko|lt|lv|nl|pl|pt|ro|ru|sk|sl|sr|sv|th|tr|uk|vi|zh)(?:[-_][A-Za-z]{2,4})?\.(?:json|ya?ml)$",
    re.IGNORECASE,
)
_TEST_PLACE = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec|specs|e2e|fixtures?|__fixtures__|mocks?|__mocks__|testdata|test[-_]data|cypress|cassettes|__snapshots__|stories)(?:/|$)|(?:^|[/._-])(?:test|tests|spec|mock|fixture|stories|snap|samples?)(?:\.|[_-])|\.(?:test|ci|e2e)$"
    r"|(?:^|/)(?:settings|configs?|conf|envs?|environments?)/(?:[\w-]{1,40}[_-])?ci\.\w{1,6}$|(?:settings|config)[_.-]ci\.\w{1,6}$",
    re.IGNORECASE,
)
_PIPELINE = re.compile(
    r"(?:^|/)(?:\.github/workflows/|\.circleci/|\.gitlab-ci|azure-pipelines|bitbucket-pipelines|Jenkinsfile|\.drone|\.woodpecker)"
)
"""Descriptions of a pipeline: a signing key written there lives as long as one test run."""
_OF_ONE_MACHINE = re.compile(
    r"(?:^|/)(?:[\w-]{1,40}[._-])?(?:localhost|snakeoil|self-?signed|127\.0\.0\.1)[\w.-]{0,40}\.(?:pem|key|crt|cert)$", re.IGNORECASE
)
"""Keys of certificates that no browser but the developer's own accepts."""
_PARENTS = 400
"""Lines above a place that are looked at for what it belongs to."""
_SERVICE_LOGINS = frozenset({"password", "connection-string", "url-password"})
"""Kinds of values that open a service; one that a pipeline starts for itself is gone with the run."""
_SETTINGS = {Language.YAML, Language.TOML, Language.INI, Language.XML, Language.DOCKERFILE, Language.SHELL, Language.OTHER}
_SETTINGS_IN_CODE = re.compile(
    r"(?:^|/)(?:\w*config(?:uration)?(?:\.inc)?|\w*settings(?:\.inc)?|database|db|connect(?:ion)?|parameters|credentials|(?:arduino_)?secrets?|env|constants|local|prod\.secret|secret_token)\.(?:php|rb|h|hpp|lua|exs|pl|groovy|r)$|(?:^|/)config/(?:\w+/)*\w+\.(?:php|rb|exs)$",
    re.IGNORECASE,
)
"""Settings that are written in a programming language."""
_LOGINS_AS_TEXT = re.compile(
    r"(?:^|/)(?:[\w-]+[_-])?(?:userlist|users?|passwords?|passwd|credentials?|creds|logins?|accounts?|secrets?|tokens?|api[_-]?keys?|signons\d?)\.txt$",
    re.IGNORECASE,
)
"""Texts that are no documents: notes of logins."""
_OTHER_CODE = re.compile(
    r"\.(?:p[lm]|pod|tcl|tm|vim|el|cljs?|hs|mli?|[eh]rl|groovy|gradle|pas|vb|bas|f\d\d|sol|zig|nim|jl|d|v)$", re.IGNORECASE
)
"""Programs in languages that are not told apart: only quoted literals are values in them."""
_MARKUP = {Language.HTML, Language.CSS}
_NO_NAMES = {Role.VENDORED, Role.MINIFIED, Role.GENERATED}
_SCHEMA = re.compile(r"\.map$|(?:^|/)(?:openapi|swagger|schema)[\w.-]*\.(?:json|ya?ml)$|\.schema\.json$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What kind of file a text comes from, as far as it matters for a credential in it."""

    path: str
    language: Language
    role: Role
    template: bool
    test: bool
    document: bool

    @property
    def style(self) -> Style | None:
        """How values are written here; None where names of secrets say nothing (translations, locks, other people's code)."""
        if self.role in _NO_NAMES or LOCKS.search(self.path) or _TRANSLATIONS.search(self.path) or _SCHEMA.search(self.path):
            return None
        if self.document:
            return Style.PROSE
        if self.language in _MARKUP:
            return Style.MARKUP
        if self.language in UNREAD_LANGUAGES and _SETTINGS_IN_CODE.search(self.path):
            return Style.DECLARED
        settings = (
            (self.language in _SETTINGS and not _OTHER_CODE.search(self.path))
            or is_dotenv(self.path)
            or bool(_LOGINS_AS_TEXT.search(self.path))
        )
        return Style.SETTINGS if settings and self.role is not Role.MIGRATION else Style.CODE


@dataclass(frozen=True, slots=True)
class Located:
    """A credential and where its value begins and ends in the text it was found in."""

    secret: Secret
    start: int
    end: int


def surroundings_of(path: str, language: Language, role: Role) -> Surroundings:
    """The surroundings of values in the file at `path`."""
    name = PurePosixPath(path).name.lower()
    text = name.endswith((".rst", ".txt", ".adoc")) and not _LOGINS_AS_TEXT.search(path)
    document = language is Language.MARKDOWN or text or role is Role.EXAMPLE
    template = is_template(name.removeprefix("default."))  # default.json is read as it is, and others on top of it
    return Surroundings(path, language, role, template, role is Role.TEST or bool(_TEST_PLACE.search(path)), document)


def find_credentials(text: str, surroundings: Surroundings, today: int) -> list[Secret]:
    """Every credential-like value of a text in line order, without the values. `today`: the audit date in seconds since the epoch."""
    return [place.secret for place in located_credentials(text, surroundings, today)]


def located_credentials(text: str, surroundings: Surroundings, today: int) -> list[Located]:
    """As `find_credentials`, with the places of the values."""
    return [Located(secret, match.start, match.end) for secret, match in matched_credentials(text, surroundings, today)]


def matched_credentials(text: str, surroundings: Surroundings, today: int) -> list[tuple[Secret, Match]]:
    """As `find_credentials`, with the match that holds the value: for this package alone."""
    if surroundings.language is Language.NOTEBOOK:
        text = text.replace('\\"', ' "')
    found = []
    line, position = 1, 0
    for match in _best(_all_matches(text, surroundings, today)):
        certainty = _certainty(match, surroundings)
        if certainty == "working" and _PIPELINE.search(surroundings.path) and _in_service(text, match.start):
            certainty = "test"
        if certainty is None:
            continue
        line += text.count("\n", position, match.start)
        position = match.start
        prefix = match.value[:4] if len(match.value) >= 16 else ""
        found.append((Secret(match.kind, surroundings.path, line, prefix, len(match.value), certainty, match.reason), match))
        if len(found) >= PER_FILE:
            break
    return found


def _in_service(text: str, start: int) -> bool:
    """Whether a place in a pipeline's description belongs to a container that is started for one run and gone with it (`services:`)."""
    lines = text[:start].split("\n")
    depth = len(lines[-1]) - len(lines[-1].lstrip())
    for line in reversed(lines[-_PARENTS:-1]):
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent < depth:
            depth = indent
            if line.strip() == "services:":
                return True
    return False


def _all_matches(text: str, surroundings: Surroundings, today: int) -> Iterator[Match]:
    yield from vendor_matches(text)
    yield from token_matches(text, today)
    yield from signature_matches(text, today)
    yield from key_matches(text)
    yield from connection_matches(text)
    if surroundings.role not in _NO_NAMES and not _TRANSLATIONS.search(surroundings.path):
        yield from layout_matches(surroundings.path, surroundings.language, text)
    if surroundings.style is not None:
        yield from named_matches(text, surroundings.style)


def _best(matches: Iterator[Match]) -> list[Match]:
    """The strongest match of each place, in order of place."""
    chosen: list[Match] = []
    for match in sorted(matches, key=lambda entry: (-entry.strength, entry.start, entry.kind)):
        if not any(match.start < other.end and other.start < match.end for other in chosen[-400:]):
            chosen.append(match)
    return sorted(chosen, key=lambda entry: entry.start)


def _certainty(match: Match, surroundings: Surroundings) -> str | None:
    if match.public:
        return "publishable"
    if surroundings.role is Role.VENDORED and match.kind in {"connection-string", "url-password"}:
        return None  # other people's documentation and parsers of addresses
    if surroundings.test:
        return _certainty_in_tests(match)
    throwaway = match.kind in _SERVICE_LOGINS and (match.local or match.strength is Strength.WEAK)
    if throwaway and _PIPELINE.search(surroundings.path):
        return "test"
    if match.kind == "private-key" and _OF_ONE_MACHINE.search(surroundings.path):
        return "local"
    if match.local or (match.signing and match.strength is Strength.NAMED and _PIPELINE.search(surroundings.path)):
        return "local"
    if match.strength is Strength.HUMAN and surroundings.role is Role.SCRIPT:
        return "local"
    if match.strength is Strength.WEAK:
        return "local" if not surroundings.template and not surroundings.document else None
    if surroundings.document or surroundings.template:
        if match.strength in {Strength.HUMAN, Strength.PLACED}:
            return None
        if match.signing or (surroundings.document and match.strength is Strength.NAMED):
            return "test"
    return "working"


def _certainty_in_tests(match: Match) -> str | None:
    if match.strength is Strength.PROVEN and not match.local and not match.signing:
        return "working"
    return "test" if match.strength >= Strength.NAMED else None
