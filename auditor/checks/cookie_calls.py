"""One call that sets a cookie: its name, its value and its flags, in every framework that is read."""

from __future__ import annotations

import re

from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_SESSION_NAME = re.compile(
    r"(?:^|[_.:-])(?:session|sessionid|session_id|sess|sid|token|jwt|auth|access|refresh|login|remember|logged_in|user_?session|connect\.sid)(?:$|[_.:-])"
    r"|(?:access|refresh|auth|session|id|jwt|login|user|admin)_?token$",
    re.IGNORECASE,
)
_OTHER_NAME = re.compile(
    r"csrf|xsrf|state|nonce|verifier|redirect|return|theme|consent|device|locale|lang|flash|visitor|analytics|anon|guest|cart|tz|prefs?",
    re.IGNORECASE,
)
_SETS = re.compile(
    r"(?:^|\.)set_(?:signed_|secure_)?cookie$|^(?:res|response|reply|resp|ctx\.res|this\.res)(?:\.status\(\))?\.(?:cookie|setCookie)$|(?:^|\.)cookies(?:\(\))?\.set$|^cookieStore\.set$|^ctx\.cookies\.set$"
    r"|^setCookie$|^cookie\.serialize$|^req\.res\.cookie$"
)
_PYTHON_SETTER = re.compile(r"set_(?:signed_|secure_)?cookie$")
ALL_ON: dict[str, Value] = {
    "httponly": Value(ValueKind.BOOLEAN, "true", "true"),
    "secure": Value(ValueKind.BOOLEAN, "true", "true"),
    "samesite": Value(ValueKind.STRING, "'lax'", "lax"),
}
"""Flags of a framework that protects cookies unless told otherwise."""


def sets_cookie(call: Call) -> bool:
    """Whether a call sets a cookie."""
    return bool(_SETS.search(call.callee))


def carries_login(call: Call, facts: FileFacts) -> bool:
    """Whether the cookie a call sets says who is calling, by its name."""
    name = _spaced(cookie_parts(call, facts)[0])
    return bool(_SESSION_NAME.search(name)) and not _OTHER_NAME.search(name)


def is_harmless(name: str) -> bool:
    """Whether a cookie's name says that it holds a preference or a value against forgery."""
    return bool(_OTHER_NAME.search(name))


def flags_on_by_default(facts: FileFacts) -> bool:
    """SvelteKit switches all flags on unless told otherwise."""
    return imports(facts, "@sveltejs/kit") or bool(
        re.search(r"(?:^|/)(?:\+(?:server|(?:page|layout)\.server)|hooks\.server)\.[jt]s$", facts.path)
    )


def hidden_and_open(flags: dict[str, Value]) -> bool:
    """Both written out: scripts may not read the cookie, and it travels in clear text."""
    hidden, secure = flags.get("httponly"), flags.get("secure")
    return (
        hidden is not None
        and hidden.text.lower() == "true"
        and secure is not None
        and secure.kind is ValueKind.BOOLEAN
        and secure.text.lower() == "false"
    )


def imports(facts: FileFacts, *modules: str) -> bool:
    """Whether a file imports one of the packages, or a part of one."""
    return any(statement.module.split(".")[0] in modules or statement.module in modules for statement in facts.imports)


def cookie_parts(call: Call, facts: FileFacts) -> tuple[str, Value | None, Value | None]:
    """Name, value and options of the cookie a call sets; the name "" when it cannot be read."""
    first = call.arguments[0].value if call.arguments else None
    if first is not None and first.kind is ValueKind.COLLECTION and first.item("name") is not None:
        return _word(first.item("name"), facts), first.item("value"), first
    shift = 1 if call.callee == "setCookie" else 0
    if _PYTHON_SETTER.search(call.callee):
        return _word(call.argument("key", 0), facts), call.argument("value", 1), None
    options = resolved(call.argument("options", 2 + shift), facts)
    return _word(call.argument("name", shift), facts), call.argument("value", 1 + shift), options


def _word(value: Value | None, facts: FileFacts) -> str:
    if value is None:
        return ""
    if value.kind is ValueKind.STRING:
        return value.literal
    if value.kind is ValueKind.NAME:
        bound = next((a.value for a in facts.assignments if a.target == value.literal and a.value is not None), None)
        if bound is not None and bound.kind is ValueKind.STRING:
            return bound.literal
        last = value.literal.rsplit(".", 1)[-1]
        return last if last.isupper() else ""
    return ""


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def resolved(value: Value | None, facts: FileFacts) -> Value | None:
    """A name replaced by what it is bound to in this file."""
    if value is None or value.kind is not ValueKind.NAME:
        return value
    return next((a.value for a in facts.assignments if a.target == value.literal and a.value is not None), value)


def cookie_flags(call: Call, options: Value | None) -> dict[str, Value] | None:
    """The flags a call gives, names in lower case; None when they come from somewhere that cannot be read."""
    if _PYTHON_SETTER.search(call.callee):
        flags = {argument.name.lower(): argument.value for argument in call.arguments if argument.name}
        return None if "**" in flags or "..." in flags else flags
    if options is None:
        return {}
    if options.kind is not ValueKind.COLLECTION or any(key == "..." for key, _ in options.items):
        return None
    return {key.lower(): value for key, value in options.items}


def clears_cookie(call: Call, options: Value | None) -> bool:
    """Whether a cookie ends at once: it is being deleted."""
    life = (
        call.argument("max_age")
        or call.argument("expires")
        or (options.item("maxAge") or options.item("expires") if options is not None else None)
    )
    return life is not None and (life.text in {"0", "-1"} or re.search(r"new Date\(0\)|1970", life.text) is not None)


def is_off(value: Value | None) -> bool:
    """Whether a flag is not given or switched off."""
    return value is None or value.kind is ValueKind.NONE or (value.kind is ValueKind.BOOLEAN and value.text.lower() == "false")
