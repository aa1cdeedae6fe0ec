"""The training of the pocket model: part after part, each from a seed, each resumable."""
