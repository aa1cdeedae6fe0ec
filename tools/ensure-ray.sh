#!/usr/bin/env bash
# The tests of the cluster need Ray. It goes into a folder of its own, because the studio's default installation does
# without it. RAY_DIR names another folder.
set -euo pipefail

cd "$(dirname "$0")/.."
VERSION=2.60.0
TARGET=${RAY_DIR:-.venv/ray}
if [ -d "$TARGET/ray-$VERSION.dist-info" ]; then exit 0; fi
echo "Installing Ray $VERSION into $TARGET"
rm -rf "$TARGET"
# no dependencies that the environment has, so that the folder replaces none of them
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$TARGET" \
  "ray==$VERSION" jsonschema jsonschema-specifications referencing rpds-py msgpack protobuf
