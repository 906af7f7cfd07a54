"""When a finding and an expected weakness are the same thing under two CWE numbers; shared by all suites.

A relation stands here only if CWE itself has it (one entry is a kind of the other), or if the same defect is published under both
numbers by a scanner's catalogue whose authors say so: CodeQL tags its queries on paths with 22, 23, 36, 73 and 99 (and Sonar its own with 641), on broken hashes of passwords
with 327, 328 and 916, on mark-up with 79 and 116, on Flask's debug mode with 215 and 489, on patterns with 400, 730 and 1333, on entities with 611 and 827.
Two kinds of one parent are not related: who looks for a query injection does not accept a finding about a directory.
"""

from __future__ import annotations

_SAME: tuple[frozenset[int], ...] = tuple(
    map(
        frozenset,
        (
            {22, 23, 36, 73, 99, 641},
            {79, 116},
            {327, 328, 916},
            {215, 489},
            {400, 730, 1333},
            {611, 827},
            {209, 497},
            {306, 862},  # who may come in is asked of nobody: nor is what they may do
            {937, 1035, 1395},  # two categories of OWASP's lists, and the weakness: components with known holes
        ),
    )
)
_KINDS: dict[int, tuple[int, ...]] = {
    77: (78, 88),
    79: (80,),
    94: (95, 96, 1336),
    99: (641,),
    200: (209, 215, 497),
    260: (258,),
    285: (862, 863, 639, 425),
    287: (306, 290, 302),
    326: (328,),
    328: (916,),
    330: (331, 335, 338, 339, 1204, 329),
    335: (339,),
    345: (347, 352),
    319: (614,),
    377: (378, 379),
    400: (770, 1333),
    521: (258,),
    522: (256, 257, 258, 260, 261, 523),
    642: (565,),
    667: (414,),
    703: (755, 252, 754, 391),
    754: (252,),
    798: (259, 321),
    862: (425,),
    863: (639,),
    916: (759, 760),
    943: (89, 90, 643, 564),
    89: (564,),
    91: (643,),
    1204: (329,),
    1391: (521, 798, 1392),
    1357: (1104,),
    284: (285, 287, 306, 862, 863, 639),
}
"""Weakness -> its kinds, near and far, in CWE's view of research concepts, as far as the suites need them."""


def related(cwe: int) -> frozenset[int]:
    """The numbers under which a finding says what `cwe` says."""
    found = {cwe, *_KINDS.get(cwe, ())}
    found |= {parent for parent, kinds in _KINDS.items() if cwe in kinds}
    return frozenset(found.union(*(same for same in _SAME if cwe in same)))
