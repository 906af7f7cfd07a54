"""`auditor migrations`: what is dangerous and what only looks like it, in each framework, and how the command ends."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import pytest

from auditor.migration_advice import advice
from auditor.migrations import classify_migration, classify_path
from auditor.render.migrations import to_json, to_text
from tests.support.repositories import from_texts

ALEMBIC = 'from alembic import op\nimport sqlalchemy as sa\nrevision = "b"\ndown_revision = "a"\n\n\ndef upgrade():\n{up}\n\n\ndef downgrade():\n    op.drop_table("x")\n'
DJANGO = "from django.db import migrations, models\n{head}\n\nclass Migration(migrations.Migration):\n    {more}\n    operations = [{operations}]\n"
INITIAL = """from django.db import migrations, models
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Order", fields=[
        ("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=50)), ("note", models.TextField(null=True)),
        ("count", models.IntegerField(default=0)),
    ])]
"""


def kinds(files: dict[str, str], path: str = "") -> list[str]:
    report = classify_migration(files)
    return [kind for file in report.files if not path or file.path == path for kind in file.unsafe]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX i ON t (a);", ["index_not_concurrent"]),
        ("CREATE UNIQUE INDEX i ON t (a);", ["index_not_concurrent"]),
        ("CREATE TABLE t (a int); CREATE INDEX i ON t (a);", []),
        ("CREATE TEMP TABLE t (a int); CREATE INDEX i ON t (a); DELETE FROM t; DROP TABLE t;", []),
        ("CREATE INDEX CONCURRENTLY i ON t (a);", []),
        ("BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;", ["concurrent_in_transaction"]),
        ("ALTER TABLE t ADD COLUMN a int;", []),
        ("ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0;", []),
        ("ALTER TABLE t ADD COLUMN a timestamptz NOT NULL DEFAULT now();", []),
        ("ALTER TABLE t ADD COLUMN a int NOT NULL;", ["add_not_null_no_default"]),
        ("ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0; ALTER TABLE t ALTER COLUMN a DROP DEFAULT;", ["add_not_null_no_default"]),
        ("ALTER TABLE t ADD COLUMN a uuid NOT NULL DEFAULT gen_random_uuid();", ["add_column_rewrite"]),
        ("ALTER TABLE t ADD COLUMN a timestamptz DEFAULT clock_timestamp();", ["add_column_rewrite"]),
        ("ALTER TABLE t ADD COLUMN a bigserial;", ["add_column_rewrite"]),
        ("ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (b + 1) STORED;", ["add_column_rewrite"]),
        ("ALTER TABLE t DROP COLUMN a;", ["drop_column"]),
        ("ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN a;", []),
        ("DROP TABLE t;", ["drop_table"]),
        ("ALTER TABLE t RENAME COLUMN a TO b;", ["rename_column"]),
        ("ALTER TABLE t RENAME TO u;", ["rename_table"]),
        ("ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u;", []),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b; ALTER INDEX i RENAME TO j;", []),
        ("CREATE TABLE t (a varchar(20)); ", []),
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint;", ["change_type"]),
        ("ALTER TABLE t ALTER COLUMN a TYPE text;", []),
        ("ALTER TABLE t ALTER COLUMN a TYPE text USING a::text;", ["change_type"]),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL;", ["set_not_null"]),
        ("ALTER TABLE t ALTER COLUMN a DROP NOT NULL;", []),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER a SET NOT NULL;",
            [],
        ),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (b IS NOT NULL) NOT VALID; ALTER TABLE t ALTER a SET NOT NULL;", ["set_not_null"]),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);", ["add_fk_validating"]),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) NOT VALID;", []),
        ("ALTER TABLE t ADD CHECK (a > 0);", ["add_check_validating"]),
        ("ALTER TABLE t ADD UNIQUE (a);", ["add_unique_blocking"]),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;", []),
        ("ALTER TABLE t ADD PRIMARY KEY (a);", ["add_pk_blocking"]),
        ("TRUNCATE t;", ["data_loss_dml"]),
        ("DELETE FROM t;", ["data_loss_dml"]),
        ("DELETE FROM t WHERE a < 3;", []),
        ("UPDATE t SET a = 1;", ["unbatched_backfill"]),
        ("UPDATE t SET a = 1 WHERE id = 3;", []),
        ("ALTER TABLE t ADD a int; UPDATE t SET a = 1 WHERE a IS NULL;", ["unbatched_backfill"]),
        ("ALTER TABLE t ADD a int DEFAULT 1; UPDATE t SET a = 1 WHERE a IS NULL;", []),
        ("LOCK TABLE t;", ["explicit_lock"]),
        ("CREATE TABLE a.new (id Int) ENGINE = MergeTree ORDER BY id;\nRENAME TABLE a.t TO a.old, a.new TO a.t;", []),
        ("REINDEX TABLE t;", ["explicit_lock"]),
        ("REINDEX TABLE CONCURRENTLY t;", []),
        ("VACUUM FULL t;", ["explicit_lock"]),
        ("VACUUM t;", []),
        ("ALTER TYPE mood RENAME VALUE 'a' TO 'b';", ["rename_enum_value"]),
        ("ALTER TYPE mood ADD VALUE 'c';", []),
        ("ALTER TABLE t DISABLE ROW LEVEL SECURITY;", ["disable_rls"]),
        ("CREATE POLICY p ON t FOR ALL USING (true);", ["permissive_policy"]),
        ('CREATE POLICY "service role only" ON t FOR INSERT WITH CHECK (true);', ["permissive_policy"]),
        ("CREATE POLICY p ON t FOR ALL TO service_role USING (true) WITH CHECK (true);", []),
        ("CREATE POLICY p ON t FOR SELECT USING (true);", []),
        ("CREATE POLICY p ON t FOR UPDATE USING (auth.uid() = owner);", []),
        ("CREATE POLICY p ON t FOR ALL USING (true); DROP POLICY p ON t;", []),
        ("-- DROP TABLE t;\n/* DELETE FROM t; */ SELECT 'DROP TABLE t';", []),
        ("CREATE FUNCTION f() RETURNS void AS $$ BEGIN DELETE FROM t; DROP TABLE t; END $$ LANGUAGE plpgsql;", []),
        ("DO $$ BEGIN ALTER TABLE t DROP COLUMN a; EXCEPTION WHEN undefined_column THEN NULL; END $$;", ["drop_column"]),
        ("ALTER TABLE `t` ADD INDEX i (a), ALGORITHM=INPLACE, LOCK=NONE;", []),
        ("ALTER TABLE `t` ADD COLUMN b int NULL, ALGORITHM=COPY;", ["mysql_table_copy"]),
        (
            "CREATE TABLE `new_t` (id INTEGER PRIMARY KEY AUTOINCREMENT);\nINSERT INTO new_t SELECT * FROM t;\nDROP TABLE t;\nALTER TABLE new_t RENAME TO t;",
            [],
        ),
    ],
)
def test_sql(text: str, expected: list[str]) -> None:
    assert kinds({"db/scripts/007_change.sql": text}) == expected


@pytest.mark.parametrize(
    ("up", "expected"),
    [
        ('op.add_column("t", sa.Column("a", sa.Integer(), nullable=False, default=0))', ["add_not_null_no_default"]),
        ('op.add_column("t", sa.Column("a", sa.Integer(), nullable=False, server_default="0"))', []),
        ('op.add_column("t", sa.Column("a", sa.DateTime(), nullable=False, server_default=sa.func.now()))', []),
        ('op.add_column("t", sa.Column("a", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))', ["add_column_rewrite"]),
        ('op.create_index("i", "t", ["a"])', ["index_not_concurrent"]),
        ('op.create_index("i", "t", ["a"], postgresql_concurrently=True)', ["concurrent_in_transaction"]),
        ('with op.get_context().autocommit_block():\n        op.create_index("i", "t", ["a"], postgresql_concurrently=True)', []),
        ('op.create_table("t", sa.Column("a", sa.Integer()))\n    op.create_index("i", "t", ["a"])', []),
        ('op.alter_column("t", "a", type_=sa.String(90), existing_type=sa.String(50))', []),
        ('op.alter_column("t", "a", type_=sa.String(20), existing_type=sa.String(50))', ["change_type"]),
        ('op.alter_column("t", "a", nullable=False)', ["set_not_null"]),
        ('op.alter_column("t", "a", new_column_name="b")', ["rename_column"]),
        ('with op.batch_alter_table("t") as batch:\n        batch.drop_column("a")', ["drop_column"]),
        ('op.execute("UPDATE t SET a = 1")', ["unbatched_backfill"]),
        ('op.execute(sa.table("t").update().values(a=1))', ["unbatched_backfill"]),
        ('NAME = "t"\n    op.execute(f"DROP TABLE {NAME}")', ["drop_table"]),
        ('for name in ("a", "b"):\n        op.drop_column("t", name)', ["drop_column"]),
        ('if op.get_bind().dialect.name == "sqlite":\n        op.drop_table("t")', []),
        ('op.create_foreign_key("f", "t", "u", ["a"], ["id"], postgresql_not_valid=True)', []),
    ],
)
def test_alembic(up: str, expected: list[str]) -> None:
    assert kinds({"migrations/versions/b.py": ALEMBIC.format(up=f"    {up}")}) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ('migrations.AddField("Order", "a", models.IntegerField(null=True))', []),
        ('migrations.AddField("Order", "a", models.IntegerField(default=0))', ["add_not_null_no_default"]),
        ('migrations.AddField("Order", "a", models.IntegerField(db_default=0))', []),
        ('migrations.AddIndex("Order", models.Index(fields=["name"], name="i"))', ["index_not_concurrent"]),
        ('AddIndexConcurrently("Order", models.Index(fields=["name"], name="i"))', ["concurrent_in_transaction"]),
        ('migrations.AlterField("Order", "name", models.CharField(max_length=80, help_text="x"))', []),
        ('migrations.AlterField("Order", "name", models.CharField(max_length=20))', ["change_type"]),
        ('migrations.AlterField("Order", "count", models.BigIntegerField(default=0))', ["change_type"]),
        ('migrations.AlterField("Order", "note", models.TextField(default=""))', ["set_not_null"]),
        ('migrations.AlterField("Order", "count", models.IntegerField(default=1, choices=[(1, "a")]))', []),
        ('migrations.RenameField("Order", "name", "title")', ["rename_column"]),
        ('migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("Order", "name")])', []),
        ("migrations.RunPython(fill, migrations.RunPython.noop)", ["unbatched_backfill"]),
        ("migrations.RunPython(fill_some, migrations.RunPython.noop)", []),
        ("migrations.RunPython(one_by_one, migrations.RunPython.noop)", ["unbatched_backfill"]),
        ('migrations.RunSQL("ALTER TABLE shop_order DROP COLUMN name", "SELECT 1")', ["drop_column"]),
        ('migrations.AlterModelOptions("Order", options={"ordering": ["id"]})', []),
    ],
)
def test_django(operations: str, expected: list[str]) -> None:
    head = (
        "def fill(apps, schema_editor):\n    Order = apps.get_model('shop', 'Order')\n    Order.objects.all().update(count=1)\n"
        "def fill_some(apps, schema_editor):\n    apps.get_model('shop', 'Order').objects.filter(name='a').update(count=1)\n"
        "def one_by_one(apps, schema_editor):\n    for order in apps.get_model('shop', 'Order').objects.all():\n        order.count = 1\n        order.save()\n"
    )
    text = DJANGO.format(head=head, more='dependencies = [("shop", "0001_initial")]', operations=operations)
    assert kinds({"shop/migrations/0001_initial.py": INITIAL, "shop/migrations/0002_x.py": text}, "shop/migrations/0002_x.py") == expected


def test_what_only_calls_itself_a_migration_of_django_is_none() -> None:
    assert not classify_migration({"vectors/migrations/__init__.py": "class Migration:\n    operations = []\n"}).files
    assert not classify_migration({"vectors/migrations/base.py": "class Migration:\n    operations = []\n"}).files


def test_a_squashed_migration_runs_on_empty_databases_alone() -> None:
    text = DJANGO.format(
        head="", more='replaces = [("shop", "0002_a"), ("shop", "0003_b")]', operations='migrations.RemoveField("Order", "name")'
    )
    assert kinds({"shop/migrations/0002_squashed.py": text}) == []


def test_django_concurrently_outside_of_a_transaction() -> None:
    text = DJANGO.format(
        head="", more="atomic = False", operations='AddIndexConcurrently("Order", models.Index(fields=["name"], name="i"))'
    )
    assert kinds({"shop/migrations/0002_x.py": text}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "exports.up = (knex) => knex.schema.alterTable('t', (x) => { x.string('a').notNullable(); });\nexports.down = () => {};",
            ["add_not_null_no_default"],
        ),
        (
            "exports.up = (knex) => knex.schema.alterTable('t', (x) => { x.string('a').notNullable().defaultTo('b'); });\nexports.down = () => {};",
            [],
        ),
        ("exports.up = (knex) => knex.schema.alterTable('t', (x) => { x.dropColumn('a'); });\nexports.down = () => {};", ["drop_column"]),
        (
            "exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY i ON t (a)');\nexports.down = () => {};",
            ["concurrent_in_transaction"],
        ),
        (
            "exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY i ON t (a)');\nexports.down = () => {};\nexports.config = { transaction: false };",
            [],
        ),
        ("exports.up = async (knex) => { await knex('t').update({ a: 1 }); };\nexports.down = () => {};", ["unbatched_backfill"]),
        ("exports.up = async (knex) => { await knex('t').where({ a: 2 }).update({ a: 1 }); };\nexports.down = () => {};", []),
        ("exports.up = async () => {};\nexports.down = (knex) => knex.schema.dropTable('t');", []),
    ],
)
def test_knex(text: str, expected: list[str]) -> None:
    assert kinds({"migrations/20250101000000_a.js": text}) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("await queryInterface.addColumn('t', 'a', { type: Sequelize.INTEGER, allowNull: false });", ["add_not_null_no_default"]),
        ("await queryInterface.addIndex('t', ['a']);", ["index_not_concurrent"]),
        ("await queryInterface.addIndex('t', { fields: ['a'], concurrently: true });", []),
        ("await queryInterface.bulkDelete('t', null, {});", ["data_loss_dml"]),
        ("await queryInterface.sequelize.query('ALTER TABLE t DROP COLUMN a');", ["drop_column"]),
        (
            "await queryInterface.sequelize.transaction(async (transaction) => { await queryInterface.removeColumn('t', 'a', { transaction }); });",
            ["drop_column"],
        ),
    ],
)
def test_sequelize(body: str, expected: list[str]) -> None:
    text = f"module.exports = {{\n  async up(queryInterface, Sequelize) {{ {body} }},\n  async down() {{}},\n}};\n"
    assert kinds({"migrations/20250101000000_a.js": text}) == expected


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ("await queryRunner.query(`CREATE INDEX CONCURRENTLY i ON t (a)`);", "", ["concurrent_in_transaction"]),
        ("await queryRunner.query(`CREATE INDEX CONCURRENTLY i ON t (a)`);", "transaction = false;", []),
        ("await queryRunner.addColumn('t', new TableColumn({ name: 'a', type: 'int' }));", "", ["add_not_null_no_default"]),
        ("await queryRunner.addColumn('t', new TableColumn({ name: 'a', type: 'int', isNullable: true }));", "", []),
        ("await queryRunner.renameColumn('t', 'a', 'b');", "", ["rename_column"]),
        ("await queryRunner.clearTable('t');", "", ["data_loss_dml"]),
    ],
)
def test_typeorm(body: str, field: str, expected: list[str]) -> None:
    text = f"import {{ MigrationInterface, TableColumn }} from 'typeorm';\nexport class A1 implements MigrationInterface {{\n  {field}\n  public async up(queryRunner: QueryRunner): Promise<void> {{ {body} }}\n  public async down(queryRunner: QueryRunner): Promise<void> {{ await queryRunner.query('SELECT 1'); }}\n}}\n"
    assert kinds({"src/migrations/1735689600000-a.ts": text}) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"prisma/migrations/2025_a/migration.sql": "CREATE INDEX CONCURRENTLY i ON t (a);"}, []),
        (
            {"prisma/migrations/2025_a/migration.sql": "CREATE INDEX CONCURRENTLY i ON t (a);\nCREATE INDEX CONCURRENTLY j ON t (b);"},
            ["concurrent_in_transaction"],
        ),
        (
            {
                "prisma/migrations/2025_a/migration.sql": "CREATE INDEX i ON t (a);",
                "prisma/migrations/migration_lock.toml": 'provider = "mysql"',
            },
            [],
        ),
        ({"supabase/migrations/20250101000000_a.sql": "CREATE INDEX CONCURRENTLY i ON t (a);"}, ["concurrent_in_transaction"]),
        (
            {"db/migrations/1_a.sql": "-- migrate:up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- migrate:down\nDROP TABLE t;"},
            ["concurrent_in_transaction"],
        ),
        (
            {
                "db/migrations/1_a.sql": "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- migrate:down\nDROP TABLE t;"
            },
            [],
        ),
        ({"sql/V2__a.sql": "CREATE INDEX CONCURRENTLY i ON t (a);", "sql/V2__a.sql.conf": "executeInTransaction=false"}, []),
        ({"migrations/1_a.up.sql": "ALTER TABLE t ADD a int;", "migrations/1_a.down.sql": "ALTER TABLE t DROP COLUMN a;"}, []),
        ({"drizzle/0001_a.sql": "ALTER TABLE t ADD a int;--> statement-breakpoint\nALTER TABLE t DROP COLUMN b;"}, ["drop_column"]),
    ],
)
def test_runners(files: dict[str, str], expected: list[str]) -> None:
    assert kinds(files) == expected


def test_settings_may_take_all_migrations_out_of_transactions() -> None:
    index = "exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY i ON t (a)');\nexports.down = () => {};"
    settings = "module.exports = { client: 'pg', migrations: { disableTransactions: true } };"
    assert kinds({"migrations/1_a.js": index}) == ["concurrent_in_transaction"]
    assert kinds({"migrations/1_a.js": index, "knexfile.js": settings}) == []


def test_row_level_security_is_judged_by_the_end_state() -> None:
    files = {
        "supabase/migrations/1_a.sql": "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE private.c (id int); CREATE TABLE gone (id int);",
        "supabase/migrations/2_b.sql": "ALTER TABLE a ENABLE ROW LEVEL SECURITY; DROP TABLE gone;",
    }
    report = classify_migration(files)
    assert [(problem.kind, problem.path) for problem in report.problems] == [("missing_rls", "supabase/migrations/1_a.sql")]
    assert "table b " in report.problems[0].message


@pytest.mark.parametrize(
    ("up", "down", "reversible"),
    [
        ("ALTER TABLE t ADD a int;", "ALTER TABLE t DROP COLUMN a;", True),
        ("ALTER TABLE t DROP COLUMN a;", "ALTER TABLE t ADD a int;", "partial"),
        ("ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;", "ALTER TABLE t DROP COLUMN a;", "partial"),
        ("ALTER TABLE t ADD a int;", "-- nothing", False),
        ("DELETE FROM t;", "SELECT 1;", False),
        ("CREATE TABLE t (a int);", "DROP TABLE t;", True),
        ("DROP TABLE t;", "CREATE TABLE t (a int);", "partial"),
    ],
)
def test_reversible(up: str, down: str, reversible: bool | str) -> None:
    report = classify_migration({"migrations/1_a.up.sql": up, "migrations/1_a.down.sql": down})
    assert report.files[0].reversible == reversible, report.files[0].reason


def test_problems_of_the_set() -> None:
    assert [problem.kind for problem in classify_migration({}).problems] == ["no_migrations"]
    models = "from django.db import models\nclass Order(models.Model):\n    name = models.CharField(max_length=50)\n    added = models.TextField()\n"
    found = classify_migration({"shop/models.py": models, "shop/migrations/0001_initial.py": INITIAL}).problems
    assert [(problem.kind, problem.path) for problem in found] == [("drift", "shop/models.py")]
    missing = classify_migration({"m/1_a.up.sql": "SELECT 1;", "m/2_b.up.sql": "CREATE TABLE t (a int);", "m/1_a.down.sql": "SELECT 1;"})
    assert [(problem.kind, problem.path) for problem in missing.problems] == [("missing_down", "m/2_b.up.sql")]


def test_broken_files_are_named_and_stop_nothing() -> None:
    report = classify_migration(
        {"m/versions/a.py": ALEMBIC.format(up="    op.drop_table('a')\n    op.drop_column(("), "m/001_x.sql": "DROP TABLE a; %%%% oh"}
    )
    assert [path for path, _ in report.unexamined] == ["m/versions/a.py"]
    assert {file.path: file.unsafe for file in report.files}["m/001_x.sql"] == ("drop_table",)


def test_every_kind_has_its_words_and_every_danger_its_steps() -> None:
    known = advice()
    assert all(words.title and words.harm("t", "c") and words.steps() for words in known.values())
    frameworks = {
        "alembic",
        "django",
        "sql",
        "supabase",
        "flyway",
        "dbmate",
        "golang-migrate",
        "prisma",
        "knex",
        "typeorm",
        "sequelize",
        "drizzle",
    }
    assert {name for words in known.values() for name in words.own} <= frameworks
    report = classify_migration({"db/001_a.sql": "ALTER TABLE t DROP COLUMN a;"})
    assert "t.a" in report.files[0].operations[0].harm
    assert report.files[0].operations[0].steps


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from auditor.cli import app

    root = from_texts(
        tmp_path / "app", {"db/migrations/001_a.sql": "CREATE TABLE t (a int);", "db/migrations/002_b.sql": "DROP TABLE t;\x1b"}
    )
    for arguments, code in (
        ([str(root)], 1),
        ([str(root / "db" / "migrations" / "001_a.sql")], 0),
        ([str(root / "none")], 2),
        ([str(root / "db" / "migrations"), "--json"], 1),
    ):
        with pytest.raises(SystemExit) as ended:
            app(["migrations", *arguments])
        assert ended.value.code in {code, None} or (code == 0 and not ended.value.code), arguments
    out = capfd.readouterr().out
    assert "\x1b" not in out
    data = json.loads(out[out.index("{") :])
    assert [file["path"] for file in data["files"]] == ["001_a.sql", "002_b.sql"]
    assert set(data) == {"files", "problems", "unexamined"}
    assert set(data["files"][0]) >= {"path", "framework", "unsafe", "reversible", "operations", "reason"}


def test_no_migrations_is_said_and_has_its_own_code(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", {"README.md": "# nothing"})
    report = classify_path(root)
    assert [problem.kind for problem in report.problems] == ["no_migrations"]
    assert "no migration" in to_text(report)
    assert json.loads(to_json(report))["files"] == []


def test_the_words_are_toml_that_loads() -> None:
    path = Path(__file__).parents[1] / "auditor" / "migration_kinds.toml"
    assert set(tomllib.loads(path.read_text())) == set(advice())


def test_two_thousand_revisions_in_a_row_take_no_time_to_order() -> None:
    """Named so that the alphabet runs against the graph: anything quadratic would show."""
    files = {}
    for number in range(2000):
        before = f'"r{9999 - number + 1}"' if number else "None"
        files[f"migrations/versions/{9999 - number}.py"] = (
            f'revision = "r{9999 - number}"\ndown_revision = {before}\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n'
        )
    started = time.process_time()
    report = classify_migration(files)
    assert time.process_time() - started < 10
    assert [report.files[0].path, report.files[-1].path] == ["migrations/versions/9999.py", "migrations/versions/8000.py"]
    assert not report.problems


def test_a_circle_of_revisions_is_a_broken_chain() -> None:
    text = 'revision = "{0}"\ndown_revision = "{1}"\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n'
    report = classify_migration({"m/versions/a.py": text.format("a", "b"), "m/versions/b.py": text.format("b", "a")})
    assert [problem.kind for problem in report.problems] == ["broken_chain"]


ALEMBIC_DATA = [
    ('op.execute("COMMIT")\n    op.execute("CREATE INDEX CONCURRENTLY i ON t (a)")', []),
    ('session = Session(bind=op.get_bind())\n    session.query(User).update({"a": 1})', ["unbatched_backfill"]),
    ("session = Session(bind=op.get_bind())\n    for user in session.query(User):\n        user.a = 1", ["unbatched_backfill"]),
    (
        'conn = op.get_bind()\n    for row in conn.execute(sa.text("SELECT id FROM t")):\n        conn.execute(sa.text("UPDATE t SET a = 1 WHERE id = :id"), {"id": row.id})',
        ["unbatched_backfill"],
    ),
    (
        'conn = op.get_bind()\n    for row in conn.execute(sa.text("SELECT id FROM t WHERE a = 2")):\n        conn.execute(sa.text("UPDATE t SET a = 1 WHERE id = :id"), {"id": row.id})',
        [],
    ),
    (
        'while op.get_bind().execute(sa.text("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t WHERE a IS NULL LIMIT 1000)")).rowcount:\n        pass',
        [],
    ),
]


@pytest.mark.parametrize(("up", "expected"), ALEMBIC_DATA)
def test_alembic_data(up: str, expected: list[str]) -> None:
    assert kinds({"migrations/versions/b.py": ALEMBIC.format(up=f"    {up}")}) == expected


def test_alembic_for_several_databases() -> None:
    text = 'from alembic import op\nrevision = "b"\ndown_revision = "a"\ndef upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\ndef upgrade_one():\n    op.drop_table("t")\ndef upgrade_two():\n    pass\n'
    assert kinds({"migrations/versions/b.py": text}) == ["drop_table"]


@pytest.mark.parametrize(
    ("operations", "head", "expected"),
    [
        ('[migrations.RemoveField("Order", name) for name in ("name", "note")]', "", ["drop_column"]),
        ('[migrations.RunSQL("SELECT 1")] + [migrations.RemoveField("Order", "name")]', "", ["drop_column"]),
        (
            "[migrations.RunPython(fill)]",
            "def fill(apps, schema_editor):\n    Order = apps.get_model('shop', 'Order')\n    found = []\n    for order in Order.objects.all():\n        order.count = 1\n        found.append(order)\n    Order.objects.bulk_update(found, ['count'])\n",
            ["unbatched_backfill"],
        ),
        (
            "[migrations.RunPython(fill)]",
            "def fill(apps, schema_editor):\n    Order = apps.get_model('shop', 'Order')\n    while True:\n        ids = list(Order.objects.filter(count=0).values_list('pk', flat=True)[:1000])\n        if not ids:\n            break\n        Order.objects.filter(pk__in=ids).update(count=1)\n",
            [],
        ),
        (
            '[migrations.AddField("Order", "a", models.UUIDField(default=uuid.uuid4, unique=True))]',
            "",
            ["add_not_null_no_default", "add_unique_blocking"],
        ),
        (
            '[migrations.AddField("Order", "a", models.IntegerField(default=0)), migrations.RunSQL("ALTER TABLE shop_order ALTER a SET DEFAULT 0")]',
            "",
            [],
        ),
    ],
)
def test_django_lists_and_loops(operations: str, head: str, expected: list[str]) -> None:
    text = f'from django.db import migrations, models\n{head}\nclass Migration(migrations.Migration):\n    dependencies = [("shop", "0001_initial")]\n    operations = {operations}\n'
    assert kinds({"shop/migrations/0001_initial.py": INITIAL, "shop/migrations/0002_x.py": text}, "shop/migrations/0002_x.py") == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"db/migration/V2__x.sql": "ALTER TABLE ${schema}.orders DROP COLUMN x;"}, ["drop_column"]),
        ({"drizzle/20240101_x/migration.sql": 'DROP TABLE "x";', "drizzle/20240101_x/snapshot.json": "{}"}, ["drop_table"]),
        (
            {"m/001_x.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP INDEX i;"},
            [],
        ),
        ({"db/002.sql": "CREATE INDEX i ON t (a) ALGORITHM=INPLACE LOCK=NONE;"}, []),
        ({"db/002.sql": "ALTER TABLE t CHANGE COLUMN a b INT UNSIGNED NOT NULL;"}, ["rename_column"]),
        ({"db/002.sql": "DROP SCHEMA app CASCADE;"}, ["drop_table"]),
        ({"supabase/seed.sql": "DELETE FROM x;", "supabase/migrations/1_a.sql": "ALTER TABLE x ADD a int;"}, []),
        (
            {
                "supabase/migrations/1_a.sql": "CREATE TABLE a (id int);\nDO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables LOOP EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.tablename); END LOOP; END $$;"
            },
            [],
        ),
    ],
)
def test_more_of_the_runners(files: dict[str, str], expected: list[str]) -> None:
    assert kinds(files) == expected


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "def upgrade():\n    x = " + "f(" * 5_000 + ")" * 5_000,
        "def upgrade():\n" + "".join(f"    x = x.strip(x){chr(10)}" for _ in range(3_000)) + "    op.execute(x)\n",
        "def upgrade():\n    for a in [" + "1," * 5_000 + "]:\n        op.execute(a)\n",
        "def upgrade():\n    upgrade()\n    a = lambda: a()\n    a()\n",
    ],
)
def test_hostile_code_ends(text: str) -> None:
    report = classify_migration({"m/versions/a.py": f'from alembic import op\nrevision = "a"\ndown_revision = None\n{text}'})
    assert len(report.files) <= 1
