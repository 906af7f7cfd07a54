"""Checks of the category `ops`, one module per checklist item."""
