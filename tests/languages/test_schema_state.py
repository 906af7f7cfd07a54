"""The schema that migrations leave behind, whatever they are written in."""

from __future__ import annotations

import pytest

from auditor.languages.migration_set import read_migrations
from auditor.languages.schema_state import Schema

ALEMBIC = """from alembic import op
import sqlalchemy as sa
revision = "a"
down_revision = None
def upgrade():
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.UniqueConstraint("name"),
    )
    op.add_column("orders", sa.Column("made", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False))
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("name", type_=sa.Text(), existing_type=sa.String(length=50))
        batch.create_index("ix_made", ["made"])
def downgrade():
    op.drop_table("orders")
"""
SQL = """CREATE TABLE orders (id int PRIMARY KEY, name varchar(50) NOT NULL, user_id int REFERENCES users(id) ON DELETE CASCADE, UNIQUE (name));
ALTER TABLE orders ADD COLUMN made timestamptz NOT NULL DEFAULT now(), ALTER COLUMN name TYPE text;
CREATE INDEX ix_made ON orders (made);
"""
DJANGO = """from django.db import migrations, models
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Order", fields=[
            ("id", models.AutoField(primary_key=True)),
            ("name", models.CharField(max_length=50, unique=True)),
            ("user", models.ForeignKey("auth.User", models.CASCADE, null=True)),
        ], options={"db_table": "orders"}),
        migrations.AddField("Order", "made", models.DateTimeField(db_default=Now())),
        migrations.AlterField("Order", "name", models.TextField(unique=True)),
        migrations.AddIndex("Order", models.Index(fields=["made"], name="ix_made")),
    ]
"""
KNEX = """exports.up = (knex) => knex.schema.createTable('orders', (t) => {
  t.increments();
  t.string('name', 50).notNullable().unique();
  t.integer('user_id').references('id').inTable('users').onDelete('CASCADE');
}).alterTable('orders', (t) => {
  t.timestamp('made').notNullable().defaultTo(knex.fn.now());
  t.text('name').notNullable().alter();
  t.index(['made'], 'ix_made');
});
exports.down = (knex) => knex.schema.dropTable('orders');
"""
SEQUELIZE = """module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('orders', {
      id: { type: Sequelize.INTEGER, primaryKey: true },
      name: { type: Sequelize.STRING(50), allowNull: false, unique: true },
      user_id: { type: Sequelize.INTEGER, references: { model: 'users', key: 'id' }, onDelete: 'CASCADE' },
    });
    await queryInterface.addColumn('orders', 'made', { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn('now') });
    await queryInterface.changeColumn('orders', 'name', { type: Sequelize.TEXT, allowNull: false, unique: true });
    await queryInterface.addIndex('orders', ['made'], { name: 'ix_made' });
  },
  async down(queryInterface) { await queryInterface.dropTable('orders'); },
};
"""
TYPEORM = """import { MigrationInterface, Table, TableColumn, TableIndex } from 'typeorm';
export class A1 implements MigrationInterface {
  async up(queryRunner) {
    await queryRunner.createTable(new Table({ name: 'orders', columns: [
      { name: 'id', type: 'int', isPrimary: true },
      { name: 'name', type: 'varchar', length: '50', isUnique: true },
      { name: 'user_id', type: 'int', isNullable: true },
    ], foreignKeys: [{ columnNames: ['user_id'], referencedTableName: 'users', referencedColumnNames: ['id'], onDelete: 'CASCADE' }] }));
    await queryRunner.query('ALTER TABLE orders ADD COLUMN made timestamptz NOT NULL DEFAULT now()');
    await queryRunner.changeColumn('orders', 'name', new TableColumn({ name: 'name', type: 'text', isUnique: true }));
    await queryRunner.createIndex('orders', new TableIndex({ name: 'ix_made', columnNames: ['made'] }));
  }
  async down(queryRunner) { await queryRunner.dropTable('orders'); }
}
"""


def schema_of(texts: dict[str, str]) -> Schema:
    return read_migrations(texts).schema()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("migrations/versions/a.py", ALEMBIC),
        ("db/migrations/001_a.sql", SQL),
        ("shop/migrations/0001_initial.py", DJANGO),
        ("migrations/20250101000000_a.js", KNEX),
        ("migrations/20250101000000_a.js", SEQUELIZE),
        ("migrations/1735689600000-a.ts", TYPEORM),
    ],
)
def test_every_framework_leaves_the_same_table(path: str, text: str) -> None:
    table = schema_of({path: text}).tables["orders"]
    assert table.complete
    assert [*table.columns] == ["id", "name", "user_id", "made"]
    name, user, made = table.columns["name"], table.columns["user_id"], table.columns["made"]
    assert (name.type, name.size, name.not_null) == ("text", (), True)
    assert table.columns["id"].primary
    assert frozenset({"name"}) in table.unique_sets()
    assert user.references == ("auth_user" if "django" in text else "users")
    assert user.cascades
    assert not user.not_null
    assert (made.type, made.not_null, bool(made.default), made.volatile) == ("timestamptz", True, True, False)
    assert ("made",) in [index.columns for index in table.indexes.values()]


def test_later_files_change_what_earlier_ones_made() -> None:
    texts = {
        "supabase/migrations/20250101000000_a.sql": "CREATE TABLE a (id int PRIMARY KEY, b text); CREATE TABLE gone (id int);",
        "supabase/migrations/20250102000000_b.sql": 'DROP TABLE gone; ALTER TABLE a RENAME TO c; ALTER TABLE c RENAME b TO "bB";',
        "supabase/migrations/20250103000000_c.sql": "ALTER TABLE c ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON c FOR SELECT USING (true);",
    }
    schema = schema_of(texts)
    assert [*schema.tables] == ["c"]
    assert [*schema.tables["c"].columns] == ["id", "bB"]
    assert schema.tables["c"].secured
    assert [*schema.tables["c"].policies] == ["p"]


def test_what_could_not_be_read_leaves_a_mark() -> None:
    schema = schema_of({"db/migrations/001_a.sql": "CREATE TABLE a (id int);\nDO $$ BEGIN EXECUTE format('DROP TABLE %I', x()); END $$;"})
    assert schema.unread == [("db/migrations/001_a.sql", 2)]


def test_texts_that_grow_with_every_step_are_given_up() -> None:
    """A hostile file may double a text a hundred times over; reading it must end."""
    doubled = "\n".join("    a = a + a\n    b = [*b, *b]\n    c = f'{c}{x}{c}'" for _ in range(60))
    text = f'from alembic import op\nrevision = "a"\ndown_revision = None\ndef upgrade():\n    a = c = "x"\n    b = [1]\n{doubled}\n    op.execute(a)\n    op.execute(c)\n'
    assert [operation.kind for operation in read_migrations({"m/versions/a.py": text}).migrations[0].up.operations] == ["unread", "unread"]
