"""Reads one Python file into facts: one walk over the syntax tree with a stack of its own, each node looked at once.

The grammar reads newer syntax than the interpreter this runs on, and goes on behind an error. Complexity follows radon's rules (comprehensions,
`else` of loops and `assert` count as decisions), so that files radon cannot read are measured alike.
"""

from __future__ import annotations

from auditor.languages.python_blocks import Walk
from auditor.languages.tree import Grammar, encoded, error_line, parse
from auditor.model.syntax import FileFacts


def read_python(path: str, text: str) -> FileFacts:
    """All facts of the Python file at `path`; what stands behind a syntax error is read as far as it goes."""
    source = encoded(text)
    root = parse(Grammar.PYTHON, source).root_node
    return Walk(path, source, root).run(error_line(root))
