"""Checks of the category `observability`, one module per checklist item."""
