#!/bin/sh
# Installs the SDK, builds the examples outside the tree as their READMEs say, and checks them.
# usage: installed_sdk.sh BUILD SOURCE PLUGIN_CHECK CMAKE
set -eu
build=$1 source=$2 check=$3 cmake=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --component sdk --prefix "$work/sdk" >/dev/null
test -f "$work/sdk/share/paperclip/sdk/CONVENTIONS.md"
for example in echo-c echo-cpp; do
    mkdir -p "$work/plugins/$example"
    cp "$source/sdk/examples/$example/plugin.json" "$work/plugins/$example/"
done
gcc -shared -fPIC -I "$work/sdk/include" \
    -o "$work/plugins/echo-c/echo-c.so" "$source/sdk/examples/echo-c/echo.c"
g++ -std=c++20 -shared -fPIC -fvisibility=hidden -I "$work/sdk/include" \
    -Wl,-z,nodelete -Wl,--version-script="$work/sdk/share/paperclip/sdk/plugin.map" \
    -o "$work/plugins/echo-cpp/echo-cpp.so" "$source/sdk/examples/echo-cpp/echo.cpp"
"$check" "$work/plugins/echo-c"
"$check" "$work/plugins/echo-cpp"
