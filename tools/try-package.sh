#!/usr/bin/env bash
# Installs the wheel in an empty environment, and sets up, renders and serves with it from an empty home.
#   PYTHON=python3.12 tools/try-package.sh
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo "$PWD/.venv/bin/uv")
port=${PORT:-7997}

place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$place"' EXIT

"$uv" build --quiet --wheel --out-dir "$place" .
"$uv" venv --quiet --no-python-downloads --python "${PYTHON:->=3.11,<3.13}" "$place/venv"
VIRTUAL_ENV="$place/venv" "$uv" pip install "$place"/*.whl

mkdir "$place/home" "$place/elsewhere"
cd "$place/elsewhere"
export HOME="$place/home" LTX_STUDIO_HOME="$place/studio"
unset PYTHONPATH
studio="$place/venv/bin/ltx-studio"
"$studio" setup
"$studio" generate t2v --prompt "a red ball bounces to the right" --model-set pocket \
  --seconds 0.4 --width 128 --height 128 --out clip.mp4
test -s clip.mp4
"$studio" serve --port "$port" >"$place/page.txt" &
server=$!
"$place/venv/bin/python" - "$port" <<'PY'
import sys, time, urllib.request

for _ in range(120):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=10) as page:
            sys.exit(b"LTX" not in page.read())
    except OSError:
        time.sleep(1)
sys.exit("The page does not answer.")
PY
echo "The package installs, sets up, renders and serves."
