"""Which missing files are missing on purpose: git-ignored, written by a build, or made by a code generator."""

from __future__ import annotations

import re

from pathspec import GitIgnoreSpec

_GENERATED = re.compile(
    r"(?:^|/)(?:_?generated|__generated__|gen|dist|build|out|lib-dist|\.next|\.nuxt|\.output|\.svelte-kit|\.astro|\.velite|\.contentlayer|\.prisma|\.vinxi|\.react-router"
    r"|_gen|codegen|graphql-codegen|coverage|target|pkg|node_modules|paraglide|i18n-generated|\.source|convex/_generated)(?:/|$)"
    r"|_pb2(?:_grpc)?(?:\.|$)|_pb(?:\.|$)|\.generated(?:\.|$)|\.gen(?:\.|$)|_generated(?:\.|$)|(?:^|/)_?_?version(?:__)?(?:\.|$)|(?:^|/)_build_info(?:\.|$)"
    r"|(?:^|/)ui_\w+(?:\.|$)|_ui(?:\.|$)|_rc(?:\.|$)|(?:^|/)(?:\+types|\$types)(?:/|$)|(?:^|/)(?:routeTree|buildInfo|git-info|graphql-env|env-config)(?:\.|$)"
)


class IgnoredPaths:
    """The tree's `.gitignore` files, asked about paths that are not there."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._specs: list[tuple[str, GitIgnoreSpec]] = []
        for path in sorted(texts):
            folder, _, name = path.rpartition("/")
            if name in {".gitignore", ".gitignore.example"} and len(texts[path]) < 100_000:
                self._add(folder, texts[path])

    def _add(self, folder: str, text: str) -> None:
        lines = [line for line in text.splitlines() if line.strip() not in {"*", "/*", "**"}]
        try:
            self._specs.append((folder, GitIgnoreSpec.from_lines(lines)))
        except (ValueError, re.error):
            return  # a pattern git itself would reject: the file says nothing

    def expects(self, path: str) -> bool:
        """Whether a file at `path` would be git-ignored, or its name is one that tools write."""
        if _GENERATED.search(path):
            return True
        for folder, spec in self._specs:
            if not folder or path.startswith(folder + "/"):
                inside = path[len(folder) + 1 :] if folder else path
                if spec.match_file(inside):
                    return True
        return False
