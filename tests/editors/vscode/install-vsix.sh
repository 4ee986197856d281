#!/bin/sh
# Builds the .vsix and has VS Code install it into FOLDER/extensions, as a user would; prints where it is then.
# usage: install-vsix.sh FOLDER. Environment: PYTHON (one that has Sidelight and pip), SIDELIGHT_TEST_TOOLS.
set -eu

folder=$1
cd "$(dirname "$0")/../../.."
npm run --silent build
built=$("$PYTHON" client-vscode/package.py)
echo "$built" >&2
# code-server writes into the home folder.
HOME="$folder" "$SIDELIGHT_TEST_TOOLS/node24/node" "$SIDELIGHT_TEST_TOOLS/code-server/node_modules/code-server/out/node/entry.js" \
    --user-data-dir "$folder/user" --extensions-dir "$folder/extensions" --install-extension "${built%%:*}" >/dev/null
echo "$folder"/extensions/sidelight.sidelight-*
