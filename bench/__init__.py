"""Side-by-side measurements: each prints seconds, and ratios to a reference measured on the same machine just now."""
