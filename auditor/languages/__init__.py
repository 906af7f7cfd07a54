"""Readers of single files: syntax facts, manifests, CI files, containers, documents. Pure functions from text to facts."""
