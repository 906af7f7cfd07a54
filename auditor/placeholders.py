"""Tells a filled-in value from a stand-in: references to the environment, "your-key-here", `xxx`, counting rows, dictionary words.

Only the shape of the value is looked at; what the value is for (signing key, password, host name) is the caller's knowledge.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

_REFERENCE = re.compile(
    r"""^(?:
      \$\{|\$\(|\$[A-Za-z_]|\{\{|\{%|<%|\#\{|%\(|%[A-Za-z_]{2,60}%$|<[^<>]{0,200}>?$|\[[^\[\]]{0,80}\]$|\{[^{}]{0,80}\}$|@@|__\w{1,60}__$|ENC\[|!vault|!Ref|!Sub|!GetAtt
      |(?:op|vault|arn|ssm|awssm|gcpsm|keyvault|secretref|secrets?|file|env|pass|sops|doppler|azurekeyvault)(?:://|:(?=[a-zA-Z/]))
      |(?:process|import\.meta|Deno)\.?env\b|os\.(?:environ|getenv)|System\.getenv|ENV\[|getenv\(|env\(|config\(|config\.|settings\.|self\.|this\.|var\.|local\.|data\.|module\.|secrets\.|vars\.|github\.|steps\.|inputs\.|matrix\.
    )""",
    re.VERBOSE,
)
_STAND_IN = re.compile(
    r"""(?:^|[^a-z])(?:your|my|our|some|any)[-_ .]?(?:own[-_ ])?(?:\w{0,20}[-_ ])?(?:secret|password|passwd|token|key|api|user|project|name|app|domain|value|id|super|very|long|random|strong|secure|host|db)
      |changeme|change[-_ ]?(?:this|me|it|in|to|your|before|for|on)|replace[-_ ]?(?:this|me|it|with|by|in)|\bto[-_ ]?be[-_ ]?(?:set|changed|replaced|filled)
      |(?:^|[^a-z])(?:your|ihr|dein|votre|tu|seu|sua)(?:[-_ ]|$)|your_?\w{0,30}(?:key|token|secret|password|id)\b|^your[A-Z]
      |placeholder|example|beispiel|ejemplo|dummy|sample|redacted|omitted|removed|masked|hidden|censored|insert[-_ ]|(?:enter|put|paste|add|set|fill|use|provide|generate|create|get|obtain)[-_ ](?:your|a|an|the|it|this|here|me|in|from|with|by|random|\w{0,20}[-_ ]?here)(?![a-z])
      |[-_ ]here\b|goes[-_ ]here|not[-_ ]?(?:a[-_ ]?)?(?:real|set|needed|used|required|configured|secure|secret|for[-_ ]production)
      |x{4,}|\.{3}|…|\*{3,}|-{3,}|_{4,}|\?{3,}|(?:sk|pk|key|token)-x+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NOT_MEANT = re.compile(
    r"""(?:^|[^a-z])(?:fake|mock|stub|foobar|foo|bar|baz|lorem|ipsum|todo|fixme|tbd|invalid|unused|undefined|null|none|nil|empty|blank|n/a|test|testing|tests|demo|dev|development|local|localhost|insecure|unsafe|default)(?:$|[^a-z])
      |^(?:test|demo|dummy|sample|local|dev)[-_]?(?:user|pwd|pw|pass(?:word|wd)?|secret|token|key|login|account)\d{0,4}$
      |insecure|not[-_ ]?safe|super[-_ ]?secret|top[-_ ]?secret|very[-_ ]?secret|secret[-_ ]?(?:key|value|token|password)|dev[-_]?(?:secret|key|only)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COMMON_WORDS = """
password passwd pass pwd secret secrets token key apikey api_key api-key admin administrator root user username test tester guest demo postgres postgresql mysql mariadb mongo mongodb
redis rabbitmq minio minioadmin minio123 elastic grafana keycloak django flask rails laravel symfony wordpress supabase qwerty qwerty123 letmein welcome welcome1 hello hunter2 abc123 abc abcd1234
password1 password12 password123 password1234 pass123 pass1234 passw0rd p@ssw0rd p@ssword p@ss pass@123 password@123 admin123 admin1234 admin@123 root123 test123 test1234 user123 secret123 changeme123
123456 1234567 12345678 123456789 1234567890 12345 1234 123 0000 1111 111111 000000 123123 654321 iloveyou monkey dragon master shadow sunshine
mysecret mysecretpassword mypassword mysecretkey secretkey supersecret topsecret keyboard keyboardcat app web db database dbuser dbpass dbpassword user_password userpassword string str value yes no on off true false
bearer basic default docker develop developer production staging local dummy required optional hidden text email login logout signin signup
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_SEQUENCES = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "98765432109876543210")


def is_reference(value: str) -> bool:
    """Whether the value only points to where the real one is (`${X}`, `<your key>`, `{{ secrets.x }}`, `process.env.X`)."""
    return bool(_REFERENCE.match(value.strip().strip("\"'`")))


def is_placeholder(value: str) -> bool:
    """Whether the value stands in for a real one."""
    value = value.strip().strip("\"'`")
    if len(value) < 3 or is_stand_in(value) or _NOT_MEANT.search(value[:300]):
        return True
    return is_monotonous(value)


def is_stand_in(value: str) -> bool:
    """Whether the value says of itself that it is to be replaced, or where the real one is."""
    value = value.strip().strip("\"'`")
    return is_reference(value) or bool(_STAND_IN.search(value[:300]))


def is_monotonous(value: str) -> bool:
    """Few different characters, or a counting row: "xxxxxxxx", "0000-0000", "1234567890", "abcdefgh", "deadbeefdeadbeef"."""
    letters = re.sub(r"[^a-z0-9]", "", value.lower())
    if len(letters) < 3:
        return True
    if len(set(letters)) <= max(2, len(letters) // 8) and len(set(letters)) <= 4:
        return True
    pieces = [letters[start : start + 4] for start in range(0, len(letters) - 3, 4)]
    rows = sum(any(piece in row or piece[::-1] in row for row in _SEQUENCES) for piece in pieces)
    if len(pieces) >= 2 and rows * 2 > len(pieces):
        return True
    half = len(letters) // 2
    return len(letters) >= 12 and letters[:half] == letters[half : 2 * half]


def is_common(value: str) -> bool:
    """A word everybody tries first: "admin", "postgres", "password123"; also with one trailing mark or year."""
    bare = value.strip().strip("\"'`").lower()
    return bare in _COMMON or re.sub(r"[!.#@_-]?\d{0,4}[!.#@$]?$", "", bare) in _COMMON


def shape(value: str) -> str:
    """What a settings file says without saying the value: nothing (""), "placeholder" or "literal"."""
    if not value.strip():
        return ""
    return "placeholder" if is_stand_in(value) or (len(value) >= 8 and is_monotonous(value)) else "literal"


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values()) if length else 0.0


def looks_random(value: str) -> bool:
    """Whether a token of one piece looks drawn by a machine and not written by a person.

    Hexadecimal of 20 digits or more, or a mix of digits and letters without words in it; entropy only decides what the make-up left open.
    """
    if len(value) < 16 or " " in value or is_monotonous(value) or _is_slug(value):
        return False
    if re.fullmatch(r"[0-9a-f]{20,}|[0-9A-F]{20,}", value):
        return entropy(value) > 2.8
    digits = sum(character.isdigit() for character in value)
    lower = sum(character.islower() for character in value)
    upper = sum(character.isupper() for character in value)
    words = sum(len(word) for word in re.findall(r"[a-z]{5,}|[A-Z]{5,}|[A-Z][a-z]{3,}", value))
    if not digits or not (lower or upper):
        return (
            bool(lower and upper)
            and len(value) >= 24
            and _case_changes(value) >= len(value) // 4
            and words * 3 < len(value)
            and entropy(value) > 3.8
        )
    return words * 2 < len(value) and digits >= 2 and entropy(value) > 3.2


def _is_slug(value: str) -> bool:
    """Words and numbers with marks between them, as in the names of licences, versions and images: "cc-by-sa-3.0-de"."""
    parts = [part for part in re.split(r"[-_.:/@]", value) if part]
    mixed = sum(len(part) for part in parts if not (part.isalpha() or part.isdigit()))
    return len(parts) >= 3 and mixed * 3 <= len(value) and (value.islower() or max(map(len, parts)) <= 12)


def _case_changes(value: str) -> int:
    return sum(a.islower() != b.islower() for a, b in pairwise(value))
