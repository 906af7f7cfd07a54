"""Endpoints of Connexion, which reads them from an OpenAPI document: each operation names the function that answers. Part of the evidence ROUTES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditor.evidence.route_names import Names, Spot
from auditor.evidence.route_table import Table, joined, place_of
from auditor.languages.yaml_nodes import SIZE_LIMIT, Node, read_yaml
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, FileFacts, ValueKind

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_INFO = ("x-bearerInfoFunc", "x-basicInfoFunc", "x-tokenInfoFunc", "x-apikeyInfoFunc")
_MOST = 2_000


def connexion_routes(names: Names, table: Table, files: Iterable[FileFacts], texts: dict[str, str]) -> None:
    """The operations of every document that is handed to `add_api`."""
    for facts in files:
        if not any(statement.module.split(".", maxsplit=1)[0] == "connexion" for statement in facts.imports):
            continue
        for call in facts.calls:
            value = call.argument("specification", 0) if call.callee.endswith(".add_api") else None
            if value is None:
                continue
            document = _document(facts, value.literal, texts) if value.kind is ValueKind.STRING else ""
            if document:
                _operations(names, table, facts, call, read_yaml(texts[document]).root)
            else:
                table.unresolved.append((f"{facts.path}:{call.line}", "the document that lists these routes could not be found"))


def _document(facts: FileFacts, name: str, texts: dict[str, str]) -> str:
    """The path of a document: beside the file, in the folder for documents, or the only one of that name."""
    folders = [PurePosixPath(facts.path).parent]
    for call in facts.calls:
        stated = call.argument("specification_dir")
        if stated is not None and stated.kind is ValueKind.STRING:
            folders.insert(0, PurePosixPath(facts.path).parent / stated.literal)
    for folder in folders:
        if str(folder / name) in texts:
            return str(folder / name)
    same = sorted(path for path in texts if PurePosixPath(path).name == PurePosixPath(name).name)
    return same[0] if len(same) == 1 and len(texts[same[0]]) <= SIZE_LIMIT else ""


def _operations(names: Names, table: Table, facts: FileFacts, call: Call, root: Node) -> None:
    prefix = names.text(facts.path, call.argument("base_path")) or _base(root)
    for path, item in root.get("paths").items()[:_MOST]:
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            controller = (operation.get("x-openapi-router-controller") or item.get("x-openapi-router-controller")).text
            dotted = ".".join(part for part in (controller, operation.get("operationId").text) if part)
            through = tuple(_guards(root, operation))
            spot, index = _function(names, facts.path, dotted)
            registered = place_of(facts.path, call.line)
            place = place_of(spot.path, names.facts[spot.path].definitions[index].line) if spot is not None and index >= 0 else registered
            handler = dotted.rpartition(".")[2]
            full = joined(prefix, path)
            table.add(None, Route(RouteKind.HTTP, method.upper(), full, handler, place, "flask", index, registered, through), call.line)


def _base(root: Node) -> str:
    """The path of the first server, without its host."""
    if root.get("basePath").text:
        return root.get("basePath").text
    url = next((server.get("url").text for server in root.get("servers").elements()), "")
    rest = url.partition("://")[2].partition("/")[2] if "://" in url else url.strip("/")
    return f"/{rest}".rstrip("/")


def _guards(root: Node, operation: Node) -> Iterator[str]:
    """The functions that look at the caller for an operation, by the security schemes it asks for; an empty requirement asks for none."""
    stated = operation.get("security")
    wanted = stated if any(name == "security" for name, _ in operation.entries) else root.get("security")
    required = [[name for name, _ in entry.items()] for entry in wanted.elements()]
    if not required or [] in required:
        return
    schemes = root.get("components", "securitySchemes") or root.get("securityDefinitions")
    for name in required[0]:
        scheme = schemes.get(name)
        function = next((scheme.get(key).text for key in _INFO if scheme.get(key)), "")
        yield "connexion.security" if function else name  # Connexion answers 401 itself when the function gives nothing


def _function(names: Names, path: str, dotted: str) -> tuple[Spot | None, int]:
    module, _, name = dotted.rpartition(".")
    parts = module.split(".") if module else []
    for cut in range(len(parts), 0, -1):
        home = names.resolved_module(path, ".".join(parts[:cut]))
        if home:
            spot = Spot(home, ".".join((*parts[cut:], name)))
            return spot, names.definition(spot)
    return None, -1
