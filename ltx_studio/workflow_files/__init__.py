"""Workflows in files: JSON from any program, and the metadata of pictures, sounds and videos."""
