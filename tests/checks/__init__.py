"""Tests of single checks with evidence that fixtures cannot hold."""
