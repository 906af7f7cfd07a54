"""How changes reach the main line of a git history: through which requests, by whose hand, for whom. Part of the port to git history.

Accounts become pseudonyms here, so that nobody's name or address leaves this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import pygit2
from pygit2.enums import DiffOption, SortMode

from auditor.model.evidence import Landing

LANDINGS = 400
PATHS = 60
_BROUGHT = 60
_HOSTS = frozenset({"noreply@github.com", "noreply@gitlab.com", "noreply@bitbucket.org", "noreply@codeberg.org", "noreply@gitea.io"})
"""What hosting services commit as when somebody presses a button in the browser."""
_AGENTS = r"claude|copilot|cursor|codex|devin|gpt-engineer|lovable|jules|openhands|sweep|v0|replit|bolt|aider|codegen|factory-droid"
_ASSISTANT = re.compile(
    rf"(?:^|[\W_])(?:{_AGENTS})\b[\w.-]*\[bot\]|@(?:anthropic|cursor|cognition|all-hands|lovable|openai)\.(?:com|ai|dev)$|^cursoragent\b",
    re.IGNORECASE,
)
"""Accounts of coding agents. Their bare names will not do: people are called Claude and Devin too."""
_ROBOT = re.compile(
    r"\[bot\]|(?:^|[\s_.-])bot\b|\b(?:github|gitlab)[- ]actions?\b|\bweblate\b|\bcrowdin\b|\btransifex\b|\btranslatewiki\b|\bpre-commit\b|\bsemantic-release\b|\bjenkins\b",
    re.IGNORECASE,
)
_ASSISTANT_TRAILER = re.compile(r"^replit-commit-author:\s*agent\b", re.IGNORECASE | re.MULTILINE)
_COMMON_NAMES = frozenset({"", "root", "user", "admin", "ubuntu", "unknown", "your name", "dev", "developer", "test", "me"})
"""Names of machines and of nobody: two addresses below them are two people until shown otherwise."""
_HIDDEN_ADDRESS = re.compile(r"^(?:\d+\+)?([\w-]{1,60})@users\.noreply\.github\.com$")
_REQUEST_SUBJECT = re.compile(
    r"^(?:merge pull request #(\d+)\b|merge pr #?(\d+)\b|merged pr (\d+):|merged in .{1,120}\(pull request #(\d+)\)|auto merge of #(\d+)\b|merge #(\d+)\b)",
    re.IGNORECASE,
)
_REQUEST_BODY = re.compile(
    r"^(?:see merge request \S{0,200}?([!]\d+)|(?:pull request resolved|pr-url|reviewed-on|differential revision):\s*\S{0,200}?([^/\s]{1,20}))\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SQUASHED = re.compile(r"\(([#!]\d+)\)\s*$")
_REVIEWER = re.compile(r"^(?:reviewed|approved|acked)-by:\s*([^<\n]{0,100})<?([^>\n]{0,100})>?\s*$", re.IGNORECASE | re.MULTILINE)
_SYNC = re.compile(
    r"^merge (?:remote-tracking )?branch(?:es)? '?(?:origin/|upstream/)?(?:main|master|develop|development|dev|trunk)\b'?(?! into '?(?:main|master)\b)",
    re.IGNORECASE,
)
"""A merge of the main line itself, as `git pull` makes it: what it brings has already landed."""


class ReadingStopped(Exception):  # noqa: N818 - no fault of anybody
    """The caller's limit was reached."""


@dataclass(slots=True)
class People:
    """Accounts by pseudonym, numbered in the order they are met. One name or one address is one account."""

    _known: dict[str, str]
    _counts: dict[str, int]

    def __init__(self, signatures: Iterable[pygit2.Signature] = ()) -> None:
        """Number the given accounts in their order; others follow as they are asked for."""
        self._known, self._counts = {}, {}
        for signature in signatures:
            self.of(signature)

    def of(self, signature: pygit2.Signature, message: str = "") -> str:
        """The pseudonym of who signed: "person 1", "assistant 1", "robot 1"; `message` may say that an assistant wrote under a person's name."""
        name, address = _clean(signature.raw_name), _clean(signature.raw_email)
        if _ASSISTANT_TRAILER.search(message):
            return self._numbered("assistant", "trailer:replit")
        kind = "assistant" if _is_assistant(name, address) else "robot" if _ROBOT.search(name) or _ROBOT.search(address) else "person"
        login = _HIDDEN_ADDRESS.match(address)
        names = {name, login[1] if login else ""} - _COMMON_NAMES
        keys = [f"address:{address}"] * bool(address) + [f"name:{known}" for known in sorted(names)]
        return self._numbered(kind, *(keys or ["nobody"]))

    def _numbered(self, kind: str, *keys: str) -> str:
        known = next((self._known[key] for key in keys if key in self._known), None)
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = f"{kind} {self._counts[kind]}"
        for key in keys:
            self._known.setdefault(key, known)
        return known


def _clean(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace").strip().lower()


def _is_assistant(name: str, address: str) -> bool:
    return bool(_ASSISTANT.search(name) or _ASSISTANT.search(address))


def subject_of(message: str) -> str:
    """The first line of a commit's message, cut."""
    return " ".join(message.strip().split("\n", 1)[0].split())[:200]


def subtree(tree: pygit2.Tree, prefix: str) -> pygit2.Tree | None:
    """The part of a tree below `prefix`, None when it has none."""
    if not prefix:
        return tree
    try:
        found = tree[prefix]
    except KeyError:
        return None
    return found if isinstance(found, pygit2.Tree) else None


def read_landings(
    repository: pygit2.Repository, head: str, prefix: str, people: People, should_stop: Callable[[], bool]
) -> Iterator[Landing]:
    """The newest steps of the main line that touch the directory `prefix`, newest first; the first commit of all is none.

    Raises:
        ReadingStopped: `should_stop` said so.
    """
    found = 0
    for commit in _main_line(repository, head):
        if should_stop():
            raise ReadingStopped
        paths = _paths(commit, prefix)
        if commit.parent_ids and paths:
            yield _landing(repository, commit, paths, people)
            found += 1
            if found >= LANDINGS:
                return


def _main_line(repository: pygit2.Repository, head: str) -> Iterator[pygit2.Commit]:
    """First parents, newest first; where somebody pulled, the line of the others is the merge's second parent, so both are followed."""
    pending = {head: repository[head].peel(pygit2.Commit)}
    seen = set(pending)
    while pending:
        commit = max(pending.values(), key=lambda entry: (entry.commit_time, str(entry.id)))
        del pending[str(commit.id)]
        yield commit
        followed = commit.parent_ids if _is_sync(commit) else commit.parent_ids[:1]
        for parent in followed:
            if str(parent) not in seen and parent in repository:
                seen.add(str(parent))
                pending[str(parent)] = repository[parent].peel(pygit2.Commit)


def _is_sync(commit: pygit2.Commit) -> bool:
    return len(commit.parent_ids) > 1 and bool(_SYNC.match(subject_of(commit.raw_message.decode("utf-8", "replace"))))


def _paths(commit: pygit2.Commit, prefix: str) -> tuple[str, ...]:
    """Files a commit changes against its first parent, by name only."""
    new = subtree(commit.tree, prefix)
    if not commit.parent_ids or new is None:
        return ()
    try:
        old = subtree(commit.parents[0].tree, prefix)
    except KeyError:  # where a shallow clone ends
        return ()
    if old is None or old.id == new.id:
        return ()
    deltas = old.diff_to_tree(new, flags=DiffOption.IGNORE_SUBMODULES).deltas
    return tuple(sorted({delta.new_file.path or delta.old_file.path for delta in islice(deltas, PATHS)}))


def _landing(repository: pygit2.Repository, commit: pygit2.Commit, paths: tuple[str, ...], people: People) -> Landing:
    message = commit.raw_message.decode("utf-8", "replace")
    author = people.of(commit.author, message)
    hosted = _clean(commit.committer.raw_email) in _HOSTS
    committer = author if hosted or _ASSISTANT_TRAILER.search(message) else people.of(commit.committer)
    merge = len(commit.parent_ids) > 1
    return Landing(
        id=str(commit.id),
        when=commit.commit_time,
        author=author,
        committer=committer,
        hosted=hosted,
        request=_request(message, by_another_hand=hosted or committer != author),
        reviewed=any(_reviewer(match) not in {"", *_signed(commit)} for match in _REVIEWER.finditer(message)),
        brought=_brought(repository, commit, people) if merge else (),
        synced=merge and _is_sync(commit),
        paths=paths,
    )


def _request(message: str, *, by_another_hand: bool) -> str:
    """The request a commit came through. A number at the end of a subject may be an issue's: it counts where somebody else's hand, or the host's, put the commit here."""
    subject = subject_of(message)
    if found := _REQUEST_SUBJECT.match(subject):
        return f"#{next(number for number in found.groups() if number)}"
    if found := _REQUEST_BODY.search(message):
        return found[1] or found[2]
    squashed = _SQUASHED.search(subject)
    return squashed[1] if squashed and by_another_hand else ""


def _reviewer(match: re.Match[str]) -> str:
    return (match[2] or match[1]).strip().lower()


def _signed(commit: pygit2.Commit) -> tuple[str, str]:
    return _clean(commit.author.raw_name), _clean(commit.author.raw_email)


def _brought(repository: pygit2.Repository, commit: pygit2.Commit, people: People) -> tuple[str, ...]:
    walker = repository.walk(commit.parent_ids[1], SortMode.TOPOLOGICAL)
    walker.hide(commit.parent_ids[0])
    merged = (entry for entry in islice(walker, _BROUGHT) if len(entry.parent_ids) < 2)
    return tuple(sorted({people.of(entry.author, entry.raw_message.decode("utf-8", "replace")) for entry in merged}))
