"""Checks of the category `debt`, one module per checklist item."""
