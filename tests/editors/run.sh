#!/bin/sh
# End-to-end tests in real editors. PYTHON is an interpreter that has Sidelight and pytest.
# Says of each editor that is missing how to get it, and goes on with the others.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${PYTHON:?the interpreter to run the server with}"

missing=""
for program in nvim emacs chromium; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "Not installed:$missing. On Debian:"
    echo "  apt install neovim emacs-nox elpa-eglot chromium fonts-dejavu-core fonts-noto-cjk libkrb5-dev libsecret-1-dev pkg-config"
fi

"$PYTHON" -m pytest "$here" --timeout 120
command -v chromium >/dev/null && "$here/vscode/run.sh"
