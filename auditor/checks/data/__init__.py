"""Checks of the category `data`, one module per checklist item."""
