"""Downloads: model files from Hugging Face, with resume after a kill and a check of their contents."""

from ltx_studio.downloads.ensure import ensure_models

__all__ = ["ensure_models"]
