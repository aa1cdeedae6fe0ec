#!/usr/bin/env bash
# Makes this checkout ready to run: Python environment, packages, ComfyUI, pocket model.
# Safe to run again: it skips what is done and resumes an interrupted run.
#   ./setup.sh         what `make run` needs
#   ./setup.sh --dev   also what `make test` and `make lint` need
#   ./setup.sh --dev --packages   only the packages, which is what `make lint` needs
# UV_TORCH_BACKEND=cpu skips more than 3 GB of CUDA; uv's documentation lists the other builds of torch.
set -euo pipefail
cd "$(dirname "$0")"

UV_VERSION=0.13.9
VENV=.venv
UNFINISHED=$VENV/.installing  # while it exists, packages may be there in part, and uv would take them for whole
LOCK=requirements/runtime.lock
PACKAGES_ONLY=
for option in "$@"; do
  case "$option" in
    --dev) LOCK=requirements/dev.lock ;;
    --packages) PACKAGES_ONLY=yes ;;
    *)
      printf '[setup] Unknown option %s. Use --dev, --packages or none.\n' "$option" >&2
      exit 2
      ;;
  esac
done
STEP="setting up"
ADVICE="Run ./setup.sh again: it resumes where it stopped."

say() { printf '[setup] %s\n' "$*"; }

failed() {
  local code=$?
  trap - EXIT
  [ "$code" -ne 0 ] || return 0
  if [ "$code" -eq 130 ] || [ "$code" -eq 143 ]; then
    printf '\n[setup] Stopped while %s.\n[setup] Run ./setup.sh again: it resumes where it stopped.\n' "$STEP" >&2
    exit "$code"
  fi
  printf '\n[setup] Failed while %s (exit code %s). The lines above say why.\n[setup] %s\n' "$STEP" "$code" "$ADVICE" >&2
  exit "$code"
}
trap failed EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# 3.11.4 is the first 3.11 that unpacks archives safely (tarfile.data_filter); distributions have it in earlier ones.
fits() {
  "$1" -c 'import sys, tarfile
sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 12) and hasattr(tarfile, "data_filter")))' >/dev/null 2>&1
}

# The Python to build with: the one that PYTHON names, else the first that fits.
find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then echo "$PYTHON"; else return 1; fi
    return 0
  fi
  for candidate in python3.12 python3.11 python3 python; do
    if fits "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

has_uv() { command -v uv >/dev/null 2>&1; }
# Whether there is a program to install the packages with. With uv, pip comes with them.
installs() { has_uv || "$VENV/bin/python" -m pip --version >/dev/null 2>&1; }

# What the environment was made from: $1 is the lock. The place counts, because the editable install names it.
stamp() { cat pyproject.toml requirements/runtime.lock "$1" setup.sh | cksum; pwd; }
stamp_file() { echo "$VENV/.installed-$(basename "$1" .lock)"; }
is_installed() { [ -f "$(stamp_file "$1")" ] && [ "$(stamp "$1")" = "$(cat "$(stamp_file "$1")")" ]; }

check_machine() {
  STEP="checking this machine"
  ADVICE="Use Linux, or macOS 14 or newer on Apple silicon: torch 2.13 has no build for other systems."
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64 | Linux-aarch64 | Linux-arm64 | Darwin-arm64) ;;
    *)
      say "torch has no build for $(uname -s) on $(uname -m)."
      return 1
      ;;
  esac
}

make_environment() {
  STEP="looking for Python"
  ADVICE="Install Python 3.12 or 3.11 (3.11.4 or newer), or name one: PYTHON=/path/to/python3.12 ./setup.sh"
  local python
  if ! python=$(find_python); then
    if [ -n "${PYTHON:-}" ]; then
      say "PYTHON is $PYTHON, which is not Python 3.11 or 3.12 ($("$PYTHON" --version 2>&1 || echo 'it does not run'))."
    else
      say "No Python 3.11 or 3.12 found (tried python3.12, python3.11, python3, python)."
    fi
    return 1
  fi
  if [ -e "$UNFINISHED" ]; then
    say "An earlier installation was interrupted; starting over with $VENV"
    rm -rf "$VENV"
  fi
  if [ ! -x "$VENV/bin/python" ] || ! fits "$VENV/bin/python" || ! installs; then
    say "Creating $VENV with $("$python" --version)"
    STEP="creating $VENV"
    ADVICE="On Debian and Ubuntu: apt-get install python3-venv. Then run ./setup.sh again."
    rm -rf "$VENV"
    if has_uv; then "$python" -m venv --without-pip "$VENV"; else "$python" -m venv "$VENV"; fi  # pip takes seconds
  fi
}

# PyTorch's index has builds that the lock has no hashes for: torch comes from there by version, all else from the lock.
install_lock() {
  if [ -z "${UV_TORCH_BACKEND:-}" ]; then
    "$1" pip install --require-hashes --requirement "$LOCK"
    return
  fi
  local rest="$VENV/without-torch.lock"
  grep -oE '^torch(audio|vision)?==[0-9.]+' "$LOCK" | xargs "$1" pip install
  awk '/^[a-z]/ { other = !/^(torch|torchaudio|torchvision|triton)==|^(nvidia|cuda)-/ } other' "$LOCK" >"$rest"
  env -u UV_TORCH_BACKEND "$1" pip install --no-deps --require-hashes --requirement "$rest"
}

install_packages() {
  if is_installed "$LOCK"; then return 0; fi
  STEP="installing packages"
  ADVICE="Check the network and that 8 GB of disk space is free, then run ./setup.sh again: it resumes."
  local uv=uv
  if ! has_uv; then
    uv="$VENV/bin/uv"
    if ! "$uv" --version >/dev/null 2>&1; then
      say "Installing uv"
      "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
    fi
  fi
  say "Installing packages (about 5 GB the first time)"
  touch "$UNFINISHED"
  export VIRTUAL_ENV="$PWD/$VENV"
  install_lock "$uv"
  "$uv" pip install --quiet --no-deps --editable .
  rm "$UNFINISHED"
  for lock in requirements/runtime.lock "$LOCK"; do stamp "$lock" >"$(stamp_file "$lock")"; done  # dev holds runtime
}

prepare_studio() {
  STEP="downloading ComfyUI and installing the pocket model"
  ADVICE="Run ./setup.sh again: it resumes where it stopped."
  "$VENV/bin/ltx-studio" setup
}

check_machine
make_environment
install_packages
if [ -z "$PACKAGES_ONLY" ]; then
  prepare_studio
  say "Ready."
fi
