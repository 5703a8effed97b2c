#!/bin/sh
# SPDX-License-Identifier: MIT
# Build our Vulkan programs.  See usage() for the arguments.
set -eu

usage()
{
	cat <<-EOF
	usage: build.sh OUTDIR LIBDIR
	  OUTDIR   becomes the folder of the programs
	  LIBDIR   folder with the distribution's libvulkan.so.1 and libpng16.so.16
	  CC       environment: the compiler, gcc by default
	The headers are those of the host's libvulkan-dev and libpng-dev.
	EOF
}

case "${1:-}" in
-h|--help)
	usage
	exit 0
	;;
esac
if [ $# -ne 2 ]; then
	usage >&2
	exit 2
fi

mkdir -p "$1"
out=$(cd "$1" && pwd)
libdir=$(cd "$2" && pwd)
cd "$(dirname "$0")"
CC=${CC:-gcc}
FLAGS="-std=gnu11 -O2 -g -Wall -Wextra -fvisibility=hidden"
# What turnip calls is then the ioctl() of vk_ioctl.c.
OWN_IOCTL=-Wl,--export-dynamic-symbol=ioctl

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}

for library in libvulkan.so.1 libpng16.so.16; do
	[ -e "$libdir/$library" ] || fail "no $library in $libdir"
done

# shellcheck disable=SC2086
compile()
{
	name=$1
	shift
	# The library is the guest's, newer than the host's C library.
	$CC $FLAGS -o "$out/$name" "$@" vk_dev.c vk_test.c \
		"$libdir/libvulkan.so.1" -Wl,--allow-shlib-undefined ||
		fail "$name does not build (libvulkan-dev or libpng-dev missing?)"
}

# The header may be older than the library: their interface is the same.
compile vk_demo vk_demo.c demo_*.c vm_log.c "$libdir/libpng16.so.16"
compile vk_bench vk_bench.c vk_ioctl.c "$OWN_IOCTL"
compile vk_commands vk_commands.c vk_semaphore.c -pthread
compile vk_image vk_image.c vk_knob.c
compile vk_lost vk_lost.c vk_knob.c
compile vk_robust vk_robust.c vk_account.c vk_full.c vk_ioctl.c vk_sparse.c \
	vm_log.c "$OWN_IOCTL"
compile vk_sparse_buffer vk_sparse_buffer.c vk_semaphore.c vk_sparse.c vm_log.c
compile vk_sync vk_sync.c vk_semaphore.c
compile vk_transfer vk_transfer.c
cp turnip.sh "$out"
