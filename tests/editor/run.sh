#!/bin/sh
# Installs the pinned packages into the build directory, then runs both tests there: tests/editor/run.sh SOURCE BUILD
set -eu
source=$1
build=$2/tests/editor/npm
mkdir -p "$build"
cp "$source/tests/editor/package.json" "$source/tests/editor/package-lock.json" "$source"/tests/editor/*.mjs "$build"
cd "$build"
if ! npm ci --prefer-offline --no-audit --no-fund --loglevel=error >install.log 2>&1; then
  cat install.log >&2
  echo "tests/editor: the packages of package-lock.json could not be installed: is npm's registry in reach?" >&2
  exit 1
fi
node schema_test.mjs "$source"
node sarif_test.mjs "$source" "$2/failover"
node language_server_test.mjs "$source" node_modules/yaml-language-server/bin/yaml-language-server
