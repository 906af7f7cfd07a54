"""Checks of the category `wiring`, one module per checklist item."""
