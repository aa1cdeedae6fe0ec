"""The world that the pocket model learns: small scenes with picture, sound and caption, each from a seed."""
