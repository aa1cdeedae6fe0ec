"""Side-by-side measurements: each prints seconds, and ratios against something that the same machine did just now."""
