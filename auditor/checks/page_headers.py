"""Rules a page gives the browser in its headers (content security policy, frames, content types), wherever the repository sets them."""

from __future__ import annotations

import re

from auditor.model.project import Kind, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Place

RULES = ("content security policy", "frames", "content types")
_NAMES = {
    "content security policy": re.compile(r"\bcontent-?security-?policy\b(?!-report-only)|\bcontent_security_policy\b", re.IGNORECASE),
    "frames": re.compile(r"\bx-frame-options\b|\bframe-ancestors\b|\bx_frame_options\b", re.IGNORECASE),
    "content types": re.compile(r"\bx-content-type-options\b|\bnosniff\b", re.IGNORECASE),
}
_HOSTING = re.compile(
    r"(?:^|/)(?:next\.config\.[cm]?[jt]s|nuxt\.config\.[jt]s|vercel\.json|netlify\.toml|_headers|firebase\.json|staticwebapp\.config\.json|Caddyfile[\w.-]*|[\w.-]*\.Caddyfile|\.htaccess|wrangler\.(?:toml|jsonc?)"
    r"|[\w.-]*nginx[\w.-]*|default\.conf(?:\.template)?|[\w.-]+\.nginx|httpd\.conf|app\.ya?ml|serve\.json|customHttp\.yml|docker-compose[\w.-]*\.ya?ml|compose[\w.-]*\.ya?ml|traefik[\w.-]*\.(?:ya?ml|toml))$"
    r"|\.tf$|(?:^|/)(?:nginx|caddy|traefik)/"
)
_LIBRARY = re.compile(
    r"^(?:helmet|koa-helmet|@fastify/helmet|hono/secure-headers|nuxt-security|next-safe|lusca|@nuxtjs/security|flask_talisman|talisman|secure|starlette_securityheaders|secweb|django_csp|csp(?:\..+)?)$",
    re.IGNORECASE,
)
_LIBRARY_CALL = re.compile(r"(?:^|\.)(?:helmet|secureHeaders|Talisman|SecureHeaders|Secure|SecWeb|shield)(?:\.\w+)?(?:\(\))?$")
_STATIC = re.compile(
    r"(?:^|\.)(?:static|StaticFiles|serveStatic|sendFile|render|TemplateResponse|render_template|useStaticAssets|ServeStaticModule\.forRoot|HTMLResponse|send_from_directory|FileResponse)$"
)
_META = re.compile(r"<meta[^>]{0,80}http-equiv\s*=\s*[{\"']{1,2}Content-Security-Policy", re.IGNORECASE)
_DJANGO_SECURITY, _DJANGO_FRAMES = "django.middleware.security.SecurityMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware"
_PAGE = re.compile(r"\.(?:html?|tsx|jsx|vue|svelte|astro|jinja2?|j2|ejs|pug|hbs)$")


def serves_pages(project: Project, texts: dict[str, str]) -> list[str]:
    """The roots of parts that show pages in a browser; desktop applications bring their own shell."""
    roots = []
    for part in project.parts:
        if not part.kinds & {Kind.FULLSTACK, Kind.FRONTEND} or Kind.APP in part.kinds or part.uses("tauri", "electron"):
            continue
        inside = [path for path in sorted(texts) if project.part_of(path).root == part.root]
        if any(_PAGE.search(path) or "render_template_string" in texts[path] or "HTMLResponse" in texts[path] for path in inside):
            roots.append(part.root)
    return roots


def page_rules(project: Project, syntax: Syntax, texts: dict[str, str]) -> dict[str, Place]:
    """The place that sets each of `RULES`, for those that are set."""
    found: dict[str, Place] = {}
    for path in sorted(texts):
        if _HOSTING.search(path) and not _of_documents(path, texts[path]):
            _collect(found, path, texts[path])
        elif path.endswith((".html", ".htm")) and (match := _META.search(texts[path])):
            line = texts[path].count("\n", 0, match.start()) + 1
            found.setdefault("content security policy", Place(path, line, line))
    for facts in syntax.of(project.server):
        part = project.part_of(facts.path)
        shows = (
            any(
                _STATIC.search(call.callee)
                for other in syntax.of(project.server)
                if project.part_of(other.path).root == part.root
                for call in other.calls
            )
            if part.kinds == frozenset({Kind.SERVICE})
            else True
        )
        if not shows or "supabase/functions/" in facts.path or part.kinds <= {Kind.CLI, Kind.LIBRARY, Kind.PIPELINE}:
            continue
        text = texts.get(facts.path, "")
        if any(_LIBRARY.match(statement.module) for statement in facts.imports):
            for call in facts.calls:
                if _LIBRARY_CALL.search(call.callee) or any(_LIBRARY_CALL.search(a.value.literal) for a in call.arguments):
                    for rule in RULES:
                        found.setdefault(rule, Place(facts.path, call.line, call.end_line))
        for literal in facts.literals:
            if literal.text == _DJANGO_SECURITY:
                found.setdefault("content types", Place(facts.path, literal.line, literal.line))
            elif literal.text == _DJANGO_FRAMES:
                found.setdefault("frames", Place(facts.path, literal.line, literal.line))
            elif literal.text.startswith(("csp.middleware", "django.middleware.csp")):
                found.setdefault("content security policy", Place(facts.path, literal.line, literal.line))
        if any(_sets(call.callee) for call in facts.calls) or re.search(r"headers\s*(?:\[|\()|\bheaders\s*[:=]", text):
            _collect(found, facts.path, text, code=True)
    return found


def _sets(callee: str) -> bool:
    return callee.rsplit(".", 1)[-1] in {
        "setHeader",
        "header",
        "set",
        "append",
        "addHeader",
        "add_header",
        "setdefault",
        "update",
        "writeHead",
    }


def _collect(found: dict[str, Place], path: str, text: str, *, code: bool = False) -> None:
    for rule, pattern in _NAMES.items():
        if rule in found:
            continue
        for match in pattern.finditer(text[:400_000]):
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            line = text[start : end if end >= 0 else len(text)]
            if line.lstrip().startswith(("#", "//", "*")) or (code and not _writes(line)):
                continue
            number = text.count("\n", 0, match.start()) + 1
            found[rule] = Place(path, number, number)
            break


def _writes(line: str) -> bool:
    """Whether a line of code gives the header a value; a list of known header names gives none."""
    return (
        len(line) < 2_000
        and bool(re.search(r"['\"]\s*[,:\]]\s*\S|frame-ancestors\s+\S|default-src|=\s*\S", line))
        and not re.match(r"^\s*['\"][\w-]+['\"],?\s*$", line)
    )


def _of_documents(path: str, text: str) -> bool:
    """Hosting settings of a site made of documents, not of the product."""
    return path.endswith("netlify.toml") and bool(re.search(r"mkdocs|docusaurus|vitepress|hugo|jekyll|base\s*=\s*\"/?docs", text))
