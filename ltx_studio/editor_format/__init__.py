"""ComfyUI's editor format: convert it to API format, draw it from API format, cut modes out of the master workflow."""
