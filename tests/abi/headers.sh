#!/bin/sh
# Compiles every header of the SDK alone, with both compilers, as every language that may include it.
# usage: headers.sh INCLUDE
set -eu
include=$1
flags="-fsyntax-only -I $include -Wall -Wextra -Werror -pedantic-errors"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile() {
    compiler=$1 language=$2 standard=$3
    # shellcheck disable=SC2086 # a list of words
    "$compiler" -x "$language" -std="$standard" $flags "$work/source" || {
        echo "$header: $compiler -std=$standard refuses it"
        exit 1
    }
}
for header in $(cd "$include" && find paperclip -name '*.h' -o -name '*.hpp'); do
    echo "#include <$header>" >"$work/source"
    case $header in
        *.h)
            for compiler in gcc clang-14; do
                for standard in c99 c11 c17; do compile $compiler c $standard; done
                for standard in c++17 c++20; do compile $compiler c++ $standard; done
            done
            ;;
        *.hpp)
            compile clang-14 c++ c++20  # the plugins compile them with gcc
            ;;
    esac
done
