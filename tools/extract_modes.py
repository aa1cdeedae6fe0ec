"""Cut the mode files out of the master workflow.

folder=ltx_studio/families/ltx_2_3/templates
.venv/bin/python tools/extract_modes.py --master $folder/master.json --out $folder
"""

import argparse
import json
import sys
from pathlib import Path

from ltx_studio.cli.hints import hint_of
from ltx_studio.editor_format.master import cut, write_modes
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import StudioError
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.settings import get_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--master", type=Path, required=True, help="an editor-format workflow")
    parser.add_argument("--out", type=Path, required=True, help="folder for the mode files")
    options = parser.parse_args()
    try:
        master = json.loads(options.master.read_text(encoding="utf-8"))
        modes = cut(master, load_definitions(snapshot_path(get_settings())))
        for path in write_modes(modes, options.out):
            print(path)
    except (OSError, ValueError, RecursionError) as error:
        sys.exit(f"{options.master}: {error}")
    except StudioError as error:
        sys.exit(f"{error.message}\n{hint_of(error)}")


if __name__ == "__main__":
    main()
