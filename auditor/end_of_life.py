"""Until when run-times and frameworks get security fixes, and which packages their own authors have given up. Public facts, no network.

As published up to 2026-03-06 by devguide.python.org/versions, github.com/nodejs/Release, djangoproject.com/download, nextjs.org/support-policy,
angular.dev/reference/releases, v2.vuejs.org/eol, v2.nuxt.com, wiki.debian.org/LTS and ubuntu.com/about/release-cycle. A version that is missing in
a table is never taken for ended; one that came out after the tables were made counts as supported.
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

AS_OF = "2026-03-06"

_ENDS = """
python: 2.6 2013-10-29, 2.7 2020-01-01, 3.3 2017-09-29, 3.4 2019-03-18, 3.5 2020-09-30, 3.6 2021-12-23, 3.7 2023-06-27, 3.8 2024-10-07, 3.9 2025-10-31,
    3.10 2026-10-31, 3.11 2027-10-31, 3.12 2028-10-31, 3.13 2029-10-31, 3.14 2030-10-31
node: 4 2018-04-30, 5 2016-06-30, 6 2019-04-30, 7 2017-06-30, 8 2019-12-31, 9 2018-06-30, 10 2021-04-30, 11 2019-06-01, 12 2022-04-30, 13 2020-06-01,
    14 2023-04-30, 15 2021-06-01, 16 2023-09-11, 17 2022-06-01, 18 2025-04-30, 19 2023-06-01, 20 2026-04-30, 21 2024-06-01, 22 2027-04-30, 23 2025-06-01,
    24 2028-04-30, 25 2026-06-01
django: 1.4 2015-10-01, 1.5 2014-09-02, 1.6 2015-04-01, 1.7 2015-12-01, 1.8 2018-04-01, 1.9 2017-04-04, 1.10 2017-12-02, 1.11 2020-04-01, 2.0 2019-04-01,
    2.1 2019-12-02, 2.2 2022-04-11, 3.0 2021-04-06, 3.1 2021-12-07, 3.2 2024-04-01, 4.0 2023-04-01, 4.1 2023-12-01, 4.2 2026-04-30, 5.0 2025-04-02,
    5.1 2025-12-03, 5.2 2028-04-30, 6.0 2027-04-30
next: 9 2020-10-27, 10 2021-06-15, 11 2022-01-27, 12 2022-11-21, 13 2024-12-21, 14 2025-10-26, 15 2026-10-21
@angular/core: 4 2018-09-23, 5 2019-05-01, 6 2019-11-03, 7 2020-04-18, 8 2020-11-28, 9 2021-08-06, 10 2021-12-24, 11 2022-05-11, 12 2022-11-12, 13 2023-05-04,
    14 2023-11-18, 15 2024-05-18, 16 2024-11-08, 17 2025-05-15, 18 2025-11-21, 19 2026-05-19, 20 2026-11-28, 21 2027-05-19
angular: 1 2021-12-31
vue: 2 2023-12-31
nuxt: 2 2024-06-30
debian: jessie 2020-06-30, stretch 2022-06-30, buster 2024-06-30, bullseye 2026-08-31, bookworm 2028-06-30
ubuntu: 14.04 2019-04-30, 16.04 2021-04-30, 18.04 2023-05-31, 20.04 2025-05-31, 22.04 2027-06-01, 24.04 2029-05-31
"""

FRAMEWORKS = {"pypi": frozenset({"django"}), "npm": frozenset({"next", "@angular/core", "angular", "vue", "nuxt"})}
"""Packages with a table, by ecosystem."""
TITLES = {"python": "Python", "node": "Node.js", "django": "Django", "next": "Next.js", "@angular/core": "Angular", "angular": "AngularJS", "vue": "Vue", "nuxt": "Nuxt", "debian": "Debian", "ubuntu": "Ubuntu"}  # fmt: skip

NODE_NAMES = {"argon": "4", "boron": "6", "carbon": "8", "dubnium": "10", "erbium": "12", "fermium": "14", "gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}  # fmt: skip
"""Code names of Node's long-term releases, as `.nvmrc` and image tags use them."""

_GIVEN_UP_PYPI = """
pycrypto: pycryptodome
nose: pytest
boto: boto3
oauth2client: google-auth
google-generativeai: google-genai
raven: sentry-sdk
pypdf2: pypdf
aioredis: redis
flask-script: Flask's own command line
flask-jwt: flask-jwt-extended
django-rest-auth: dj-rest-auth
djangorestframework-jwt: djangorestframework-simplejwt
django-celery: celery
slackclient: slack-sdk
azure-storage: azure-storage-blob
mysql-python: mysqlclient
pil: pillow
distribute: setuptools
pep8: pycodestyle
fuzzywuzzy: thefuzz
gym: gymnasium
tensorflow-gpu: tensorflow
"""
_GIVEN_UP_NPM = """
request: fetch
request-promise: fetch
request-promise-native: fetch
tslint: typescript-eslint
node-sass: sass
bower: npm
gulp-util: the packages it was made of
istanbul: c8 or nyc
popper.js: @popperjs/core
react-scripts: vite
create-react-app: vite
@material-ui/core: @mui/material
babel-eslint: @babel/eslint-parser
eslint-loader: eslint-webpack-plugin
node-uuid: uuid
csurf: another protection against forged requests
@supabase/auth-helpers-nextjs: @supabase/ssr
@supabase/auth-helpers-react: @supabase/ssr
apollo-server: @apollo/server
apollo-server-express: @apollo/server
react-beautiful-dnd: @hello-pangea/dnd
react-query: @tanstack/react-query
protractor: playwright
karma: vitest
recoil: another store
xss-clean: another sanitiser
faker: @faker-js/faker
vue-cli-service: vite
crypto: node:crypto
har-validator: ajv
"""


def _ends(text: str) -> dict[str, dict[str, str]]:
    joined = re.sub(r"\n\s+", " ", text.strip())
    lines = (line.split(": ", 1) for line in joined.splitlines())
    return {product: dict(_pair(entry) for entry in entries.split(", ")) for product, entries in lines}


def _pair(entry: str) -> tuple[str, str]:
    release, end = entry.split()
    return release, end


ENDS = _ends(_ENDS)
"""Last day of security fixes by product and release."""
GIVEN_UP = {
    "pypi": dict(line.split(": ", 1) for line in _GIVEN_UP_PYPI.strip().splitlines()),
    "npm": dict(line.split(": ", 1) for line in _GIVEN_UP_NPM.strip().splitlines()),
}
"""Packages that their authors have declared ended, archived or renamed, with what is meant in their place, by ecosystem."""


def release_of(product: str, version: str) -> str:
    """The release line a version belongs to: `3.9` of 3.9.18, `18` of v18.17.0; "" when there is no number."""
    if product == "debian":
        return version
    parts = re.findall(r"\d+", version)[:2]
    if not parts:
        return ""
    single = product not in {"python", "django", "ubuntu"}
    return parts[0] if single else ".".join(parts) if len(parts) == 2 else ""


def ended_on(product: str, version: str, date: str) -> str:
    """The day from which a version gets no security fixes any more, "" when it does on `date` (ISO 8601) or nothing is known."""
    end = ENDS.get(product, {}).get(release_of(product, version), "")
    return end if end and end < date else ""


def releases_in(product: str, wanted: str) -> tuple[str, ...] | None:
    """The release lines a range allows, those after the tables as "later"; None when it cannot be read. Python's and npm's notations."""
    lines = [*ENDS[product], "later"]
    if product in {"python", "django"}:
        return _python_lines(product, lines, wanted)
    bounds = [_npm_bounds(part) for part in wanted.split("||")]
    if not all(bounds):
        return None
    return tuple(line for line in lines if any(low <= _major(line) <= high for low, high in filter(None, bounds)))


def _python_lines(product: str, lines: list[str], wanted: str) -> tuple[str, ...] | None:
    text = wanted.strip().replace(" ", "")
    caret = re.fullmatch(r"\^(\d+)(\.\d+)?[\d.]*", text)
    tilde = re.fullmatch(r"~(\d+\.\d+)[\d.]*", text)
    bare = re.fullmatch(r"={0,2}(\d+\.\d+)(?:\.\d+)?(?:\.\*)?", text)
    if caret:
        text = f">={caret[1]}{caret[2] or ''},<{int(caret[1]) + 1}"
    elif tilde or bare:
        text = f"=={(tilde or bare)[1]}.*"  # type: ignore[index]
    try:
        allowed = SpecifierSet(text)
    except InvalidSpecifier:
        return None
    later = "3.99" if product == "python" else "99.0"
    return tuple(line for line in lines if any(f"{later if line == 'later' else line}.{patch}" in allowed for patch in range(60)))


def _major(line: str) -> int:
    return 10_000 if line == "later" else int(line)


def _npm_bounds(part: str) -> tuple[int, int] | None:
    """The majors one alternative of an npm range allows, None when it cannot be read."""
    text = re.sub(r"([<>=^~])\s+", r"\1", part.strip().lower())
    hyphen = re.fullmatch(r"v?(\d+)[\d.x*]*\s+-\s+v?(\d+)[\d.x*]*", text)
    if hyphen:
        return int(hyphen[1]), int(hyphen[2])
    low, high = 0, 10_000
    for comparator in text.split():
        found = re.fullmatch(r"(>=|<=|>|<|=|\^|~)?v?(\d+|[x*]|latest|lts/\*)((?:\.(?:\d+|[x*]))*)(?:[-+][\w.+-]*)?", comparator)
        if found is None:
            return None
        if not found[2].isdigit():
            continue
        operator, major, rest = found[1] or "=", int(found[2]), found[3]
        whole = not re.search(r"[1-9]", rest)
        if operator in {">=", ">"}:
            low = max(low, major + 1 if operator == ">" and not rest else major)
        elif operator in {"<", "<="}:
            high = min(high, major - 1 if operator == "<" and whole else major)
        else:
            low, high = max(low, major), min(high, major)
    return low, high
