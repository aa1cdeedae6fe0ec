#!/usr/bin/env bash
# The page's tests need a real browser. Installs Debian's chromium where that is possible, else says what to do.
set -euo pipefail

for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$browser" ] && command -v "$browser" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq chromium >/dev/null
  exit 0
fi
echo "No chromium found. Install it (Debian: apt-get install chromium), or name one: CHROMIUM=/path make test" >&2
exit 1
