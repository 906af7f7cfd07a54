"""What licences ask: expressions, spellings, and texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.licences import STATED, Terms, recognise, terms_of


@pytest.mark.parametrize(
    ("stated", "terms"),
    [
        ("MIT", Terms.FREE),
        ("Apache License 2.0", Terms.FREE),
        ("(MIT OR GPL-3.0-or-later)", Terms.FREE),
        ("MIT AND GPL-3.0-only", Terms.STRONG),
        ("(BSD-2-Clause OR MIT OR Apache-2.0)", Terms.FREE),
        ("mit or agpl-3.0", Terms.FREE),
        ("(MIT AND (LGPL-3.0 OR AGPL-3.0-only))", Terms.WEAK),
        ("GPL-2.0-only WITH Classpath-exception-2.0", Terms.WEAK),
        ("GPL-2.0+", Terms.STRONG),
        ("AGPL-3.0-or-later", Terms.NETWORK),
        ("SSPL-1.0", Terms.NETWORK),
        ("BUSL-1.1", Terms.PAID),
        ("MPL-2.0", Terms.WEAK),
        ("SEE LICENSE IN LICENSE.md", Terms.UNKNOWN),
        ("MIT OR Whatever-1.0", Terms.FREE),
        ("MIT AND Whatever-1.0", Terms.UNKNOWN),
        ("", Terms.UNKNOWN),
        ("((((", Terms.UNKNOWN),
    ],
)
def test_what_an_expression_asks(stated: str, terms: Terms) -> None:
    assert terms_of(stated) is terms


@given(st.text(max_size=80), st.sampled_from(["", " OR ", " AND ", " WITH ", "(", ")"]))
def test_no_text_breaks_the_grading(text: str, operator: str) -> None:
    assert terms_of(text + operator + text) in Terms
    recognise(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The MIT License\n\nPermission is hereby granted, free of charge, to any\nperson obtaining a copy of this software", "MIT"),
        ("                                 Apache License\n                           Version 2.0, January 2004\n", "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n... the GNU Affero General Public License, version 3 ...", "GPL-3.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007\n", "AGPL-3.0"),
        (
            "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\nThis version of the GNU General Public License version 3",
            "LGPL-3.0",
        ),
        ("Redistribution and use in source and binary forms, with or without ... Neither the name of the author", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms, with or without modification", "BSD-2-Clause"),
        ("Business Source License 1.1\n\nParameters", "BUSL-1.1"),
        ("Copyright 2026. This code is proprietary and confidential.", "Proprietary"),
        ("Be nice.", ""),
    ],
)
def test_licence_texts(text: str, name: str) -> None:
    assert recognise(text) == name


def test_licences_of_common_knowledge_are_graded() -> None:
    assert all(terms_of(licence) is not Terms.UNKNOWN for table in STATED.values() for licence in table.values())
