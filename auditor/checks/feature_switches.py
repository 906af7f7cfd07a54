"""Features with an effect outside the system (mail, payments, model answers, ...) and the switches in front of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.checks.model_calls import model_calls
from auditor.model.evidence import Stores
from auditor.model.syntax import Assignment, Branch, EnvironmentRead, FileFacts, Value, ValueKind
from auditor.model.verdict import Place

_PACKAGES = {
    "mail": r"smtplib|aiosmtplib|django\.core\.mail|flask_mail(?:man)?|fastapi_mail|sendgrid|@sendgrid/mail|resend|nodemailer|postmark\w*|mailgun(?:\.js|-js)?|@aws-sdk/client-ses(?:v2)?|anymail|mailersend|brevo|@getbrevo/brevo|mailjet\w*|node-mailjet",
    "text messages": r"twilio|vonage|@vonage/server-sdk|messagebird|plivo|telnyx|africastalking",
    "payments": r"stripe|paypalrestsdk|paypal\w*|@paypal/checkout-server-sdk|mollie|@mollie/api-client|razorpay|braintree|adyen|@adyen/api-library|square|mercadopago|paddle\w*|@paddle/paddle-node-sdk|iyzipay|midtrans-client",
    "push messages": r"web-push|pywebpush|onesignal\w*|exponent_server_sdk|expo-server-sdk|firebase_admin\.messaging|firebase-admin/messaging|apprise",
    "chat messages": r"slack_sdk|@slack/web-api|slack_bolt|python-telegram-bot|telegram|node-telegram-bot-api|telegraf|discord\.js|discord",
}  # fmt: skip
_IMPORTS = {kind: re.compile(rf"^(?:{names})(?:[./]|$)") for kind, names in _PACKAGES.items()}
_HOSTS = {
    "mail": re.compile(r"https://api\.(?:resend|sendgrid|mailgun|postmarkapp|brevo|mailersend)\.\w+"),
    "text messages": re.compile(r"https://(?:api\.twilio\.com|rest\.nexmo\.com|graph\.facebook\.com)"),
    "payments": re.compile(r"https://(?:api\.stripe\.com|api(?:-m)?(?:\.sandbox)?\.paypal\.com|api\.mollie\.com|api\.razorpay\.com|api\.mercadopago\.com)"),
    "push messages": re.compile(r"https://(?:fcm\.googleapis\.com|onesignal\.com/api|exp\.host)"),
    "chat messages": re.compile(r"https://(?:hooks\.slack\.com|api\.telegram\.org|discord(?:app)?\.com/api/webhooks)"),
}  # fmt: skip
_ABOUT = {
    "mail": r"MAIL|SMTP|SEND|RESEND|POSTMARK|BREVO",
    "text messages": r"SMS|TWILIO|WHATSAPP|TEXT_?MESS",
    "payments": r"PAY|STRIPE|MOLLIE|BILLING|CHECKOUT|CHARGE|SUBSCRI",
    "push messages": r"PUSH|NOTIF|VAPID|FCM|ONESIGNAL",
    "chat messages": r"SLACK|TELEGRAM|DISCORD|NOTIF",
    "answers of a model": r"(?:^|_)AI(?:_|$)|LLM|OPENAI|OPENROUTER|GROQ|MISTRAL|GPT|ANTHROPIC|CLAUDE|GEMINI|CHAT|ASSISTANT|MODEL",
}
_LIBRARIES = re.compile(
    r"^(?:UnleashClient|unleash-client|@unleash/\w|ldclient|launchdarkly|@launchdarkly/|waffle|flagsmith|@?growthbook|@growthbook/|configcatclient|configcat|splitio|@splitsoftware/|statsig|openfeature|@openfeature/"
    r"|flags(?:/|$)|@vercel/(?:flags|edge-config)|flipper|constance|optimizely|@optimizely/|gargoyle|gutter|flagd|featureflags|devcycle|@devcycle/)"
)
_ASKED = re.compile(
    r"(?:^|\.)(?:is_?feature_?enabled|use_?feature_?flag(?:_?enabled)?|feature_?(?:is_)?enabled|is_enabled|isEnabled|isOn|is_on|flag_is_active|switch_is_active|sample_is_active|variation|get_?(?:boolean|string)_?value|get_?feature_?flag|get_?feature_?value|check_?gate|get_?treatment|remote_?config\(\)\.get_?value)$",
    re.IGNORECASE,
)
_POSTHOG = re.compile(r"(?:^|\.)(?:is_?feature_?enabled|use_?feature_?flag\w*|feature_enabled|get_?feature_?flag)$", re.IGNORECASE)
_KEPT = re.compile(
    r"(?:^|\.)(?:site_?settings?|app_?settings|system_?settings?|instance_?settings?|infra_?config|feature_?flags?|feature_?toggles?|get_?(?:app_?|site_?|system_?)?(?:config|setting|option)(?:_?by_?\w+)?)(?:$|\.|\(|\[)",
    re.IGNORECASE,
)
_TABLES = re.compile(
    r"^(?:\w*feature_?(?:flag|toggle)s?|(?:site|app|application|system|instance|server|global)_?(?:settings?|config\w*)|infra_?config|configs?|settings?|options?)$",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"(?:^|_)(?:EN|DIS)ABLED?(?:_|$)|(?:^|_)(?:FEATURE|FLAG|TOGGLE|KILL_?SWITCH|DRY_?RUN|ALLOW|USE)(?:_|$)|_(?:ON|OFF|ENABLED|DISABLED|ACTIVE)$|^(?:SEND|SKIP|NO)_"
)
_NAMED = re.compile(
    r"^(?!user|is_?user)\w*(?:_enabled|Enabled|_ENABLED|_disabled|Disabled|_DISABLED)$|^(?:enable|disable)(?:_\w+|[A-Z]\w+)$|^(?:ENABLE|DISABLE)_\w+$"
)
_OF_ALL = re.compile(
    r"config|setting|feature|flag|organi[sz]ation|team|tenant|workspace|instance|site|system|global|option|preferences$", re.IGNORECASE
)
_COLUMN = re.compile(r"(?:Column|column|BooleanField|NullBooleanField|CharField)$")
_LONGEST = 400_000
_BUILT_IN = re.compile(r"^(?:VITE_|NEXT_PUBLIC_|REACT_APP_|PUBLIC_|NUXT_PUBLIC_|EXPO_PUBLIC_|GATSBY_)")
_KEY = re.compile(r"_(?:KEY|TOKEN|SECRET|SID|DSN|URL|HOST|USER|PASSWORD|SERVER|WEBHOOK)\w*$")


class Reach(IntEnum):
    """What it takes to use a switch, the quickest first."""

    RUNNING = 0  # asked for each time, from a service or a table
    RESTART = 1  # a setting of the environment
    RELEASE = 2  # a constant, or a setting that is built in


@dataclass(frozen=True, slots=True)
class Effect:
    """A feature with an effect outside, of one kind, in one file."""

    kind: str
    place: Place


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch: its name, where it is asked, what it takes to use it, and why it does not work both ways ("" = it does)."""

    name: str
    place: Place
    reach: Reach
    fault: str = ""


def effects_of(files: Iterable[FileFacts]) -> tuple[Effect, ...]:
    """Every kind of outside effect with the files it is in."""
    files = tuple(files)
    found = [Effect("answers of a model", Place(call.path, call.line)) for call in model_calls(files)]
    for facts in files:
        for kind, pattern in _IMPORTS.items():
            line = next((entry.line for entry in facts.imports if pattern.match(entry.module)), 0)
            line = line or next((literal.line for literal in facts.literals if _HOSTS[kind].match(literal.text)), 0)
            if line:
                found.append(Effect(kind, Place(facts.path, line)))
    return tuple(found)


def switches_of(files: Iterable[FileFacts], stores: Stores, texts: dict[str, str]) -> tuple[Switch, ...]:
    """Every switch production code asks."""
    files = tuple(files)
    columns = _columns(files, texts)
    kept = keeps_settings(stores)
    return tuple(
        switch
        for facts in files
        for switch in (*_asked(facts), *_kept(facts, kept=kept), *_named(facts, columns), *_set(facts), *_constants(facts))
    )


def keeps_settings(stores: Stores) -> bool:
    """Whether the system has a table of settings of its own."""
    return any(_TABLES.match(name) for name, _ in stores.models)


def _columns(files: tuple[FileFacts, ...], texts: dict[str, str]) -> frozenset[str]:
    """Names of switches that are columns of a table: what they say can be changed while the system runs."""
    found = {
        entry.target.lower()
        for facts in files
        for entry in facts.assignments
        if entry.value is not None
        and entry.value.kind is ValueKind.CALL
        and _COLUMN.search(entry.value.literal)
        and _NAMED.search(entry.target)
    }
    for path, text in texts.items():
        if path.endswith((".prisma", ".sql")):
            found |= {name.lower() for name in re.findall(r"\b\w{3,40}_?[eE]nabled\b", text[:_LONGEST])}
    return frozenset(found)


def covers(switch: Switch, effects: Iterable[Effect]) -> frozenset[str]:
    """The kinds of effects a switch stands before: those its name speaks of and, when it is asked while the system runs, those of its own file."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", switch.name)
    own_file = switch.reach is Reach.RUNNING
    return frozenset(
        effect.kind
        for effect in effects
        if (own_file and effect.place.path == switch.place.path) or re.search(_ABOUT[effect.kind], words, re.IGNORECASE)
    )


def _asked(facts: FileFacts) -> Iterator[Switch]:
    """Questions to a library of switches."""
    library = any(_LIBRARIES.match(entry.module) for entry in facts.imports)
    posthog = any(entry.module.startswith("posthog") for entry in facts.imports)
    for call in facts.calls:
        if (library and _ASKED.search(call.callee)) or (posthog and _POSTHOG.search(call.callee)):
            name = next((argument.value.literal for argument in call.arguments if argument.value.kind is ValueKind.STRING), call.callee)
            yield Switch(name, Place(facts.path, call.line, call.end_line), Reach.RUNNING)


def _kept(facts: FileFacts, *, kept: bool) -> Iterator[Switch]:
    """Tests of settings that the system keeps in a table of its own."""
    if not kept:
        return
    for branch in facts.branches:
        name = next((name for name in branch.names if _KEPT.search(name)), "")
        if name:
            yield Switch(f"{name} {branch.test}", Place(facts.path, branch.line, branch.line), Reach.RUNNING)


def _named(facts: FileFacts, columns: frozenset[str]) -> Iterator[Switch]:
    """Tests of something called enabled that comes from elsewhere.

    A column of settings can be changed at any time; one of a single record (a conversation, a user) switches that record alone. Anything else comes with the start.
    """
    bound = {entry.target for entry in facts.assignments if entry.scope < 0}
    for branch in facts.branches:
        for name in branch.names:
            holder, _, last = name.rpartition(".")
            if not _NAMED.search(last) or last in bound:
                continue
            if last.lower() not in columns:
                yield Switch(last, Place(facts.path, branch.line, branch.line), Reach.RESTART)
            elif _OF_ALL.search(holder):
                yield Switch(last, Place(facts.path, branch.line, branch.line), Reach.RUNNING)


def _set(facts: FileFacts) -> Iterator[Switch]:
    """Settings of the environment that decide whether something is done."""
    for read in facts.environment:
        bound = _bound(facts, read)
        branch = _tested(facts, read, bound)
        switch = bool(_SWITCH.search(read.name))
        if not switch and not (branch is not None and _KEY.search(read.name)):
            continue
        reach = Reach.RELEASE if _BUILT_IN.match(read.name) else Reach.RESTART
        yield Switch(read.name, Place(facts.path, read.line, read.line), reach, _one_way(read, bound, branch) if switch else "")


def _bound(facts: FileFacts, read: EnvironmentRead) -> Assignment | None:
    return next(
        (entry for entry in facts.assignments if entry.line == read.line and entry.value is not None and read.name in entry.value.text),
        None,
    )


def _tested(facts: FileFacts, read: EnvironmentRead, bound: Assignment | None) -> Branch | None:
    """The first `if` that asks the setting, by its own name or the variable it was put into."""
    name = bound.target if bound is not None else ""
    return next((branch for branch in facts.branches if read.name in branch.test or (name and name in branch.names)), None)


def _one_way(read: EnvironmentRead, bound: Assignment | None, branch: Branch | None) -> str:
    """Why the text "false" would not switch it off: the setting's text itself is taken for true or false."""
    plain = r"(?:bool|Boolean)\(\s*{0}\s*\)|!!\s*{0}|{0}"
    if bound is not None and bound.value is not None:
        source = _source(bound.value)
        raw = source is not None and _is_read(source, read)
        if raw and (bound.value.literal in {"bool", "Boolean"} or bound.value.text.startswith("!!")):
            return _TEXT_IS_TRUE
        if (
            raw
            and branch is not None
            and _is_read(bound.value, read)
            and re.fullmatch(plain.format(re.escape(bound.target)), branch.test.strip("() "))
        ):
            return _TEXT_IS_TRUE
        return ""
    if branch is not None and branch.line == read.line:
        access = rf"(?:os\.getenv|os\.environ\.get|os\.environ|process\.env|Deno\.env\.get)\W{{0,3}}{re.escape(read.name)}\W{{0,3}}"
        if re.fullmatch(plain.format(access), branch.test.strip()):
            return _TEXT_IS_TRUE
    return ""


_TEXT_IS_TRUE = 'any text switches it on, "false" and "0" too'


def _source(value: Value) -> Value | None:
    """The read inside `bool(...)` or `!!`, or the value itself."""
    if value.kind is ValueKind.CALL and value.literal in {"bool", "Boolean"}:
        return value.items[0][1] if value.items else None
    if value.kind is ValueKind.OPERATION and value.text.startswith("!!"):
        return Value(ValueKind.NAME, value.text.removeprefix("!!").strip())
    return value


def _is_read(value: Value, read: EnvironmentRead) -> bool:
    """Whether an expression is the bare text of the setting, compared with nothing and converted by nothing."""
    access = rf"(?:os\.getenv|os\.environ\.get|getenv|environ\.get|Deno\.env\.get)\(\s*[\"']{re.escape(read.name)}[\"']\s*(?:,\s*[^,()]{{0,40}})?\)|os\.environ\[[\"']{re.escape(read.name)}[\"']\]|process\.env(?:\.{re.escape(read.name)}|\[[\"']{re.escape(read.name)}[\"']\])"
    return re.fullmatch(access, value.text.strip()) is not None


def _constants(facts: FileFacts) -> Iterator[Switch]:
    """Constants of the module that an `if` asks as a switch."""
    for entry in facts.assignments:
        value = entry.value
        if (
            value is None
            or entry.scope >= 0
            or value.kind is not ValueKind.BOOLEAN
            or not entry.target.isupper()
            or not _SWITCH.search(entry.target)
        ):
            continue
        if any(entry.target in branch.names for branch in facts.branches):
            yield Switch(entry.target, Place(facts.path, entry.line, entry.line), Reach.RELEASE)
