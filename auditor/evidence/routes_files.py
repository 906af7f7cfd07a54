"""Endpoints declared by where a file stands: Next.js, SvelteKit, Nuxt, Remix, Supabase, Firebase, Vercel, Netlify and Cloudflare functions, Streamlit pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from auditor.evidence.route_table import Table, place_of
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.project import Project
from auditor.model.syntax import Call, DefinitionKind, FileFacts

_HTTP = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_CODE = r"\.(?:[cm]?[jt]sx?)$"
_APP_ROUTE = re.compile(rf"^(?:src/)?app/(?:(?P<path>.+)/)?route{_CODE}")
_APP_PAGE = re.compile(rf"^(?:src/)?app/(?:(?P<path>.+)/)?page{_CODE}")
_PAGES_API = re.compile(rf"^(?:src/)?pages/(?P<path>api/.+?){_CODE}")
_PAGES = re.compile(r"^(?:src/)?pages/(?P<path>(?!_app|_document|_error|api/).+?)\.[jt]sx?$")
_SVELTE = re.compile(r"^src/routes/(?:(?P<path>.+)/)?\+(?P<what>server|page\.server|page)\.(?:[jt]s|svelte)$")
_NUXT = re.compile(r"^server/(?P<where>api|routes)/(?P<path>.+?)(?:\.(?P<verb>get|post|put|patch|delete))?\.[jt]s$")
_REMIX = re.compile(r"^app/routes/(?P<path>.+?)\.[jt]sx?$")
_ASTRO = re.compile(r"^src/pages/(?P<path>.+?)\.[jt]s$")
_WORKER = re.compile(r"(?:^|/)(?:worker|workers|src)/(?:index|worker|main)\.[jt]s$|(?:^|/)(?:index|worker)\.[jt]s$")
_SUPABASE = re.compile(r"(?:^|/)supabase/functions/(?P<path>[^/_][^/]*)/index\.[jt]s$")
_SERVERLESS = re.compile(rf"^(?:(?P<netlify>netlify/functions)|api)/(?P<path>.+?){_CODE}")
_FIREBASE = re.compile(r"^(?:\w+(?:\(\))?\.)*(?:https\.)?(?P<what>onRequest|onCall)$")


def file_routes(table: Table, files: Iterable[FileFacts], project: Project) -> None:
    """Endpoints of all file conventions that the part of each file uses."""
    for facts in files:
        part = project.part_of(facts.path)
        inner = facts.path[len(part.root) + 1 :] if part.root else facts.path
        if part.uses("nextjs"):
            _next(table, facts, inner)
        elif part.uses("sveltekit"):
            _sveltekit(table, facts, inner)
        elif part.uses("nuxt"):
            _nuxt(table, facts, inner)
        elif part.uses("remix"):
            _remix(table, facts, inner)
        elif part.uses("astro"):
            _astro(table, facts, inner)
        else:
            _serverless(table, facts, inner)
        if part.uses("cloudflare-workers") or "wrangler" in part.root or _WORKER.search(facts.path):
            _worker(table, facts)
        _supabase(table, facts)
        _firebase(table, facts)


def _exported(facts: FileFacts) -> dict[str, str]:
    """Exported name -> local name, values only."""
    return {export.name: export.local or export.name for export in facts.exports if not export.type_only}


def _definition(facts: FileFacts, local: str) -> int:
    top = [index for index, d in enumerate(facts.definitions) if d.parent == -1 and d.name == local and d.kind is not DefinitionKind.CLASS]
    return top[-1] if top else -1


def _add(table: Table, facts: FileFacts, local: str, shape: Route) -> None:
    inner, through = _wrapped(facts, local)
    named = _definition(facts, local)
    index = named if named >= 0 else inner
    place = place_of(facts.path, facts.definitions[index].line) if index >= 0 else shape.place
    table.add(None, replace(shape, handler=local, place=place, handler_scope=index, through=through), place.line)


def _shape(facts: FileFacts, kind: RouteKind, method: str, path: str, framework: str, *, line: int) -> Route:
    return Route(kind, method, path, "", place_of(facts.path, line), framework)


def _wrapped(facts: FileFacts, local: str) -> tuple[int, tuple[str, ...]]:
    """`export const POST = withAuth(async () => ...)`: the function inside and the names around it."""
    for call in facts.calls:
        if (
            call.target == local or (local == "default" and not call.target and call.scope == -1 and _is_default(facts, call))
        ) and call.scope == -1:
            inside = [i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.parent == -1]
            named = [_definition(facts, argument.value.literal) for argument in call.arguments if argument.value.literal]
            found = inside or [index for index in named if index >= 0]
            return (found[-1] if found else -1), tuple(_around(facts, call))
    return -1, ()


def _around(facts: FileFacts, call: Call) -> Iterator[str]:
    """What stands around a handler: a wrapper; of a chain such as `authClient.schema(x).action(...)` its beginning and its `.use(...)`."""
    if "()." not in call.callee:
        yield call.callee
        return
    head = call.callee.split("()", maxsplit=1)[0]
    yield head.rpartition(".")[0] or head
    for other in facts.calls:
        if other.callee.endswith(".use") and other.callee.startswith(head) and call.line <= other.line and other.end_line <= call.end_line:
            yield from (argument.value.literal for argument in other.arguments if argument.value.literal)


def _is_default(facts: FileFacts, call: Call) -> bool:
    return any(export.name == "default" and export.line <= call.line <= export.line + 1 for export in facts.exports)


def _line(facts: FileFacts, name: str) -> int:
    return next((export.line for export in facts.exports if export.name == name), 1)


# -- Next.js -----------------------------------------------------------------------------------------------------------------------


def _segments(path: str | None) -> str:
    """The URL of an app folder: groups and slots are no part of it."""
    parts = [part for part in (path or "").split("/") if part and not part.startswith(("(", "@"))]
    return "/" + "/".join(parts)


def _next(table: Table, facts: FileFacts, inner: str) -> None:
    exported = _exported(facts)
    if route := _APP_ROUTE.match(inner):
        for method in sorted(_HTTP & set(exported)):
            _add(
                table,
                facts,
                exported[method],
                _shape(facts, RouteKind.HTTP, method, _segments(route["path"]), "nextjs", line=_line(facts, method)),
            )
    elif api := _PAGES_API.match(inner):
        if "default" in exported:
            _add(
                table,
                facts,
                exported["default"],
                _shape(facts, RouteKind.HTTP, "ANY", "/" + api["path"].removesuffix("/index"), "nextjs", line=_line(facts, "default")),
            )
    elif page := _APP_PAGE.match(inner):
        _add(
            table,
            facts,
            exported.get("default", ""),
            _shape(facts, RouteKind.PAGE, "GET", _segments(page["path"]), "nextjs", line=_line(facts, "default")),
        )
    elif (page := _PAGES.match(inner)) and "default" in exported:
        path = "/" + re.sub(r"(?:^|/)index$", "", page["path"])
        _add(table, facts, exported["default"], _shape(facts, RouteKind.PAGE, "GET", path, "nextjs", line=_line(facts, "default")))
    _actions(table, facts, exported)
    _inline_actions(table, facts)


def _inline_actions(table: Table, facts: FileFacts) -> None:
    """Functions inside a component that say "use server" themselves."""
    for literal in facts.literals:
        definition = facts.definitions[literal.scope] if literal.text == "use server" and literal.scope >= 0 else None
        if definition is None or not definition.line <= literal.line <= definition.line + 3:
            continue
        name = definition.name or f"line {definition.line}"
        place = place_of(facts.path, definition.line)
        table.add(None, Route(RouteKind.ACTION, "POST", f"action:{name}", name, place, "nextjs", literal.scope), definition.line)


def _actions(table: Table, facts: FileFacts, exported: dict[str, str]) -> None:
    """Server actions: every exported function of a "use server" file can be called by anybody who can reach the site."""
    if "use server" not in facts.directives:
        return
    for name, local in sorted(exported.items()):
        if name != "*" and (_definition(facts, local) >= 0 or _wrapped(facts, local)[0] >= 0):
            _add(table, facts, local, _shape(facts, RouteKind.ACTION, "POST", f"action:{name}", "nextjs", line=_line(facts, name)))


# -- others ------------------------------------------------------------------------------------------------------------------------


def _sveltekit(table: Table, facts: FileFacts, inner: str) -> None:
    found = _SVELTE.match(inner)
    if not found:
        return
    exported = _exported(facts)
    path = _segments(found["path"])
    if found["what"] == "server":
        for method in sorted(_HTTP & set(exported)):
            _add(table, facts, exported[method], _shape(facts, RouteKind.HTTP, method, path, "sveltekit", line=_line(facts, method)))
    elif found["what"] == "page.server":
        for assignment in facts.assignments:
            if assignment.target == "actions" and assignment.value is not None and assignment.scope == -1:
                for name, _ in assignment.value.items:
                    index = next((i for i, d in enumerate(facts.definitions) if d.name == name), -1)
                    place = place_of(facts.path, facts.definitions[index].line if index >= 0 else assignment.line)
                    table.add(None, Route(RouteKind.ACTION, "POST", f"{path}?/{name}", name, place, "sveltekit", index), place.line)
        if "load" in exported:
            _add(table, facts, exported["load"], _shape(facts, RouteKind.PAGE, "GET", path, "sveltekit", line=_line(facts, "load")))


def _nuxt(table: Table, facts: FileFacts, inner: str) -> None:
    found = _NUXT.match(inner)
    if found and "default" in _exported(facts):
        prefix = "/api/" if found["where"] == "api" else "/"
        method = (found["verb"] or "any").upper()
        _add(
            table,
            facts,
            "default",
            _shape(facts, RouteKind.HTTP, method, prefix + found["path"].removesuffix("/index"), "nuxt", line=_line(facts, "default")),
        )


def _remix(table: Table, facts: FileFacts, inner: str) -> None:
    found = _REMIX.match(inner)
    if not found:
        return
    exported = _exported(facts)
    parts = re.sub(r"\.?_index$", "", found["path"]).replace("+/", "/").replace(".", "/").replace("$", ":").split("/")
    path = "/" + "/".join(part for part in parts if part and not part.startswith("_"))  # a leading underscore marks a layout without a path
    for name, method in (("loader", "GET"), ("action", "POST")):
        if name in exported:
            _add(table, facts, exported[name], _shape(facts, RouteKind.HTTP, method, path, "remix", line=_line(facts, name)))


def _astro(table: Table, facts: FileFacts, inner: str) -> None:
    """Endpoints beside the pages, and actions."""
    exported = _exported(facts)
    found = _ASTRO.match(inner)
    for method in sorted((_HTTP | {"ALL"}) & set(exported)) if found else ():
        path = "/" + re.sub(r"(?:^|/)index$", "", found["path"]) if found else ""
        shape = _shape(facts, RouteKind.HTTP, method.replace("ALL", "ANY"), path, "astro", line=_line(facts, method))
        _add(table, facts, exported[method], shape)
    for call in facts.calls:
        if call.callee == "defineAction":
            inside = [i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.name == "handler"]
            index = inside[0] if inside else -1
            place = place_of(facts.path, facts.definitions[index].line if index >= 0 else call.line)
            table.add(None, Route(RouteKind.ACTION, "POST", f"action:{call.line}", "handler", place, "astro", index), call.line)


def _worker(table: Table, facts: FileFacts) -> None:
    """`export default { async fetch(request, env) {...} }`: one function for everything."""
    line = next((export.line for export in facts.exports if export.name == "default"), 0)
    for index, definition in enumerate(facts.definitions):
        if (
            line
            and definition.name == "fetch"
            and definition.parent == -1
            and line <= definition.line <= line + 3
            and definition.parameters
        ):
            place = place_of(facts.path, definition.line)
            table.add(None, Route(RouteKind.HTTP, "ANY", "/{}", "fetch", place, "node-http", index), definition.line)


def _serverless(table: Table, facts: FileFacts, inner: str) -> None:
    """Functions of Vercel and Netlify outside of a framework: a default export, or one named handler."""
    found = _SERVERLESS.match(inner)
    if not found or "/_" in f"/{found['path']}" or re.search(r"\.(?:route|router|model|service|controller)$", found["path"]):
        return
    exported = _exported(facts)
    handled = next((exported[name] for name in ("default", "handler") if name in exported), "")
    takes_request = any(d.name in {handled, "default"} and len(d.parameters) in {1, 2, 3} for d in facts.definitions if d.parent == -1)
    if handled and takes_request:
        prefix = "/.netlify/functions/" if found["netlify"] else "/api/"
        _add(
            table, facts, handled, _shape(facts, RouteKind.HTTP, "ANY", prefix + found["path"].removesuffix("/index"), "serverless", line=1)
        )
    for method in sorted(_HTTP & set(exported)):
        _add(
            table,
            facts,
            exported[method],
            _shape(facts, RouteKind.HTTP, method, "/api/" + found["path"].removesuffix("/index"), "serverless", line=1),
        )


def _supabase(table: Table, facts: FileFacts) -> None:
    found = _SUPABASE.search(facts.path)
    if not found:
        return
    for call in facts.calls:
        if call.callee in {"Deno.serve", "serve"} and call.arguments:
            inside = [i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.parent == call.scope]
            named = _definition(facts, call.arguments[-1].value.literal) if call.arguments[-1].value.literal else -1
            index = inside[0] if inside else named
            place = place_of(facts.path, facts.definitions[index].line if index >= 0 else call.line)
            table.add(
                None, Route(RouteKind.HTTP, "ANY", f"/functions/v1/{found['path']}", found["path"], place, "supabase", index), call.line
            )
            return


def _firebase(table: Table, facts: FileFacts) -> None:
    if not any(statement.module.startswith("firebase-functions") for statement in facts.imports):
        return
    for call in facts.calls:
        found = _FIREBASE.match(call.callee)
        if found is None or not call.arguments or call.arguments[-1].value.literal in {"app", "server", "api"}:
            continue  # an application of its own: its routes are read where they are added
        inside = [i for i, d in enumerate(facts.definitions) if call.line <= d.line <= call.end_line and d.parent == call.scope]
        name = last(call.target) or PurePosixPath(facts.path).stem
        index = inside[0] if inside else -1
        table.add(
            None,
            Route(
                RouteKind.HTTP,
                "ANY" if found["what"] == "onRequest" else "POST",
                f"/{name}",
                name,
                place_of(facts.path, call.line),
                "firebase",
                index,
            ),
            call.line,
        )


def streamlit_pages(table: Table, files: Iterable[FileFacts]) -> None:
    """Scripts of a Streamlit application: the entry script and the files of its `pages` folder."""
    pages = [facts for facts in files if any(statement.module.split(".", maxsplit=1)[0] == "streamlit" for statement in facts.imports)]
    for facts in pages:
        place = PurePosixPath(facts.path)
        configures = any(call.callee == "st.set_page_config" for call in facts.calls)
        if place.parent.name == "pages":
            table.add(
                None, Route(RouteKind.PAGE, "GET", f"/{re.sub(r'^[0-9]+_', '', place.stem)}", "", place_of(facts.path, 1), "streamlit"), 1
            )
        elif configures or place.stem in {"app", "main", "streamlit_app", "Home", "home"}:
            table.add(None, Route(RouteKind.PAGE, "GET", "/", "", place_of(facts.path, 1), "streamlit"), 1)
