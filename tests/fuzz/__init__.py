"""Fuzzing: every parser of what users bring, with mutated real files and built hostile ones."""
