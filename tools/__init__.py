"""Scripts around the package; the studio imports none of them."""
