"""The world that the pocket model learns: small scenes, drawn, heard and told, each from a seed."""
