#!/bin/sh
# SPDX-License-Identifier: MIT
# Build our IGT test programs and the demo.  See usage() for the arguments.
set -eu

usage()
{
	cat <<-EOF
	usage: build.sh OUTDIR HEADERS LIBDIR
	  OUTDIR   becomes a test root for igt_runner: the programs and
	           test-list.txt; and gets vm_walk, the demo
	  HEADERS  'include' folder of the patched kernel's headers_install
	  LIBDIR   folder with the distribution's libigt.so.0, or - to build
	           only the demo, which does not need it
	  CC       environment: the compiler, gcc by default
	EOF
}

case "${1:-}" in
-h|--help)
	usage
	exit 0
	;;
esac
if [ $# -ne 3 ]; then
	usage >&2
	exit 2
fi

out=$1
headers=$2
libdir=$3
igt=$(cd "$(dirname "$0")" && pwd)
demo=$igt/../demo
CC=${CC:-gcc}
FLAGS="-std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter
	-Wno-missing-field-initializers -fvisibility=hidden"
TESTS="msm_vm_bind msm_vm_bind_uapi"

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}

grep -qs DRM_IOCTL_MSM_VM_BIND "$headers/drm/msm_drm.h" ||
	fail "$headers/drm/msm_drm.h has no VM_BIND: not a patched tree's?"
mkdir -p "$out"

# What every program is made of, without libigt
helpers=$(ls "$igt"/gpu_*.c)

# shellcheck disable=SC2086
compile()
{
	name=$1
	shift
	$CC $FLAGS -isystem "$headers" -I"$igt" -o "$out/$name" "$@" ||
		fail "$name does not build"
}

# shellcheck disable=SC2086
compile vm_walk "$demo"/*.c $helpers
[ "$libdir" = - ] && exit 0

# Only the library is on the host, not what it links to in turn.
[ -e "$libdir/libigt.so.0" ] || fail "no libigt.so.0 in $libdir"
igtlib="-L$libdir -l:libigt.so.0 -Wl,--allow-shlib-undefined"
own_bind="$igt/vm_fence.c"
own_uapi="$igt/vm_refuse.c"
common="$igt/msm_igt.c $igt/vm_test.c $helpers"

# shellcheck disable=SC2086
compile msm_vm_bind "$igt/msm_vm_bind.c" $own_bind $common $igtlib
# shellcheck disable=SC2086
compile msm_vm_bind_uapi "$igt/msm_vm_bind_uapi.c" $own_uapi $common $igtlib

echo "TESTLIST
$TESTS
END TESTLIST" > "$out/test-list.txt"
