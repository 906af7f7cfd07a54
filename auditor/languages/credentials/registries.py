"""Logins at registries of packages and images: npm, Yarn, Docker, Composer, Bundler, RubyGems."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.credentials.match import Match
from auditor.languages.credentials.placed import decoded, password_of_pair, placed

_NPMRC = re.compile(
    r"^[ \t]*(?:(?P<host>//[^\s=]{1,200}?)[/:]{1,2})?(?P<name>_authToken|_password|_auth)[ \t]*=[ \t]*[\"']?(?P<value>[^\s\"'#]{3,2000})",
    re.MULTILINE,
)
_YARN = re.compile(r"^[ \t]*[\"']?npmAuth(?P<name>Ident|Token)[\"']?:[ \t]*[\"']?(?P<value>[^\s\"'#]{3,2000})", re.MULTILINE)
_DOCKER = re.compile(r"\"(?P<name>auth|identitytoken|registrytoken)\"\s*:\s*\"(?P<value>[^\"\n]{4,4000})\"")
_COMPOSER = re.compile(r"\"(?:github-oauth|gitlab-oauth|gitlab-token|bearer|forgejo-token)\"\s*:\s*\{(?P<body>[^{}]{1,4000})\}")
_COMPOSER_ENTRY = re.compile(r"\"(?P<host>[\w.:-]{3,200})\"\s*:\s*\"(?P<value>[^\"\n]{3,400})\"")
_BUNDLER = re.compile(
    r"^BUNDLE_(?P<host>[A-Z0-9]+__[A-Z0-9_]{2,100}):[ \t]*[\"']?(?:[^\s:\"']{1,100}:)?(?P<value>[^\s\"']{3,300})", re.MULTILINE
)
_GEM = re.compile(r"^[ \t]*:?[\"']?(?P<name>[\w.:/-]{3,100}?)[\"']?:[ \t]+[\"']?(?P<value>[^\s\"'#]{8,300})", re.MULTILINE)


def npmrc(text: str) -> Iterator[Match]:
    """`_authToken`, and in base 64 `_password` and the pair `_auth`."""
    for found in _NPMRC.finditer(text):
        value = found["value"]
        plain = {"_auth": password_of_pair(value), "_password": decoded(value)}.get(found["name"], "")
        match = placed(
            found.span("value"), plain or value, "it is a login of an .npmrc file", "npm-token", (found["host"] or "").strip("/")
        )
        if match:
            yield match


def yarnrc(text: str) -> Iterator[Match]:
    """`npmAuthToken` and `npmAuthIdent`, which is a pair in the clear or in base 64."""
    for found in _YARN.finditer(text):
        value = found["value"]
        plain = value if found["name"] == "Token" else value.partition(":")[2] or password_of_pair(value)
        if match := placed(found.span("value"), plain, "it is a login of Yarn's settings", "npm-token"):
            yield match


def docker(text: str) -> Iterator[Match]:
    """The pairs under `auth`, and tokens; with a helper that keeps the logins the entries are empty."""
    for found in _DOCKER.finditer(text):
        value = found["value"]
        plain = password_of_pair(value) if found["name"] == "auth" else value
        if match := placed(found.span("value"), plain, "it is the login of a registry of images", "registry-login"):
            yield match


def composer(text: str) -> Iterator[Match]:
    """Tokens by host; the pairs under `http-basic` have names that tell them."""
    for block in _COMPOSER.finditer(text):
        for found in _COMPOSER_ENTRY.finditer(block["body"]):
            start = block.start("body") + found.start("value")
            span = (start, start + len(found["value"]))
            if match := placed(span, found["value"], "it is a token of Composer's auth.json", "api-key", found["host"]):
                yield match


def bundler(text: str) -> Iterator[Match]:
    """`BUNDLE_GEMS__EXAMPLE__COM: "user:password"`; double underlines stand for the dots of the host."""
    for found in _BUNDLER.finditer(text):
        host = found["host"].replace("__", ".").lower()
        if match := placed(found.span("value"), found["value"], "it is the login of a source of gems", host=host):
            yield match


def gems(text: str) -> Iterator[Match]:
    """`:rubygems_api_key: ...` of ~/.gem/credentials."""
    for found in _GEM.finditer(text):
        if match := placed(found.span("value"), found["value"], "it is a key of RubyGems' credentials", "api-key"):
            yield match
