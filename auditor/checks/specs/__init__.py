"""Checks of the category `specs`, one module per checklist item."""
