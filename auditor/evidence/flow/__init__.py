"""Follows values from outside to where they do harm: a small abstract interpreter and its tables. Evidence FLOWS stands on it."""
