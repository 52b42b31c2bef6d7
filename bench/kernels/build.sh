#!/bin/sh
# Builds kernels.wasm from kernels.c; needs Debian's clang and lld.
set -eu
cd "$(dirname "$0")"
clang --target=wasm32 -O2 -nostdlib -mbulk-memory -mnontrapping-fptoint -msign-ext -Wl,--no-entry -Wl,--strip-all -o kernels.wasm kernels.c
