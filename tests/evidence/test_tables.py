"""Readers of data models: what each mapper's declarations say about columns, keys and rules."""

from __future__ import annotations

from auditor.evidence.stores_models import declared
from auditor.languages.python import read_python
from auditor.languages.script import read_script
from auditor.model.snapshot import Language
from auditor.model.tables import Table


def python(**sources: str) -> dict[str, Table]:
    texts = {f"{name}.py": text for name, text in sources.items()}
    files = [read_python(path, text) for path, text in texts.items()]
    return {table.name: table for table in declared(files, [], texts)}


def script(text: str) -> dict[str, Table]:
    return {table.name: table for table in declared([read_script("a.ts", text, Language.TYPESCRIPT)], [], {"a.ts": text})}


def prisma(*texts: str) -> dict[str, Table]:
    return {table.name: table for table in declared([], [(f"{n}.prisma", text) for n, text in enumerate(texts)], {})}


def test_columns_of_mixins_in_other_files_belong_to_the_table() -> None:
    found = python(
        base="from sqlalchemy import Column, Integer\nclass Keyed:\n    id = Column(Integer, primary_key=True)\n",
        models='from base import Keyed\nfrom sqlalchemy import Column, ForeignKey, String\nclass A(Base, Keyed):\n    __tablename__ = "a"\n    b_id = Column(ForeignKey("b.id"), nullable=False)\n    name = Column("title", String, unique=True)\n',
    )["A"]
    identity = found.column("id")
    assert identity is not None
    assert (identity.primary, identity.path, identity.line) == (True, "base.py", 3)
    key = found.column("b_id")
    assert key is not None
    assert (key.references, key.null) == ("b", False)
    assert found.column("name") is found.column("title")


def test_annotations_decide_about_null_types_and_bounds() -> None:
    found = python(
        models='from sqlalchemy.orm import Mapped, mapped_column\nclass A(Base):\n    __tablename__ = "a"\n    one: Mapped[float]\n    two: Mapped[str | None] = mapped_column()\n    three: Mapped[Status]\n    others: Mapped[list["B"]] = relationship()\n    b: Mapped["B"] = relationship()\n'
    )["A"]
    assert [(c.name, c.type, c.null, c.limited) for c in found.columns] == [
        ("one", "float", False, False),
        ("two", "str", True, False),
        ("three", "status", False, True),
    ]


def test_table_arguments_bring_keys_checks_unique_rules_and_indexes() -> None:
    found = python(
        models='from sqlalchemy import *\nclass A(Base):\n    __tablename__ = "a"\n    x = Column(Integer)\n    y = Column(Integer)\n    __table_args__ = (UniqueConstraint("x", "y"), Index("i", "y"), ForeignKeyConstraint(["x"], ["b.id"]), CheckConstraint("y > 0"))\n'
    )["A"]
    assert found.uniques == (("x", "y"),)
    assert found.indexes == (("y",),)
    assert [(c.name, c.references, c.limited) for c in found.columns] == [("x", "b", False), ("y", "", True)]


def test_django_models_inherit_from_abstract_ones_and_name_their_keys() -> None:
    found = python(
        models="from django.db import models\nclass Owned(models.Model):\n    owner = models.ForeignKey(User, models.CASCADE, null=True)\n    class Meta:\n        abstract = True\nclass A(Owned):\n    slug = models.SlugField(unique=True)\n    class Meta:\n        unique_together = ('slug', 'owner')\n"
    )
    assert list(found) == ["A"]
    assert [(c.name, c.references, c.unique, c.indexed) for c in found["A"].columns] == [
        ("id", "", True, False),
        ("slug", "", True, True),
        ("owner_id", "User", False, True),
    ]
    assert found["A"].uniques == (("slug", "owner"),)


def test_prisma_relations_lead_across_files_and_braces_in_defaults_do_not_end_a_model() -> None:
    found = prisma(
        'model Post {\n  id Int @id\n  data Json @default("{}")\n  userId Int @map("user_id")\n  user User @relation(fields: [userId], references: [id])\n  @@unique([userId, id])\n}\n',
        "model User {\n  id Int @id\n  posts Post[]\n}\n",
    )
    assert [(c.name, c.attribute, c.references) for c in found["Post"].columns] == [
        ("id", "", ""),
        ("data", "", ""),
        ("user_id", "userId", "User"),
    ]
    assert found["Post"].uniques == (("user_id", "id"),)
    assert [column.name for column in found["User"].columns] == ["id"]


def test_typeorm_relations_and_bare_decorators() -> None:
    found = script(
        'import { Entity, Column, ManyToOne, JoinColumn, Index } from "typeorm";\n@Entity("posts")\nclass Post {\n  @ManyToOne(() => User)\n  @JoinColumn({ name: "owner_id" })\n  owner: User;\n  @Index()\n  @Column({ nullable: true })\n  title: string;\n}\n'
    )["Post"]
    assert found.table == "posts"
    assert [(c.name, c.references, c.null, c.indexed, c.line) for c in found.columns] == [
        ("owner_id", "User", True, False, 4),
        ("title", "", True, True, 7),
    ]


def test_drizzle_chains() -> None:
    found = script(
        'import { pgTable, text, index, integer } from "drizzle-orm/pg-core";\nexport const users = pgTable("people", { id: integer("id").primaryKey() });\nexport const posts = pgTable("posts", {\n  ownerId: integer("owner_id").notNull().references(() => users.id),\n  title: text("title").unique(),\n}, (t) => [index("i").on(t.ownerId)]);\n'
    )["posts"]
    assert [(c.name, c.attribute, c.references, c.null, c.unique) for c in found.columns] == [
        ("owner_id", "ownerId", "people", False, False),
        ("title", "", "", True, True),
    ]
    assert found.indexes == (("owner_id",),)


def test_sequelize_associations_make_keys() -> None:
    found = script(
        'import { DataTypes } from "sequelize";\nconst Post = sequelize.define("Post", {\n  title: DataTypes.STRING,\n  price: { type: DataTypes.FLOAT, allowNull: false },\n});\nPost.belongsTo(User, { foreignKey: "userId" });\n'
    )["Post"]
    assert [(c.name, c.type, c.null, c.references, c.line) for c in found.columns] == [
        ("id", "integer", False, "", 2),
        ("title", "string", True, "", 3),
        ("price", "float", False, "", 4),
        ("userId", "", True, "User", 2),
    ]


def test_mongoose_schemas_with_rules_of_their_own() -> None:
    found = script(
        'import mongoose from "mongoose";\nconst userSchema = new mongoose.Schema({ email: { type: String, required: true, unique: true }, team: { type: mongoose.Schema.Types.ObjectId, ref: "Team" }, tags: [String] });\nuserSchema.index({ team: 1, email: 1 }, { unique: true });\nexport default mongoose.model("User", userSchema);\n'
    )["User"]
    assert [(c.name, c.type, c.null, c.unique, c.references) for c in found.columns] == [
        ("_id", "objectid", False, True, ""),
        ("email", "string", False, True, ""),
        ("team", "objectid", True, False, "Team"),
        ("tags", "array", True, False, ""),
    ]
    assert found.uniques == (("team", "email"),)


def test_who_goes_with_a_removed_row() -> None:
    alchemy = python(
        models='from sqlalchemy import *\nclass A(Base):\n    __tablename__ = "a"\n    id = Column(Integer, primary_key=True)\n    bs = relationship("B", cascade="all, delete-orphan")\n    cs: Mapped[list["C"]] = relationship(cascade="save-update")\nclass B(Base):\n    __tablename__ = "b"\n    a_id = Column(ForeignKey("a.id", ondelete="CASCADE"))\n    c_id = Column(ForeignKey("c.id", ondelete="SET NULL"))\n'
    )
    assert alchemy["A"].removes == ("B",)
    assert [(c.name, c.cascades) for c in alchemy["B"].columns] == [("a_id", True), ("c_id", False)]
    sqlmodel = python(
        models='from sqlmodel import *\nclass A(SQLModel, table=True):\n    id: int = Field(primary_key=True)\n    items: list["Item"] = Relationship(back_populates="owner", cascade_delete=True)\nclass Item(SQLModel, table=True):\n    owner_id: int = Field(foreign_key="a.id", ondelete="CASCADE")\n'
    )
    assert sqlmodel["A"].removes == ("Item",)
    assert sqlmodel["Item"].columns[0].cascades
    django = python(
        models='from django.db import models\nclass A(models.Model):\n    b = models.ForeignKey("B", models.CASCADE)\n    c = models.ForeignKey("C", on_delete=models.SET_NULL, null=True)\n'
    )["A"]
    assert [(c.name, c.cascades) for c in django.columns if c.references] == [("b_id", True), ("c_id", False)]
    post = prisma(
        "model Post {\n  userId Int\n  user User @relation(fields: [userId], references: [id], onDelete: Cascade)\n}\nmodel User {\n  id Int @id\n}\n"
    )
    assert post["Post"].columns[0].cascades
    drizzle = script(
        'import { pgTable, integer } from "drizzle-orm/pg-core";\nexport const a = pgTable("a", { id: integer("id").primaryKey() });\nexport const b = pgTable("b", { aId: integer("a_id").references(() => a.id, { onDelete: "cascade" }) });\n'
    )
    assert drizzle["b"].columns[0].cascades
    entity = script(
        'import { Entity, ManyToOne } from "typeorm";\n@Entity()\nexport class B {\n  @ManyToOne(() => A, (a) => a.bs, { onDelete: "CASCADE" })\n  a: A;\n}\n'
    )["B"]
    assert [(c.name, c.references, c.cascades) for c in entity.columns] == [("aId", "A", True)]
