#!/bin/sh
# Installs the SDK, builds the examples outside the tree as their READMEs say, and checks them.
# usage: installed_sdk.sh BUILD SOURCE PLUGIN_CHECK CMAKE
set -eu
build=$1 source=$2 check=$3 cmake=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --component sdk --prefix "$work/sdk" >/dev/null
test -f "$work/sdk/share/paperclip/sdk/CONVENTIONS.md"
mkdir "$work/plugins"
for example in echo-c echo-cpp; do
    cp -R "$source/sdk/examples/$example" "$work/plugins/$example"
    make -s -C "$work/plugins/$example" PAPERCLIP_SDK="$work/sdk"
    "$check" "$work/plugins/$example"
done
