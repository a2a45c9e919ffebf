"""Nouns and arithmetic that every room speaks. Standard library and pydantic; no clock, no disk, no network."""
