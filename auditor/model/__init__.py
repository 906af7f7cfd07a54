"""The values that flow through an audit: frozen, slotted, made of standard-library types only.

Nothing in this package reads a file, runs a tool or knows a check; every other package may import it.
"""
