"""Takes: finished clips with their recipes, the history, and making a take again."""

from ltx_studio.takes.clip_files import Take, check_destination, export, measure

__all__ = ["Take", "check_destination", "export", "measure"]
