"""Measures the reader of schema changes on a set of migrations, and really runs those migrations to see whether the set tells the truth."""
