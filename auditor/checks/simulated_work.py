"""Work that is only pretended: a timer in place of a service, an answer of success from a function that does nothing, a form whose input goes nowhere.

Each finding rests on two signals: nothing is asked of anybody, and the result says that something was done (or a comment says that it is simulated).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.failures import is_pure, is_remote, is_write
from auditor.checks.invented_data import has_switch, is_made_for_it
from auditor.checks.pretences import success_in
from auditor.checks.reach import within
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, ValueKind

_SIMULATES = re.compile(
    r"\bsimulat\w+|\bmock(?:ed|ing)?\b|\bfake\b|\bdummy\b|in (?:a |the )?real(?:[ -](?:app\w*|world|life|implementation|project|scenario|system))|in production,? (?:this|you|we|it)(?:'d| would| should|\b)"
    r"|replace (?:this |it )?with (?:a |an |the |your )?(?:real|actual)|for (?:demo|demonstration)\b|demo purposes?|placeholder (?:implementation|response|result|logic|for)"
    r"|\b(?:TODO|FIXME)\b.{0,60}\b(?:implement|integrat|connect|send|call|api|backend|real|actual|replace|hook up)",
    re.IGNORECASE,
)
_NOT_SIMULATED = re.compile(r"simulat\w+ (?:click|event|key|typing|user)|\bmock(?:ed)? (?:in|for) tests?|simulator|test", re.IGNORECASE)
_DOES = re.compile(
    r"^_?(?:handle|on|do|perform)?_?(?:send|submit|process|charge|pay|checkout|verify|upload|save|book|register|login|log_?in|sign_?(?:in|up)|authenticate|reset|change_?password|invite|subscribe|contact|place_?order|refund|transfer|withdraw"
    r"|deposit|confirm|schedule|cancel|purchase|publish|export|sync|delete|update|create|order|payment)(?:[A-Z_]\w*)?$",
    re.IGNORECASE,
)
_SUBMITS = re.compile(
    r"^(?:handle|on)\w*(?:Submit|Send|Subscribe|Book\w*|Checkout|Pay\w*|Register|SignUp|Signup|Contact|Order|Reset\w*|Invite|Apply|Join)\w*$|^(?:submit|subscribe|sendMessage|placeOrder)\w*$"
)
_TIMERS = re.compile(r"^(?:setTimeout|window\.setTimeout|asyncio\.sleep|time\.sleep|sleep|delay|wait|new Promise|resolve)$")
_SHOWS = re.compile(
    r"^(?:toast(?:\.\w+)?|message\.success|notify|notification\.\w+|enqueueSnackbar|showToast|addToast|alert|Alert\.alert|Swal\.fire|setMessage|setStatus|setSuccess\w*)$"
)
_DONE_TEXT = re.compile(
    r"\b(?:sent|submitted|subscribed|booked|registered|placed|received|confirmed|processed|successful(?:ly)?|get back to you|contact you|thank(?:s| you) for (?:contacting|subscribing|reaching|your))\b",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\b(?:not|fail\w*|error|invalid|please|required|coming soon|demo|could|try|again|missing|must|copied|logged out)\b", re.IGNORECASE
)
_HARMLESS = re.compile(
    r"^(?:e|ev|evt|event)\??\.\w+$|\.preventDefault$|\.stopPropagation$|^set[A-Z]\w*$|(?:^|\.)(?:reset|resetForm|trim|toString|focus|blur|click|scrollIntoView|getTime|toISOString|toFixed|test|includes|push|keys|values|entries|isEmpty|validate\w*|isValid\w*)$"
    r"|^(?:console\.\w+|Date\.now|new Date|Math\.\w+|JSON\.\w+|String|Number|parseInt|parseFloat|Object\.\w+|Array\.\w+|new FormData|useState|setTimeout|clearTimeout|navigate|router\.(?:push|replace)|new Promise|resolve|logger\.\w+|logging\.\w+|log\.\w+|print"
    r"|time\.sleep|asyncio\.sleep|datetime\.\w+(?:\.\w+)?|uuid\.uuid4|uuidv4|str|int|float|len|dict|list|random\.\w+|window\.scrollTo)$"
)
_LEAVES_BY_OTHER_MEANS = re.compile(
    r"window\.(?:open|location)|location\.(?:href|assign)|mailto:|wa\.me|whatsapp|localStorage|sessionStorage|indexedDB|emailjs|netlify|formspree|\baction=|clipboard|navigator\.",
    re.IGNORECASE,
)
_ABSTRACT = re.compile(
    r"(?:Base|Abstract|Interface|Null|Noop|NoOp|Dummy|Fake|Mock|Stub|Console|Debug|InMemory|Memory|Test|Demo|Sandbox|Echo|Local)\w*$"
)
_SAYS_SO = re.compile(r"mock|fake|dummy|demo|stub|simulat|test|sandbox|example", re.IGNORECASE)
"""Names of functions that hide nothing: whoever calls them chose to."""
_LONGEST = 150  # lines of a function looked at
_MOST_CALLS = 60


class Uses:
    """Which exported functions of production code somebody calls or imports: one that nobody uses deceives nobody."""

    def __init__(self, files: tuple[FileFacts, ...]) -> None:
        self._imported = {
            (name, entry.module.rsplit("/", 1)[-1].rsplit(".", 1)[-1] if entry.from_form else _stem(entry.module))
            for facts in files
            for entry in facts.imports
            for name, _ in entry.names
        }
        self._through = {call.callee.rpartition(".")[2] for facts in files for call in facts.calls if "." in call.callee}

    def of(self, facts: FileFacts, found: Simulation) -> bool:
        """Whether the function may be reached by somebody; only an exported one that nobody names is not."""
        return self.reach(facts, next(d for d in facts.definitions if d.line == found.line and d.end_line == found.end_line))

    def reach(self, facts: FileFacts, definition: Definition) -> bool:
        """The same for any function."""
        if not definition.exported or definition.parent >= 0 or definition.decorators or definition.name in self._through:
            return True
        stem = _stem(facts.path)
        collected = ("index", *facts.path.split("/")[:-1])  # files and folders that may hand it on
        if any((name, stem) in self._imported for name in (definition.name, "default", "*")) or any(
            (definition.name, place) in self._imported for place in collected
        ):
            return True
        return any(call.callee == definition.name for call in facts.calls)

    def calls(self, name: str) -> bool:
        """Whether something calls a method of that name."""
        return name in self._through


def _stem(path: str) -> str:
    return re.sub(r"\.(?:[cm]?[jt]sx?|py|vue|svelte)$", "", path.rsplit("/", 1)[-1])


@dataclass(frozen=True, slots=True)
class Simulation:
    """A function that pretends to work. `serious`: it claims that something was sent, stored, paid or checked; `told` is the claim."""

    path: str
    line: int
    end_line: int
    rule: str
    name: str
    told: str
    serious: bool


def simulations(facts: FileFacts, text: str) -> tuple[Simulation, ...]:
    """The pretending functions of one production file; nothing where a switch is known or the file was made for it."""
    if is_made_for_it(facts.path):
        return ()
    said = [comment.line for comment in facts.comments if _SIMULATES.search(comment.text) and not _NOT_SIMULATED.search(comment.text)]
    lines = text.splitlines()
    done: set[int] = set()
    found: list[Simulation] = []
    for index, definition in enumerate(facts.definitions):
        if definition.kind is DefinitionKind.CLASS or definition.end_line - definition.line > _LONGEST or definition.parent in done:
            continue
        says = any(definition.line - 1 <= line <= definition.end_line for line in said) or bool(_SIMULATES.search(definition.docstring))
        if says or _DOES.match(definition.name) or _SUBMITS.match(definition.name):
            each = _simulated(facts, index, "\n".join(lines[definition.line - 1 : definition.end_line]), says=says)
            if each is not None:
                done.add(index)
                found.append(each)
    return () if found and has_switch(text) else tuple(found)


def _simulated(facts: FileFacts, index: int, code: str, *, says: bool) -> Simulation | None:
    definition = facts.definitions[index]
    owner = facts.definitions[definition.parent].name if definition.parent >= 0 else ""
    inside = within(facts, index)
    calls = [call for call in facts.calls if call.scope in inside]
    if (
        _ABSTRACT.search(owner)
        or _SAYS_SO.search(definition.name)
        or (not calls and not definition.name)
        or len(calls) > _MOST_CALLS
        or _LEAVES_BY_OTHER_MEANS.search(code)
    ):
        return None
    if any(is_remote(c.callee) or is_write(c.callee) for c in calls) or not all(_is_harmless(call) for call in calls):
        return None
    told = _claim(facts, index, inside, calls)
    if not told:
        return None
    waits = any(_is_timer(call) for call in calls)
    name = definition.name
    place = facts.path, definition.line, definition.end_line
    if says or (waits and _DOES.match(name)):
        rule = "simulated-service" if waits else "success-without-work"
        return Simulation(*place, rule, name or "this function", told, bool(_DOES.match(name) or _SUBMITS.match(name)))
    submits = _SUBMITS.match(name) and any(call.callee.endswith(".preventDefault") for call in calls)
    return Simulation(*place, "form-goes-nowhere", name, told, serious=True) if submits else None


def _is_harmless(call: Call) -> bool:
    return bool(
        _HARMLESS.search(call.callee)
        or _SHOWS.match(call.callee)
        or _TIMERS.match(call.callee)
        or (is_pure(call.callee) and not call.awaited)
    )


def _is_timer(call: Call) -> bool:
    if not _TIMERS.match(call.callee) or call.callee == "resolve":
        return False
    return call.awaited or call.callee.endswith("setTimeout") or call.callee == "time.sleep"


def _claim(facts: FileFacts, index: int, inside: frozenset[int], calls: list[Call]) -> str:
    """What the function says was done: a message on the screen, or an answer of success."""
    for call in calls:
        if _SHOWS.match(call.callee):
            texts = [a.value.literal for a in call.arguments] + [item.literal for a in call.arguments for _, item in a.value.items]
            said = next((text for text in texts if _DONE_TEXT.search(text)), "")
            if said and not any(_NOT_DONE.search(text) for text in texts):
                return f"“{said[:60]}”"
        if call.callee == "resolve" and (told := next((t for a in call.arguments if (t := success_in(a.value))), "")):
            return told
    for entry in facts.returns:
        if entry.scope in inside and entry.value is not None and (told := success_in(entry.value)):
            return told
        if (
            entry.scope == index
            and entry.value is not None
            and entry.value.kind is ValueKind.BOOLEAN
            and entry.value.literal.lower() == "true"
            and _DOES.match(facts.definitions[index].name)
        ):
            return "true"
    return ""
