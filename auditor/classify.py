"""Tells the language and the role of a file from its path and the beginning of its text. Reads nothing itself.

The role decides what counts as production code, so a doubtful file stays first party: leaving real code out would hide defects.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditor.model.snapshot import SCRIPT_LANGUAGES, Language, Role

_BY_SUFFIX = {
    ".py": Language.PYTHON, ".pyi": Language.PYTHON, ".pyw": Language.PYTHON,
    ".js": Language.JAVASCRIPT, ".mjs": Language.JAVASCRIPT, ".cjs": Language.JAVASCRIPT, ".jsx": Language.JAVASCRIPT,
    ".ts": Language.TYPESCRIPT, ".mts": Language.TYPESCRIPT, ".cts": Language.TYPESCRIPT, ".tsx": Language.TSX,
    ".vue": Language.VUE, ".svelte": Language.SVELTE, ".sql": Language.SQL, ".html": Language.HTML, ".htm": Language.HTML,
    ".jinja": Language.HTML, ".jinja2": Language.HTML, ".j2": Language.HTML, ".ejs": Language.HTML, ".hbs": Language.HTML, ".pug": Language.HTML,
    ".css": Language.CSS, ".scss": Language.CSS, ".sass": Language.CSS, ".less": Language.CSS,
    ".sh": Language.SHELL, ".bash": Language.SHELL, ".zsh": Language.SHELL, ".ps1": Language.SHELL, ".bat": Language.SHELL, ".cmd": Language.SHELL,
    ".yml": Language.YAML, ".yaml": Language.YAML, ".toml": Language.TOML, ".json": Language.JSON, ".jsonc": Language.JSON, ".json5": Language.JSON,
    ".ini": Language.INI, ".cfg": Language.INI, ".conf": Language.INI, ".env": Language.INI, ".properties": Language.INI,
    ".xml": Language.XML, ".plist": Language.XML, ".md": Language.MARKDOWN, ".mdx": Language.MARKDOWN, ".mdc": Language.MARKDOWN,
    ".ipynb": Language.NOTEBOOK, ".prisma": Language.PRISMA, ".graphql": Language.GRAPHQL, ".gql": Language.GRAPHQL,
    ".rst": Language.TEXT, ".txt": Language.TEXT, ".adoc": Language.TEXT, ".csv": Language.TEXT, ".tsv": Language.TEXT, ".log": Language.TEXT,
    ".go": Language.GO, ".php": Language.PHP, ".java": Language.JAVA, ".kt": Language.KOTLIN, ".kts": Language.KOTLIN, ".scala": Language.SCALA,
    ".rb": Language.RUBY, ".rs": Language.RUST, ".c": Language.C, ".h": Language.C, ".cc": Language.CPP, ".cpp": Language.CPP, ".cxx": Language.CPP,
    ".hpp": Language.CPP, ".cs": Language.CSHARP, ".swift": Language.SWIFT, ".dart": Language.DART, ".ex": Language.ELIXIR, ".exs": Language.ELIXIR,
    ".lua": Language.LUA, ".r": Language.R, ".m": Language.C, ".mm": Language.CPP,
}  # fmt: skip

_BY_NAME = {
    "dockerfile": Language.DOCKERFILE, "containerfile": Language.DOCKERFILE, "makefile": Language.MAKEFILE, "gnumakefile": Language.MAKEFILE,
    "justfile": Language.MAKEFILE, "procfile": Language.INI, "pipfile": Language.TOML, "jenkinsfile": Language.OTHER,
    "license": Language.TEXT, "licence": Language.TEXT, "copying": Language.TEXT, "notice": Language.TEXT, "readme": Language.TEXT,
    ".cursorrules": Language.TEXT, ".windsurfrules": Language.TEXT, ".clinerules": Language.TEXT,
}  # fmt: skip

_CODE = SCRIPT_LANGUAGES | {Language.PYTHON}
_CONFIG = {Language.YAML, Language.TOML, Language.JSON, Language.INI, Language.XML, Language.DOCKERFILE, Language.MAKEFILE}

_VENDORED = {
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "node_modules",
    "bower_components",
    "site-packages",
    "_vendor",
    "externals",
}
_VENDOR_FOLDERS = {"vendor", "vendors"}
"""Also a word of the trade (a market place has vendors): the text must look like a library too."""
_ASSET_FOLDERS = {"static", "public", "assets", "wwwroot", "www", "js"}
_LIBRARY_PLACE = re.compile(
    r"(?:^|/)(?:static|public|assets|wwwroot|www|js)/(?:[\w.-]+/)*(?:libs?|plugins|ext)/"
    r"|(?:^|/)(?:jquery|bootstrap|angular|vue|react|lodash|moment|d3|three|chart|htmx|alpine|swagger-ui|codemirror|tinymce|ckeditor|ace)"
    r"[-.\d]*(?:\.(?:bundle|global|prod|umd|slim))*\.js$"
)
_LIBRARY_NAME = re.compile(r"(?:^|/)\.yarn/|[-.]v?\d+\.\d+(?:\.\d+)?(?:[-.](?:bundle|global|prod|umd|slim|min))*\.js$")
_LIBRARY_TEXT = re.compile(
    r"copyright|\(c\) \d{4}|@licen[sc]e|\blicen[sc]ed? under\b|\bmit licen[sc]e\b|^\s*/\*!|typeof exports\s*={2,3}|define\.amd|__version__\s*=",
    re.IGNORECASE,
)
_LIBRARY_BANNER = re.compile(
    r"/\*!|/\*\*?\s*(?:\*\s*)?@licen[sc]e\b|/\*\*?\s*(?:\*\s*)?[\w .@/-]{2,40}\bv?\d+\.\d+\.\d+\b[\s\S]{0,400}(?:licen[sc]e|copyright|\(c\))",
    re.IGNORECASE,
)
_GENERATED_DIRS = {
    "dist",
    "dev-dist",
    "__generated__",
    "generated",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".output",
    ".vercel",
    "storybook-static",
    "htmlcov",
    "lcov-report",
    "__snapshots__",
}
_GENERATED_NAME = re.compile(
    r"[.-](?=[0-9a-f]{0,19}\d)[0-9a-f]{8,20}\.(?:m?js|css)$|_pb2(?:_grpc)?\.pyi?$|\.pb\.\w+$|\.generated\.\w+$|\.gen\.[jt]sx?$|\.g\.dart$|_generated\.\w+$|-env\.d\.ts$"
)
_GENERATED_TEXT = re.compile(
    r"@generated[ \t]+(?:by|from|with|using|SignedSource)\b|(?-i:\bDO NOT (?:EDIT|MODIFY)\b)|this (?:file|code) (?:is|was|has been) (?:auto(?:matically)?[- ]?)?generated\b"
    r"|^\W*(?:code |file )?(?:auto(?:matically)?[- ]?)?generated (?:by|from|using|with)\b|^\W*auto(?:matically)?[- ]?generated\b",
    re.IGNORECASE | re.MULTILINE,
)
_ASSISTANT = re.compile(
    r"generated (?:by|with|using|from) (?:an? )?(?:\w+ )?(?:ai\b|llm|claude|anthropic|(?:chat)?gpt|openai|copilot|cursor|gemini|lovable|bolt|v0\b|replit|windsurf|codex|deepseek|assistant)",
    re.IGNORECASE,
)
"""What an assistant wrote is maintained by hand from then on: it is production code, not the output of a generator."""
_TEST_DIRS = {
    "test",
    "tests",
    "__tests__",
    "__test__",
    "testing",
    "e2e",
    "cypress",
    "playwright",
    "__mocks__",
    "integration_tests",
    "unit_tests",
    "integration-tests",
}
_DATA_DIRS = {"fixtures", "__fixtures__", "testdata", "test_data", "test-data"}
"""What tests work on: neither production nor, outside a test folder, tests themselves."""
_SPEC_DIRS = {"spec", "specs"}
_TEST_NAME = re.compile(
    r"^(?:test_.*|conftest)\.pyi?$|\.(?:test|tests|spec|cy|e2e|e2e-spec|integration)\.[cm]?[jt]sx?$|^(?:jest|vitest|playwright|cypress)\.(?:[\w-]+\.)*[cm]?[jt]s$|\.snap$|^setupTests\.[jt]s$|^test[-_].*\.[cm]?[jt]s$"
)
_TEST_WORD_NAME = re.compile(r"^(?:.*_tests?|tests)\.pyi?$")
_TEST_TEXT = re.compile(r"\bdef test|\bTestCase\b|\bpytest\b|\bunittest\b|\bassert\b")
_EXAMPLE_DIRS = {
    "example",
    "examples",
    "sample",
    "samples",
    "demos",
    "cookbook",
    "tutorial",
    "tutorials",
    "playground",
    "playgrounds",
    "docs",
    "doc",
    "notebooks",
    ".storybook",
    "stories",
    "docs_src",
}
_EXAMPLE_NAME = re.compile(r"\.stories\.[jt]sx?$|^example[-_.]")
_MIGRATION_DIRS = {"migrations"}
_MIGRATION_TOOL = re.compile(
    r"\balembic\b|\bmigrations\.\w|\bop\.\w+\(|\b(?:ALTER|CREATE|DROP)\s+(?:TABLE|INDEX)\b|\bRun(?:Python|SQL)\b|\bmigrate\w*\.up\b|ADD COLUMN|\bexecute\w*\(",
    re.IGNORECASE,
)
"""What Python files do that change a database; a module that brings people's data over from another product is part of this one."""
_MIGRATION_FOLDERS = {"migration", "migrate", "drizzle", "versions"}
"""Also words of the trade: the file must be numbered or say how to go up."""
_MIGRATION_NAME = re.compile(r"^[vu]?\d{1,14}[-_]|\d{8}|^[0-9a-f]{12}_")
_MIGRATION_TEXT = re.compile(r"\b(?:exports\.up\b|function up\b|def upgrade\b|MigrationInterface\b|class Migration\b|up\s*[:=(])")
_SCRIPT_DIRS = {
    "scripts",
    "script",
    "hack",
    "devtools",
    "benchmarks",
    "benchmark",
    "bench",
    ".github",
    ".circleci",
    "seeds",
    "seeders",
    "scratch",
    "jules-scratch",
}
_TOOL_DIRS = {"tools", "tooling", "contrib", "ci"}
"""Folders that hold scripts at the top of a repository and product code elsewhere (an agent has tools): there a file must look like a script."""
_DEVELOPMENT_DIRS = {"dev", "extra", "extras"}
"""As above, and below them some folders hold nothing but scripts."""
_DEVELOPMENT_WORK = re.compile(r"^(?:code[-_]?gen(?:eration|erators?)?|generators?|release|releases|ci|build|migration-tools|one-?off)$")
_RUNS_ALONE = re.compile(r"(?:^|\n)(?!export\b|module\b|return\b)(?:await )?[\w.]{1,60}\([^\n]{0,200}\);?\Z")
"""The file ends with a call: it does something when it is loaded and hands nothing out."""
_HANDS_OUT = re.compile(r"^\s*export\b|\bexports\b", re.MULTILINE)
"""A module of JavaScript without this can only be run, not used by another."""
_SCRIPT_TEXT = re.compile(r"^#!|__name__\s*==\s*['\"]__main__|\bprocess\.(?:argv|exit)\b|\bargparse\b|\brequire\.main\b", re.MULTILINE)
_BUILD_TOOLS = r"(?:next|nuxt|astro|svelte|vite|vitest|webpack|rollup|rspack|babel|postcss|tailwind|eslint|prettier|metro|craco|jest|drizzle|prisma|tsup|commitlint|playwright|cypress|karma|unocss|windi|vue|remix|gatsby|knip|release|lint-staged|stylelint|orval|codegen)"
_SCRIPT_NAME = re.compile(
    rf"^(?:noxfile|fabfile|conanfile|seed|seeds|seeder|(?:pre|post)_gen_project|pre_prompt)\.py$|^seed[-_].*\.(?:py|[cm]?[jt]s)$|^seed\.[cm]?[jt]s$|^(?:gulpfile|gruntfile)\.|^{_BUILD_TOOLS}\.(?:[\w-]+\.)*(?:config|conf|setup|common|base|dev|prod|workspace|preset|presets|global-?setup|polyfills?|tracker|components)\.[cm]?[jt]s$|^\.\w+rc\.[cm]?js$",
    re.IGNORECASE,
)
_ROOT_SCRIPT = re.compile(r"^(?:build|bundle|release|publish|bump[-_]?version|populate(?:[-_]\w+)?)\.(?:py|[cm]?[jt]s)$", re.IGNORECASE)
"""Names of development scripts that are also names of product modules: only at the top of the repository, or where the text runs by itself."""
_ROOT_CONFIG = re.compile(r"\.config\.[cm]?[jt]s$", re.IGNORECASE)
_SETUP_TEXT = {"setup.py": re.compile(r"\bsetup\s*\("), "tasks.py": re.compile(r"\b(?:from|import) invoke\b")}
"""Development scripts whose names are also ordinary module names."""
_PRODUCT_ROOTS = {"src", "app", "static", "public", "assets", "www", "client", "frontend", "server", "backend", "web"}
_SOURCE_FOLDERS = {"src", "app", "lib", "pages", "components", "server", "routes", "routers", "features", "modules", "api"}
_ROUTE_FILE = re.compile(
    r"(?:^|/)app/(?:.*/)?(?:page|route|layout|loading|error|template|default|not-found)\.[jt]sx?$|(?:^|/)\+(?:page|server|layout)\b"
)
"""Files a framework serves by their name, whatever the folder is called ("/docs", "/tests")."""


def classify(path: str, text: str | None) -> tuple[Language, Role]:
    """Language and role of the file at the repository-relative `path` with the decoded `text` (None: binary)."""
    language = _language(path, text)
    return language, _role(path, language, text)


def role_by_path(path: str) -> tuple[Language, Role]:
    """As `classify`, for a file whose content could not be read."""
    language = _language(path, "")
    return language, _role(path, language, "")


def _language(path: str, text: str | None) -> Language:
    name = PurePosixPath(path).name.lower()
    stem = name.split(".")[0]
    if text is None:
        return Language.BINARY
    if name in _BY_NAME:
        return _BY_NAME[name]
    if stem in {"dockerfile", "containerfile"} or name.endswith(".dockerfile"):
        return Language.DOCKERFILE
    if name.startswith(".env"):
        return Language.INI
    suffix = PurePosixPath(name).suffix
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    first = text[:100].split("\n", 1)[0]
    if first.startswith("#!"):
        if "python" in first:
            return Language.PYTHON
        return Language.JAVASCRIPT if "node" in first else Language.SHELL
    return _BY_NAME.get(stem, Language.OTHER)


def _role(path: str, language: Language, text: str | None) -> Role:
    parts = path.split("/")
    folders = [part.lower() for part in parts[:-1]]
    name = parts[-1]
    body = text or ""
    if _is_vendored(path.lower(), folders, language, body):
        return Role.VENDORED
    if language is Language.BINARY:
        return Role.ASSET
    if language in SCRIPT_LANGUAGES | {Language.CSS} and _is_minified(name, body):
        return Role.MINIFIED
    if _is_migration(folders, name, language, body) and not (_TEST_DIRS | _EXAMPLE_DIRS | _DATA_DIRS).intersection(folders):
        return Role.MIGRATION  # before "generated": most tools write their migrations and people then edit them
    if _is_generated(folders, name, language, body):
        return Role.GENERATED
    if language in _CODE and _is_served(path):
        return Role.FIRST_PARTY
    return _role_by_place(folders, name, language, body)


def _is_served(path: str) -> bool:
    """Whether a framework serves the file by its name; an example application's pages are served to nobody."""
    found = _ROUTE_FILE.search(path)
    if found is None:
        return False
    above = set(path[: found.start()].lower().split("/"))
    return not above & (_TEST_DIRS | _DATA_DIRS | _EXAMPLE_DIRS)


def _role_by_place(folders: list[str], name: str, language: Language, text: str) -> Role:
    is_code = language in _CODE
    data = next((position for position, folder in enumerate(folders) if folder in _DATA_DIRS), None)
    if data is not None:
        return Role.TEST if _TEST_DIRS.intersection(folders[:data]) else Role.EXAMPLE
    if _is_test(folders, name, text, is_code=is_code):
        return Role.TEST
    if language in {Language.MARKDOWN, Language.TEXT}:
        return Role.DOC
    if language is Language.NOTEBOOK or _is_example(folders, name, is_code=is_code):
        return Role.EXAMPLE if language not in _CONFIG else Role.CONFIG
    if language is Language.SHELL or ((is_code or language is Language.HTML) and _is_script(folders, name, text)):
        return Role.SCRIPT
    if language in _CONFIG:
        return Role.CONFIG
    return Role.ASSET if language is Language.OTHER else Role.FIRST_PARTY


def _is_vendored(path: str, folders: list[str], language: Language, text: str) -> bool:
    if _VENDORED.intersection(folders) or _LIBRARY_NAME.search(path):
        return True
    if language not in _CODE | {Language.CSS}:
        return bool(_VENDOR_FOLDERS.intersection(folders))
    head = text[:3_000]
    if _VENDOR_FOLDERS.intersection(folders) and _ASSET_FOLDERS.intersection(folders) and language not in {Language.TSX, Language.VUE}:
        return True
    if _VENDOR_FOLDERS.intersection(folders) or (language is Language.JAVASCRIPT and _LIBRARY_PLACE.search(path)):
        return _LIBRARY_TEXT.search(head) is not None
    return language is Language.JAVASCRIPT and bool(folders) and _LIBRARY_BANNER.match(text.lstrip()[:600]) is not None


def _is_test(folders: list[str], name: str, text: str, *, is_code: bool) -> bool:
    if _TEST_DIRS.intersection(folders) or _TEST_NAME.search(name):
        return True
    if _TEST_WORD_NAME.search(name):
        return not text.strip() or _TEST_TEXT.search(text) is not None
    return is_code and bool(_SPEC_DIRS.intersection(folders))


def _is_example(folders: list[str], name: str, *, is_code: bool) -> bool:
    """Example and documentation code; below a source folder such words belong to the product ("/src/features/stories")."""
    if _EXAMPLE_NAME.search(name):
        return True
    for position, folder in enumerate(folders):
        if folder in _EXAMPLE_DIRS or folder.endswith(("-examples", "_examples", "-samples")):
            return not (is_code and _SOURCE_FOLDERS.intersection(folders[:position]))
    return False


def _is_migration(folders: list[str], name: str, language: Language, text: str) -> bool:
    if language not in _CODE | {Language.SQL}:
        return False
    if any(folder.endswith(("_migrations", "-migrations")) for folder in folders) and _MIGRATION_TEXT.search(text):
        return True
    if _MIGRATION_DIRS.intersection(folders) and language is Language.PYTHON and name != "__init__.py" and text.strip():
        return bool(_MIGRATION_NAME.search(name) or _MIGRATION_TEXT.search(text) or _MIGRATION_TOOL.search(text))
    if _MIGRATION_DIRS.intersection(folders) or ("alembic" in folders and (language is Language.PYTHON or "versions" in folders)):
        return True
    if not _MIGRATION_FOLDERS.intersection(folders):
        return False
    return (language is Language.SQL and "versions" not in folders) or bool(_MIGRATION_NAME.search(name) and _MIGRATION_TEXT.search(text))


def _is_script(folders: list[str], name: str, text: str) -> bool:
    """Development scripts: known file names anywhere, script folders that do not stand inside a product folder."""
    if name in _SETUP_TEXT:
        return _SETUP_TEXT[name].search(text) is not None
    if _SCRIPT_NAME.search(name) or (_ROOT_CONFIG.search(name) and not _SOURCE_FOLDERS.union({"config", "configs"}).intersection(folders)):
        return True
    if folders and folders[0] in _TOOL_DIRS | _DEVELOPMENT_DIRS and _SCRIPT_TEXT.search(text):
        return True
    if (
        folders
        and folders[0] in _DEVELOPMENT_DIRS
        and (
            any(_DEVELOPMENT_WORK.match(folder) for folder in folders[1:])
            or _RUNS_ALONE.search(text.rstrip()[-300:])
            or (not name.endswith(".py") and not _HANDS_OUT.search(text))
        )
    ):
        return True
    if _ROOT_SCRIPT.match(name) and (not folders or _SCRIPT_TEXT.search(text)):
        return True
    for position, folder in enumerate(folders):
        if folder in _SCRIPT_DIRS:
            if not _PRODUCT_ROOTS.intersection(folders[:position]):
                return True
            beside_code = position <= 1 and folders[0] in {"app", "server", "backend", "client", "frontend", "web"}
            return beside_code or _SCRIPT_TEXT.search(text) is not None
    return False


def _is_minified(name: str, text: str) -> bool:
    lines = text.count("\n") + 1
    average = len(text) / lines
    if re.search(r"[.-]min\.\w+$|\.bundle\.\w+$|\.chunk\.\w+$", name):
        return average > 100 or not text
    if len(text) < 5_000 or average <= 400:
        return False
    longest = max(text.split("\n"), key=len)[:200_000]
    return len(_EMBEDDED.sub("", longest)) > 1_000  # a long line of code, not one embedded picture


_EMBEDDED = re.compile(r"[A-Za-z0-9+/=]{100,}|[\"'][MmLlHhVvCcSsQqTtAaZzEe0-9\s,.+-]{60,}[\"']")
"""Pictures inside code: encoded bytes, and the points of drawn lines."""


def _is_generated(folders: list[str], name: str, language: Language, text: str) -> bool:
    if _GENERATED_DIRS.intersection(folders) or folders[:1] == ["coverage"] or _GENERATED_NAME.search(name):
        return True
    if language in _CODE | {Language.SQL, Language.CSS, Language.GRAPHQL}:
        head = "\n".join(line[:200] for line in text[:1500].split("\n")[:8] if re.match(r"\s*(?:#|//|/?\*|--|\"\"\"|<!--)", line))
        return bool(_GENERATED_TEXT.search(head)) and not _ASSISTANT.search(head)
    return False
