"""Checks of the category `deploy`, one module per checklist item."""
