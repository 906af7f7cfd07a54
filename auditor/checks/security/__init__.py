"""Checks of the category `security`, one module per checklist item."""
