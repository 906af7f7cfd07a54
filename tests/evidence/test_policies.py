"""The end state of row-level security over SQL files."""

from __future__ import annotations

from pathlib import Path

from auditor.cache import Cache
from auditor.evidence.policies import policies
from auditor.evidence.registry import Context
from auditor.model.evidence import Access, RowPolicies
from auditor.model.need import Known
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

TABLE = "create table public.notes (id uuid primary key, user_id uuid, body text);\nalter table notes enable row level security;\n"


def read(tmp_path: Path, **files: str) -> RowPolicies:
    root = from_texts(tmp_path / "app", {f"supabase/migrations/{name}.sql": text for name, text in files.items()})
    reading = read_tree(root, should_stop=lambda: False)
    known = policies(Context(root=root, cache=Cache(None), date="2026-03-01"), reading.snapshot, reading.texts)
    assert isinstance(known, Known)
    return known.value


def access(tmp_path: Path, sql: str, command: str = "update") -> Access:
    return read(tmp_path, one=TABLE + sql).tables[0].to(command)


def test_conditions_are_told_apart(tmp_path: Path) -> None:
    cases = {
        "using (true)": Access.ANYBODY,
        "to authenticated using (true)": Access.LOGGED_IN,
        "using (auth.uid() is not null)": Access.LOGGED_IN,
        "using (auth.role() = 'authenticated')": Access.LOGGED_IN,
        "using ((select auth.uid()) = user_id)": Access.CALLER,
        "using (public.has_role(auth.uid(), 'admin'))": Access.CALLER,
        "using (auth.uid() = user_id or true)": Access.ANYBODY,
        "using (body is not null)": Access.CONDITION,
        "using (1 = 1)": Access.ANYBODY,
        "using (not false)": Access.ANYBODY,
        "using ((select true))": Access.ANYBODY,
        "using (true::boolean is true)": Access.ANYBODY,
        "using (user_id = notes.user_id)": Access.ANYBODY,
        "using (auth.role() in ('anon', 'authenticated'))": Access.ANYBODY,
        "using (auth.role() <> 'anon')": Access.LOGGED_IN,
        "using ((auth.jwt() ->> 'role') = 'authenticated')": Access.LOGGED_IN,
        "using ((select auth.uid()) is not null)": Access.LOGGED_IN,
        "using (((auth.jwt() -> 'user_metadata') ->> 'role') = 'admin')": Access.LOGGED_IN,
        "using (((auth.jwt() -> 'app_metadata') ->> 'role') = 'admin')": Access.CALLER,
        "using (exists (select 1 from profiles where profiles.id = auth.uid()))": Access.LOGGED_IN,
        "using (exists (select 1 from profiles p where p.id = auth.uid() and p.role = 'admin'))": Access.CALLER,
        "using (false)": Access.NOBODY,
        "to service_role using (true)": Access.NOBODY,
        "using (auth.role() = 'service_role')": Access.CALLER,
        "using (exists (select 1 from members m where m.id = notes.id and m.who = auth.uid()))": Access.CALLER,
    }
    for number, (clause, expected) in enumerate(cases.items()):
        assert access(tmp_path / str(number), f'create policy "p" on notes for all {clause};') is expected, clause


def test_later_files_replace_earlier_ones(tmp_path: Path) -> None:
    opened = 'create policy "p" on notes for all using (true);'
    assert read(tmp_path / "a", one=TABLE + opened, two='drop policy "p" on notes;').tables[0].to("update") is Access.NOBODY
    altered = 'alter policy "p" on notes using (auth.uid() = user_id);'
    assert read(tmp_path / "b", one=TABLE + opened, two=altered).tables[0].to("update") is Access.CALLER
    assert not read(tmp_path / "c", one=TABLE, two="alter table notes disable row level security;").tables[0].secured
    assert read(tmp_path / "d", one=TABLE + opened, two="drop table notes;").tables == ()


def test_a_renamed_policy_is_dropped_under_its_new_name(tmp_path: Path) -> None:
    renamed = 'create policy "p" on notes for all using (true);alter policy "p" on notes rename to "q";drop policy "q" on notes;'
    assert access(tmp_path, renamed) is Access.NOBODY


def test_stored_files_are_a_table_whose_buckets_say_nothing_of_the_caller(tmp_path: Path) -> None:
    def of(clause: str, number: int) -> Access:
        found = read(tmp_path / str(number), one=f'{TABLE}create policy "p" on storage.objects for delete {clause};')
        return next(table for table in found.tables if table.name == "storage.objects").to("delete")

    own = "using (bucket_id = 'avatars' and (storage.foldername(name))[1] = auth.uid()::text)"
    assert of("using (bucket_id = 'avatars')", 1) is Access.ANYBODY
    assert of("to authenticated using (bucket_id = 'avatars')", 2) is Access.LOGGED_IN
    assert of(own, 3) is Access.CALLER
    dropped = f'{TABLE}create policy "p" on storage.objects for delete using (true);drop policy "p" on storage.objects;'
    assert read(tmp_path / "4", one=dropped).tables[1].to("delete") is Access.NOBODY


def test_the_widest_permissive_policy_wins_and_restrictive_ones_narrow(tmp_path: Path) -> None:
    own = 'create policy "own" on notes for all using (auth.uid() = user_id);'
    wide = 'create policy "wide" on notes for update using (true);'
    narrow = 'create policy "narrow" on notes as restrictive for update using (auth.uid() = user_id);'
    assert access(tmp_path / "a", own + wide) is Access.ANYBODY
    assert access(tmp_path / "b", own + wide, "delete") is Access.CALLER
    assert access(tmp_path / "c", own + wide + narrow) is Access.CALLER


def test_inserts_are_decided_by_their_check(tmp_path: Path) -> None:
    assert access(tmp_path, 'create policy "p" on notes for insert with check (true);', "insert") is Access.ANYBODY


def test_statements_put_together_at_run_time_are_named_as_unread(tmp_path: Path) -> None:
    block = "do $$ begin execute format('alter table %I enable row level security', 'notes'); end $$;"
    assert read(tmp_path, one=TABLE + block).unread


def test_functions_with_the_rights_of_their_owner(tmp_path: Path) -> None:
    text = "create function wipe(who uuid) returns void language sql security definer as $$ delete from notes where user_id = who $$;"
    asking = text.replace("= who", "= who and user_id = auth.uid()")
    assert [function.writes for function in read(tmp_path / "a", one=TABLE + text).functions] == [True]
    assert read(tmp_path / "b", one=TABLE + asking).functions == ()
    revoked = "revoke execute on function wipe(uuid) from public, anon, authenticated;"
    assert read(tmp_path / "c", one=TABLE + text + revoked).functions == ()


def test_files_that_do_not_parse_do_no_harm(tmp_path: Path) -> None:
    found = read(tmp_path, one=TABLE, two="create policy broken on notes for (((;\n\ufffd select '")
    assert found.tables[0].secured


def test_views_run_past_the_policies_unless_they_ask(tmp_path: Path) -> None:
    def views(*statements: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        found = read(tmp_path / str(abs(hash(statements))), one=TABLE + "".join(statements)).views
        return [(view.name, view.tables, view.columns) for view in found]

    plain = "create view all_notes as select * from notes;"
    assert views(plain) == [("all_notes", ("notes",), ("*",))]
    assert views("create or replace view counts as select user_id, count(*) as n from public.notes group by 1;") == [
        ("counts", ("notes",), ("user_id",))
    ]
    assert views("create view mine with (security_invoker = true) as select * from notes;") == []
    assert views("create view mine with (security_invoker) as select * from notes;") == []
    assert views(plain, "alter view all_notes set (security_invoker = on);") == []
    assert views("create view mine as select * from notes where user_id = auth.uid();") == []
    assert views(plain, "drop view all_notes;") == []
    assert views(plain, "revoke all on all_notes from anon, authenticated;") == []
