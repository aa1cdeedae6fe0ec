"""Model families: for each, its graph templates, presets, geometry and loaders."""
