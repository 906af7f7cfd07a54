"""Tests of the evidence providers."""
