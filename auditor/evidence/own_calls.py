"""Evidence OWN_CALLS: calls over HTTP that may be meant for this system's own endpoints, from code and from pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from auditor.evidence.own_calls_clients import Sent
from auditor.evidence.own_calls_values import Hole, Pieces, carries_a_path
from auditor.evidence.own_calls_wrappers import Clients
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.route_names import Names
from auditor.evidence.route_table import place_of
from auditor.languages.embedded_scripts import page_scripts, text_scripts
from auditor.languages.script import read_script
from auditor.model.artifacts import Manifests
from auditor.model.evidence import OwnCall, OwnCalls
from auditor.model.need import Known, Unavailable
from auditor.model.needs import MANIFESTS, OWN_CALLS, PROJECT, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax

_LOCAL = re.compile(
    r"^(?:https?:)?//(?P<host>(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|[a-z][\w-]*)(?::(?:\d+|\{\}))?)(?=[/?#]|$)", re.IGNORECASE
)
"""A host of one word is a service of the same network."""
_ELSEWHERE = re.compile(r"^(?:[a-z][\w+.-]*:|//)", re.IGNORECASE)
_FILE = re.compile(
    r"\.(?:json|js|mjs|css|html?|xml|txt|md|svg|png|jpe?g|gif|webp|ico|wasm|csv|ttf|woff2?|pdf|mp[34]|webmanifest|geojson|map|yaml|glb|lottie|mdx)$",
    re.IGNORECASE,
)
_INVOKES = re.compile(r"(?:^|\.)functions\.invoke$")
_LONGEST_PAGE = 1_000_000
_EMBEDDED = "#script.js"
"""What is added to the path of a page to name the scripts inside it."""
_QUERY = re.compile(r"quer|param|search|filter|(?:^|\W)qs(?:\W|$)|\?", re.IGNORECASE)
_HTMX = {"hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-patch": "PATCH", "hx-delete": "DELETE"}


@provides(OWN_CALLS, needs=(SNAPSHOT, TEXTS, SYNTAX, MANIFESTS, PROJECT))
def own_calls(
    _context: Context, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests, project: Project
) -> Known[OwnCalls] | Unavailable:
    """The calls of all production files and of the scripts and forms of pages."""
    names = Names(snapshot, texts, syntax, manifests)
    files = list(syntax.of(project.production))
    calls: list[OwnCall] = []
    unread: list[tuple[str, str]] = []
    for file in snapshot.files:
        text = texts.get(file.path, "")
        if file.role is not Role.FIRST_PARTY or file.language not in {Language.HTML, Language.PYTHON} or len(text) > _LONGEST_PAGE:
            continue
        if file.language is Language.HTML:
            calls += _marked(file.path, text)
        if "<script" in text:
            code = page_scripts(text) if file.language is Language.HTML else text_scripts(text)
            facts = read_script(file.path + _EMBEDDED, code, Language.JAVASCRIPT)
            names.facts[facts.path] = facts
            files.append(facts)
    clients = Clients(names, files)
    for facts, sent in clients.find():
        call = _own_call(facts, sent)
        if isinstance(call, str):
            unread.append((f"{facts.path.removesuffix(_EMBEDDED)}:{sent.call.line}", call))
        elif call is not None:
            calls.append(call)
    calls += [call for facts in files for call in _invoked(facts)]
    ordered = sorted(set(calls), key=lambda c: (c.place.path, c.place.line, c.method, c.base, c.address, c.callee))
    return Known(
        OwnCalls(tuple(ordered), tuple(sorted(set(unread))), len(clients.brought)),
        own_stamp(),
        frozenset(facts.path for facts in files if not facts.path.endswith(_EMBEDDED)),
    )


def _own_call(facts: FileFacts, sent: Sent) -> OwnCall | str | None:
    """The call, why its address cannot be read, or None for what is sent to somebody else."""
    pieces = _merged(sent.addresses[0])
    base, text, loose = _base(pieces)
    if base is None:
        return None
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    if path in {"", "/"}:
        return None if _is_stated(pieces) else "the address of this call is computed"
    if not re.search(r"[A-Za-z]", path.replace("{}", "").replace("{*}", "")):
        return "the address of this call is computed"
    if _FILE.search(path):
        return None
    method = sent.method if isinstance(sent.method, str) else "ANY"
    place = place_of(facts.path.removesuffix(_EMBEDDED), sent.call.line)
    return OwnCall(place, method, base, re.sub(r"/{2,}", "/", "/" + path.lstrip("/")), sent.call.callee, loose)


def _is_stated(pieces: Pieces) -> bool:
    """Whether an address without a path is one on purpose: the start page, or what a setting holds as a whole."""
    return all(isinstance(piece, str) or piece.kind in {"setting", "origin"} for piece in pieces)


def _merged(pieces: Pieces) -> Pieces:
    """Neighbouring texts as one, empty ones left out."""
    found: list[str | Hole] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def _base(pieces: Pieces) -> tuple[str | None, str, bool]:
    """(base, what follows, whether the base may hold a part of the path); base None is another host."""
    if not pieces:
        return None, "", False
    first = pieces[0]
    if isinstance(first, Hole):
        rest = _text(pieces[1:])
        if first.kind == "origin":
            return "", rest, False
        return f"{'setting' if first.kind == 'setting' else 'name'}:{first.text}", rest, True
    text = _text(pieces)
    local = _LOCAL.match(text)
    if local is not None:
        return f"host:{local['host']}", text[local.end() :], False
    if re.match(r"https?://\{\}", text):
        return "name:host", re.sub(r"^https?://(?:\{\}|[\w.:-])+", "", text), True
    if _ELSEWHERE.match(text):
        return None, "", False
    if text.startswith("/"):
        return "", text, False
    return ("name:page", text, True) if re.match(r"[\w.{}-]+/", text) else (None, "", False)


def _text(pieces: Pieces) -> str:
    """The address as far as it is known: "{}" for one segment, "{*}" for what may be several; it ends where a query is put on."""
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += re.sub(r"\{\w+\}", "{}", piece)
        elif text and not text.endswith("/") and _QUERY.search(piece.text):
            break
        else:
            text += "{*}" if carries_a_path(piece) else "{}"
    return text


def _invoked(facts: FileFacts) -> Iterator[OwnCall]:
    for call in facts.calls:
        name = call.argument("", 0)
        if _INVOKES.search(call.callee) and name is not None and re.fullmatch(r"[\w-]+(?:/[\w/-]*)?", name.literal):
            address = f"/functions/v1/{name.literal.partition('/')[0]}"
            yield OwnCall(place_of(facts.path, call.line), "ANY", "functions:", address, call.callee)


class _Marks(HTMLParser):
    """Forms and HTMX attributes of a page."""

    def __init__(self, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.found: list[OwnCall] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag sends, and where."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("action"):
            self._note(given["action"], given.get("method", "get").upper(), "form")
        for name, method in _HTMX.items():
            if given.get(name) or given.get(f"data-{name}"):
                self._note(given.get(name) or given[f"data-{name}"], method, name)

    def _note(self, address: str, method: str, callee: str) -> None:
        text = re.split(r"[?#]", re.sub(r"\{\{.*?\}\}|<%.*?%>|\$\{.*?\}|\[\[.*?\]\]", "{}", address.strip()), maxsplit=1)[0]
        if (
            text.startswith("/")
            and not text.startswith("//")
            and "{%" not in text
            and re.search(r"[A-Za-z]", text)
            and method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
            and not _FILE.search(text)
        ):
            self.found.append(OwnCall(place_of(self.path, self.getpos()[0]), method, "", text, callee))


def _marked(path: str, text: str) -> list[OwnCall]:
    marks = _Marks(path)
    marks.feed(text)
    return marks.found
