"""Search for the model files again, and mend the links by which ComfyUI finds them.

python tools/refresh_models.py
"""

import sys

from ltx_studio.cli.commands import main

if __name__ == "__main__":
    main(["models", "refresh", *sys.argv[1:]])
