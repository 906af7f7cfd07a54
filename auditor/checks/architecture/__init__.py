"""Checks of the category `architecture`, one module per checklist item."""
