"""Thin scripts around the package; none of it is imported by the studio."""
