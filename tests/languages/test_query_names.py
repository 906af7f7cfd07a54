"""Names in query texts, in PostgREST's select lists and in the types Supabase generates."""

from __future__ import annotations

import pytest

from auditor.languages.hosted_types import is_types_of_a_database, typed_tables
from auditor.languages.selected_columns import Selected, conditions, selected
from auditor.languages.sql import read_query

DIALECTS = ("postgres", "sqlite", "mysql")


def columns(text: str) -> set[str]:
    return {f"{'|'.join(name.tables)}.{name.column}" for name in read_query(text, DIALECTS) or () if name.column}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT o.id FROM orders o WHERE o.total > %s", {"orders.id", "orders.total"}),
        ("SELECT id, name FROM orders JOIN users ON users.id = orders.user_id", {"orders|users.id", "orders|users.name", "users.id", "orders.user_id"}),
        ("SELECT count(*) AS sold FROM sales GROUP BY day ORDER BY sold", {"sales.day"}),
        ("INSERT INTO users (a, b) VALUES (:a, :b) ON CONFLICT (a) DO UPDATE SET b = excluded.b", {"users.a", "users.b"}),
        ("UPDATE users SET {} WHERE id = $1", {"users.id"}),
        ("SELECT a FROM t\n  {}\nWHERE b = 1", {"t.a", "t.b"}),
        ("WITH best AS (SELECT x FROM t) SELECT best.x FROM best", {"t.x"}),
        ("SELECT name FROM {} WHERE id = 1", set()),
        ("SELECT a FROM t WHERE b > {{startDate}} AND c = {id:UUID}", {"t.a", "t.b", "t.c"}),
        ("SELECT j.value FROM t, json_each(t.data) j", {"t.data"}),
        ('SELECT id FROM t WHERE state = "open"', {"t.id", "t.state", "t.open"}),
    ],
)  # fmt: skip
def test_columns_belong_to_the_tables_that_may_have_them(text: str, expected: set[str]) -> None:
    assert columns(text) == expected


def test_texts_in_the_wrong_quotes_are_no_columns_where_they_may_be_texts() -> None:
    names = read_query('SELECT id FROM t WHERE state = "open"', ("sqlite",)) or ()
    assert {name.column for name in names} == {"", "id", "state"}


def test_what_no_dialect_reads_is_said_to_be_unread() -> None:
    assert read_query("SELECT FROM WHERE ((", DIALECTS) is None


def test_select_lists() -> None:
    found = list(selected('id, sum:total, buyer:users!orders_fkey(name, age), note->>text, paid::date, count, *, "state"'))
    assert found == [
        Selected("id"),
        Selected("total"),
        Selected(relation="users", inside="name, age"),
        Selected("note"),
        Selected("paid"),
        Selected("state"),
    ]


def test_conditions() -> None:
    assert set(conditions("state.eq.open,and(total.gt.5,not.or(paid.is.null,a.in.(1,2)))")) == {"state", "total", "paid", "a"}


TYPES = """
export interface Database {
  public: {
    Tables: {
      orders: {
        Row: { id: string; total: number };
        Insert: { id?: string };
      };
    };
    Views: { open_orders: { Row: { id: string | null } } };
  };
  auth: { Tables: { users: { Row: { secret: string } } } };
}
"""


def test_generated_types_tell_tables_and_views_of_the_public_schema() -> None:
    assert is_types_of_a_database(TYPES)
    assert [(table.name, [name for name, _ in table.columns]) for table in typed_tables(TYPES)] == [
        ("orders", ["id", "total"]),
        ("open_orders", ["id"]),
    ]
