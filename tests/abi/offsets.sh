#!/bin/sh
# Are the golden offsets those of the headers? Of the frozen ones, and of today's while the version is
# the same.
# usage: offsets.sh SOURCE
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for include in "$source/sdk/include" "$source/sdk/abi/v0_1/include"; do
    "$source/sdk/abi/write_offsets" "$include" >"$work/offsets.c"
    diff -u "$source/sdk/abi/v0_1/offsets.c" "$work/offsets.c" || {
        echo "$include: a published struct has changed. While 0.1 is a draft that nobody has: run"
        echo "sdk/abi/write_offsets, copy the headers to sdk/abi/v0_1/include. After it: raise"
        echo "PC_ABI_MINOR, append only, and give the new version a folder of its own."
        exit 1
    }
done
