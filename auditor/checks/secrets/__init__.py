"""Checks of the category `secrets`, one module per checklist item."""
