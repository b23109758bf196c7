#!/bin/sh
# Puts the tables where the web server finds them.
cd "$1"
rm -f ./*.table
cp "$OLDPWD"/*.table .
