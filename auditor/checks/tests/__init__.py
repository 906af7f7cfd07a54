"""Checks of the category `tests`, one module per checklist item."""
