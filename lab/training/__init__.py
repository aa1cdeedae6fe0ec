"""How the pocket model is trained: part after part, each from a seed, each resumable."""
