#!/usr/bin/env bash
# Runs the page's smoke tests on the newest Gradio, which the studio does not use yet: what fails is what an upgrade has
# to look at. GRADIO=6.30.0 names another version.
set -euo pipefail

cd "$(dirname "$0")/.."
TARGET=.venv/canary
rm -rf "$TARGET"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$TARGET" \
  "gradio${GRADIO:+==$GRADIO}" gradio-client
export PYTHONPATH="$TARGET"
.venv/bin/python -c 'import gradio; print("Gradio", gradio.__version__)'
exec .venv/bin/pytest -p no:cacheprovider tests/web/test_page.py tests/web/test_served.py tests/web/gradio_compat
