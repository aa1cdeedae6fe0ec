#!/usr/bin/env bash
# Writes requirements/*.lock: every version and hash, for Linux and macOS, Python 3.11 and 3.12, without index addresses;
# and requirements.txt, which a Hugging Face Space installs.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .venv/bin/uv)

compile() {
  "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate pyproject.toml "$@"
}

compile --output-file requirements/runtime.lock
compile --group dev --constraint requirements/runtime.lock --output-file requirements/dev.lock
.venv/bin/python -m tools.space --requirements
