"""No server-side secret is delivered to the browser or mobile app.

Passing title: What the browser gets holds no secret
Failing title: A secret is delivered to everybody who opens the page
Grading: Fail when code for the browser holds a working credential, reads a secret through a prefix that bundlers paste into the page (NEXT_PUBLIC_, VITE_, REACT_APP_,
    EXPO_PUBLIC_ and the like), calls a paid service with the owner's key, or checks a password that stands in the page. Partial for a vendor's key that is made
    for the browser but needs to be restricted there (maps, weather), and for a secret's name with such a prefix that only server code reads.
Done when: the calls go through a route of the server, the keys that were delivered are replaced, and keys made for the browser are restricted to the site's address.
What it cannot see: whether a key is restricted at the vendor's, and what a build that is not in the repository adds to the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.known_logins import compared_passwords
from auditor.checks.registry import check
from auditor.model.evidence import Secrets
from auditor.model.needs import PROJECT, SECRETS, SNAPSHOT, TEXTS
from auditor.model.project import Kind, Project, Side
from auditor.model.snapshot import SCRIPT_LANGUAGES, Language, Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.secret_names import words_of
from auditor.words import plural

_PREFIXES = "NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|NUXT_ENV|GATSBY|VUE_APP|NG_APP|STORYBOOK|PUBLIC|RSBUILD|PARCEL"
_READ = re.compile(
    rf"(?:import\.meta\.env|process\.env|\benv)(?:\?\.|\.|\[[\"'])(?P<name>(?:{_PREFIXES})_\w{{2,80}})|import\s*\{{[^}}]{{0,400}}?\b(?P<svelte>PUBLIC_\w{{2,80}})\b[^}}]{{0,400}}\}}\s*from\s*[\"']\$env/static/public"
)
_DEFINED = re.compile(
    r"[\"'`]?(?:process\.env\.|import\.meta\.env\.|__)(?P<target>\w{2,80})[\"'`]?\s*:\s*JSON\.stringify\(\s*(?:process\.env|env|loaded\w*|envs?)(?:\.|\[[\"'])(?P<source>\w{2,80})"
)
_NEXT_ENV = re.compile(r"\benv\s*:\s*\{(?P<body>[^{}]{1,3000})\}")
_NEXT_ENTRY = re.compile(r"\b(?P<source>[A-Z][A-Z0-9_]{3,80})\s*:\s*process\.env\.")
_IN_BROWSER = re.compile(
    r"dangerouslyAllowBrowser\s*:\s*true|dangerously-allow-browser[\"'`]?\s*:\s*[\"'`]?true|anthropic-dangerous-direct-browser-access",
    re.IGNORECASE,
)
_KEY_ARGUMENT = re.compile(r"(?:apiKey|api_key|[\"']?x-api-key[\"']?)\s*:\s*(?P<value>[^,}\n]{1,200})")
_OWNERS_KEY = re.compile(r"import\.meta\.env|process\.env|\benv\.|^\s*[\"'`][^\"'`]{12,}|\b(?:OPENAI|ANTHROPIC|GEMINI|GROQ)_API_KEY\b")
_RENDERED = re.compile(
    r"\{\{-?\s*(?:config|settings|env|app\.config|os\.environ|current_app\.config)(?:\.|\[[\"']|\.get\([\"'])(?P<name>\w{3,80})"
)
_SECRET_WORDS = frozenset(
    {"secret", "secrets", "private", "password", "passwd", "pwd", "passphrase", "credentials", "signing", "encryption"}
)
_PAID = frozenset({"openai", "anthropic", "claude", "gemini", "genai", "groq", "mistral", "cohere", "deepseek", "openrouter", "perplexity", "replicate", "huggingface", "hf", "elevenlabs", "sendgrid", "resend", "twilio", "tavily", "serpapi", "pinecone", "together", "fireworks", "xai", "stability", "mailgun", "postmark", "brevo", "langsmith", "assemblyai", "deepgram", "airtable", "notion", "gpt"})  # fmt: skip
_FOR_BROWSER = frozenset({"anon", "publishable", "public", "site", "firebase", "posthog", "sentry", "dsn", "recaptcha", "turnstile", "hcaptcha", "analytics", "amplitude", "mixpanel", "segment", "pusher", "algolia", "clerk", "ga", "gtm", "measurement", "vapid", "onesignal", "intercom", "crisp", "statsig", "launchdarkly", "growthbook", "widget", "client", "app", "search", "hotjar", "clarity", "emailjs"})  # fmt: skip
_ABOUT_SECRETS = frozenset(
    {"site", "hint", "min", "max", "length", "reset", "url", "path", "enabled", "policy", "pattern", "regex", "public", "login"}
)
_FRONT_KINDS = frozenset({Kind.FRONTEND, Kind.FULLSTACK})
_BUNDLER = re.compile(r"(?:^|/)(?:vite|rsbuild|webpack|rspack|next|nuxt|astro|craco|vue)\.config\.[cm]?[jt]s$")
_COMMENT = re.compile(r"^\s*(?://|\*|/\*|#|<!--)")


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A witness and how much it counts: 1 for a secret, 0.4 for a key to be restricted."""

    finding: Finding
    weight: float


@check("secrets.none-in-client", needs=(SECRETS, PROJECT, SNAPSHOT, TEXTS))
def none_in_client(secrets: Secrets, project: Project, snapshot: Snapshot, texts: dict[str, str]) -> Judgement:
    """Judge what is delivered to the browser."""
    pages = _pages(snapshot)
    bundled = frozenset(
        file.path
        for file in snapshot.files
        if file.language in SCRIPT_LANGUAGES and file.role is Role.FIRST_PARTY and _delivered(file.path, project)
    )
    built = _built(snapshot)
    if not pages and not bundled and not built:
        return NotApplicable("There is no code for a browser or a mobile app.")
    found = [*_credentials(secrets, bundled | pages | built | _bundled_data(secrets, bundled, texts))]
    for path in sorted(project.production & project.sides.keys()):
        found += _prefixed(path, texts.get(path, ""), in_browser=path in bundled)
    for path in sorted(bundled):
        found += _direct_calls(path, texts.get(path, ""))
        found += _page_passwords(path, texts.get(path, ""))
    for path in sorted(pages):
        found += _rendered(path, texts.get(path, ""))
        found += _page_passwords(path, texts.get(path, ""))
    found += _pasted_by_bundler(snapshot, texts, bundled)
    return _assessed(found, len(bundled | pages | built))


def _assessed(found: list[_Delivered], files: int) -> Assessed:
    found.sort(key=lambda entry: (-entry.weight, entry.finding.path, entry.finding.line))
    worst = max((entry.weight for entry in found), default=0.0)
    if worst >= 1:
        summary = f"{plural(sum(entry.weight >= 1 for entry in found), 'secret')} delivered to everybody who opens the page."
    elif found:
        summary = f"{plural(len(found), 'key')} for the browser that {'has' if len(found) == 1 else 'have'} to be restricted at the vendor's or renamed."
    else:
        summary = f"No secret in {plural(files, 'file')} that the browser gets."
    sure = Confidence.HIGH if not found or any(entry.finding.confidence is Confidence.HIGH for entry in found) else Confidence.MEDIUM
    return Assessed(
        0,
        0,
        summary,
        worst,
        tuple(entry.finding for entry in found),
        signals=(f"{plural(files, 'file')} for the browser",),
        confidence=sure,
    )


def _delivered(path: str, project: Project) -> bool:
    side = project.sides.get(path)
    if side in {Side.BROWSER, Side.BOTH}:
        return True
    return side is Side.UNKNOWN and bool(project.part_of(path).kinds & _FRONT_KINDS) and path in project.production


def _pages(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(file.path for file in snapshot.files if file.language is Language.HTML and file.role is Role.FIRST_PARTY)


def _built(snapshot: Snapshot) -> frozenset[str]:
    """Bundles that were committed: what they hold is delivered as it is."""
    roles = {Role.GENERATED, Role.MINIFIED}
    return frozenset(
        file.path
        for file in snapshot.files
        if file.role in roles
        and file.language is Language.JAVASCRIPT
        and re.search(r"(?:^|/)(?:dist|public|static|build|assets|www|out)/", file.path)
    )


def _bundled_data(secrets: Secrets, bundled: frozenset[str], texts: dict[str, str]) -> frozenset[str]:
    """JSON files with a credential that code for the browser imports: the bundler writes them into the page."""
    held = {secret.path for secret in secrets.found if secret.path.endswith(".json")}
    code = "\n".join(texts.get(path, "") for path in sorted(bundled)) if held else ""
    return frozenset(
        path
        for path in held
        if re.search(rf"""(?:from|import|require\()\s*["'][^"'\n]{{0,200}}\b{re.escape(path.rpartition("/")[2])}["']""", code)
    )


def _credentials(secrets: Secrets, paths: frozenset[str]) -> Iterator[_Delivered]:
    for secret in secrets.found:
        if secret.path not in paths or secret.certainty != "working":
            continue
        if secret.kind == "google-api-key":
            message = "A Google key stands in the page: whoever opens it can use the key, unless it is restricted to the site's address and to the services the page needs."
            yield _Delivered(
                Finding("restrict-key", secret.path, message, secret.line, secret.line, Confidence.MEDIUM, "secrets", 522), 0.4
            )
            continue
        kind = secret.kind.replace("-", " ")
        message = f"A credential ({kind}, {secret.length} characters) stands in code for the browser: view-source shows it, and strangers act with it on the owner's account."
        sure = Confidence.MEDIUM if secret.kind in {"password", "api-key", "signing-key"} else Confidence.HIGH
        yield _Delivered(Finding("secret-in-page", secret.path, message, secret.line, secret.line, sure, "secrets", 200), 1.0)


def _weight_of_name(name: str) -> float:
    """1 for the name of a secret, 0.4 for a vendor's key that has to be restricted, 0 for what is made for the page."""
    words = set(words_of(re.sub(rf"^(?:{_PREFIXES})_", "", name)))
    if {"service", "role"} <= words or ({"service", "key"} <= words and "supabase" in words):
        return 1.0
    if _SECRET_WORDS & words and not _ABOUT_SECRETS & words:
        return 1.0
    keyed = bool({"key", "token", "apikey"} & words)
    if keyed and _PAID & words:
        return 1.0
    if {"access", "token"} <= words and {"github", "gitlab", "slack", "facebook", "instagram", "meta", "aws"} & words:
        return 1.0
    named_key = {"api", "key"} <= words or "apikey" in words or (keyed and bool({"mapbox", "maps"} & words))
    return 0.4 if named_key and not _FOR_BROWSER & words else 0.0


def _prefixed(path: str, text: str, *, in_browser: bool) -> Iterator[_Delivered]:
    seen = set()
    for found in _READ.finditer(text):
        name = found["name"] or found["svelte"]
        weight = _weight_of_name(name)
        if not weight or name in seen or _COMMENT.match(_line_text(text, found.start())):
            continue
        seen.add(name)
        line = _line(text, found.start())
        if weight >= 1 and in_browser:
            message = f"`{name}` is pasted into the page by the bundler: everybody who opens the page can read the secret and use it."
            yield _Delivered(Finding("secret-with-public-prefix", path, message, line, line, Confidence.HIGH, "syntax", 200), 1.0)
        elif weight >= 1:
            message = f"`{name}` has a prefix that tells the bundler to publish it, though only server code reads it here: one use in the page delivers the secret."
            yield _Delivered(Finding("misleading-prefix", path, message, line, line, Confidence.MEDIUM, "syntax", 200), 0.4)
        elif in_browser:
            message = f"`{name}` is a vendor's key in the page: strangers can use it up, unless it is restricted to the site's address."
            yield _Delivered(Finding("restrict-key", path, message, line, line, Confidence.MEDIUM, "syntax", 522), 0.4)


def _direct_calls(path: str, text: str) -> Iterator[_Delivered]:
    for found in _IN_BROWSER.finditer(text):
        around = text[max(0, found.start() - 500) : found.end() + 500]
        key = _KEY_ARGUMENT.search(around)
        if key is None or not _OWNERS_KEY.search(key["value"]):
            continue
        line = _line(text, found.start())
        message = (
            "The page calls a paid AI service directly with the owner's key: view-source shows the key, and strangers run up the bill."
        )
        yield _Delivered(Finding("paid-call-from-page", path, message, line, line, Confidence.HIGH, "syntax", 522), 1.0)


def _page_passwords(path: str, text: str) -> Iterator[_Delivered]:
    for line, name in compared_passwords(text):
        message = f"The page itself compares `{name}` with a password that is delivered with it: everybody can read the password, or skip the check."
        yield _Delivered(Finding("password-in-page", path, message, line, line, Confidence.HIGH, "syntax", 603), 1.0)


def _rendered(path: str, text: str) -> Iterator[_Delivered]:
    for found in _RENDERED.finditer(text):
        if _weight_of_name(found["name"]) >= 1:
            line = _line(text, found.start())
            message = f"The template writes the setting `{found['name']}` into the page: everybody who opens it can read the secret."
            yield _Delivered(Finding("secret-rendered", path, message, line, line, Confidence.HIGH, "syntax", 200), 1.0)


def _pasted_by_bundler(snapshot: Snapshot, texts: dict[str, str], bundled: frozenset[str]) -> Iterator[_Delivered]:
    for file in snapshot.files:
        if not _BUNDLER.search(file.path) or file.role in {Role.TEST, Role.EXAMPLE, Role.VENDORED} or file.path not in texts:
            continue
        text = texts[file.path]
        pasted = [(found["source"], found["target"], found.start()) for found in _DEFINED.finditer(text)]
        for block in _NEXT_ENV.finditer(text):
            pasted += [
                (entry["source"], entry["source"], block.start("body") + entry.start()) for entry in _NEXT_ENTRY.finditer(block["body"])
            ]
        for source, target, position in pasted:
            if _weight_of_name(source) < 1 or _COMMENT.match(_line_text(text, position)):
                continue
            used = any(target in texts.get(path, "") for path in bundled)
            line = _line(text, position)
            message = f"The bundler's settings paste `{source}` into the page{'' if used else ' as soon as code for the browser names it'}: everybody who opens it can read the secret."
            yield _Delivered(
                Finding("pasted-by-bundler", file.path, message, line, line, Confidence.HIGH if used else Confidence.MEDIUM, "syntax", 200),
                1.0 if used else 0.4,
            )


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _line_text(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start : start + 200]
