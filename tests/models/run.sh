#!/bin/sh
# Tests with real model servers. PYTHON is an interpreter that has Sidelight and pytest.
# Makes the servers once; says of each that cannot be had why, and its tests skip. Arguments go to pytest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${PYTHON:?the interpreter to run the tests with}"

"$PYTHON" "$here/tools.py"
"$PYTHON" -m pytest "$here" --timeout 120 "$@"
