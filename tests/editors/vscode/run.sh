#!/bin/sh
# Drives the extension in a real VS Code: builds the .vsix, has VS Code install it, and runs the tests on that. Exits
# with 0 when every test passed.
# Environment: PYTHON (one that has Sidelight and pip), CHROMIUM, SIDELIGHT_TEST_TOOLS, SHOTS (a folder to put
# screenshots into; none are taken without it). Arguments go to `node --test`.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
SIDELIGHT_TEST_TOOLS="${SIDELIGHT_TEST_TOOLS:-$HOME/.cache/sidelight-test}"
mkdir -p "$SIDELIGHT_TEST_TOOLS"
SIDELIGHT_TEST_TOOLS=$(cd "$SIDELIGHT_TEST_TOOLS" && pwd)
export SIDELIGHT_TEST_TOOLS
if [ -z "${PYTHON:-}" ] && [ -x "$root/.venv/bin/python" ]; then PYTHON="$root/.venv/bin/python"; fi
PYTHON=$(command -v "${PYTHON:-python3}")
export PYTHON
CHROMIUM=$(command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome) ||
    { echo "The VS Code tests need Chromium; on Debian: apt install chromium" >&2; exit 1; }
export CHROMIUM

"$here/install.sh"
cd "$root"
if [ ! -d node_modules/vscode-languageclient ]; then npm ci --no-audit --no-fund; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Once: each test begins with a copy of it.
SIDELIGHT_TEST_EXTENSION=$("$here/install-vsix.sh" "$scratch")
export SIDELIGHT_TEST_EXTENSION
"$SIDELIGHT_TEST_TOOLS/node24/node" --test --test-reporter=spec "$@" "$here"/*.test.mjs
