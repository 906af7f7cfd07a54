"""Renderers: from a `Report` to text, JSON or HTML, seeing nothing else."""
