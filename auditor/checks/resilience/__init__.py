"""Checks of the category `resilience`, one module per checklist item."""
