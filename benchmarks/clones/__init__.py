"""Measures the search for copies on a set of mutants made from the functions of given repositories: `python -m benchmarks.clones TREE...`."""
