#!/usr/bin/env bash
# The tests of the ZeroGPU runner need the platform's package `spaces`. It goes into a folder of its own, because its
# presence in the environment would change how the page starts. SPACES_DIR names another folder.
set -euo pipefail

cd "$(dirname "$0")/.."
VERSION=0.51.3
HASH=sha256:e588ce6b4301c566139d84bafb1c30b555967ce4ee2792be659ee5643f0f7eb1
TARGET=${SPACES_DIR:-.venv/spaces}
if [ -d "$TARGET/spaces-$VERSION.dist-info" ]; then exit 0; fi
echo "Installing spaces $VERSION into $TARGET"
rm -rf "$TARGET"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target "$TARGET" \
  --requirement <(echo "spaces==$VERSION --hash=$HASH")
