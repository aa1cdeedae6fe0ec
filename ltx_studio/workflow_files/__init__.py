"""Workflows in files: JSON of any program, and what pictures, sounds and videos carry in their metadata."""
