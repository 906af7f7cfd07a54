"""Checks of the category `deps`, one module per checklist item."""
