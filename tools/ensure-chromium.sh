#!/usr/bin/env bash
# The page's tests need a real browser. Installs Debian's where that is possible, else says what to do: Chromium without
# a window, which is fastest, or the whole one where the former is no package of its own.
set -euo pipefail

cd "$(dirname "$0")/.."
if .venv/bin/python tools/browser.py; then exit 0; fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq chromium-headless-shell >/dev/null 2>&1 || apt-get install -y -qq chromium >/dev/null
  exit 0
fi
echo "No chromium found. Install it (Debian: apt-get install chromium), or name one: CHROMIUM=/path make test" >&2
exit 1
