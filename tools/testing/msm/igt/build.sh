#!/bin/sh
# SPDX-License-Identifier: MIT
# Build our IGT test programs, the demo and the benchmarks.  See usage() for the arguments.
set -eu

usage()
{
	cat <<-EOF
	usage: build.sh OUTDIR HEADERS LIBDIR
	  OUTDIR   becomes a test root for igt_runner: the programs and
	           test-list.txt; and gets vm_walk, the demo, and
	           msm_vm_bench
	  HEADERS  'include' folder of the patched kernel's headers_install
	  LIBDIR   folder with the distribution's libigt.so.0, or - to build
	           only what does not need it
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

mkdir -p "$1"
out=$(cd "$1" && pwd)
headers=$(cd "$2" && pwd)
libdir=$3
[ "$libdir" = - ] || libdir=$(cd "$libdir" && pwd)
cd "$(dirname "$0")"
CC=${CC:-gcc}
FLAGS="-std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter
	-Wno-missing-field-initializers -fvisibility=hidden"
TESTS="msm_vgpu msm_vm_bind msm_vm_bind_uapi msm_vm_no_share msm_vm_order msm_vm_sparse msm_vm_sync msm_vm_bo msm_vm_evict
	msm_vm_example msm_vm_fault msm_vm_inject msm_vm_life msm_vm_load msm_vm_fuzz msm_vm_memcg msm_vm_reserve msm_vm_stress msm_vm_trace"

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}
grep -qs DRM_IOCTL_MSM_VM_BIND "$headers/drm/msm_drm.h" ||
	fail "$headers/drm/msm_drm.h has no VM_BIND: not a patched tree's?"

# What every program is made of, without libigt
helpers=$(ls gpu_*.c)

# shellcheck disable=SC2086
compile()
{
	name=$1
	shift
	$CC $FLAGS -isystem "$headers" -I. -o "$out/$name" "$@" ||
		fail "$name does not build"
}

# shellcheck disable=SC2086
compile vm_walk ../demo/vm_walk.c $helpers
# shellcheck disable=SC2086
compile msm_vm_bench ../bench/*.c $helpers
[ "$libdir" = - ] && exit 0

# Only the library is on the host, not what it links to in turn.
[ -e "$libdir/libigt.so.0" ] || fail "no libigt.so.0 in $libdir"

# NAME [SOURCES]: a test program of NAME.c, what all share, and SOURCES
# shellcheck disable=SC2086
program()
{
	name=$1
	shift
	compile "$name" "$name.c" "$@" msm_igt.c vm_test.c $helpers \
		"$libdir/libigt.so.0" -Wl,--allow-shlib-undefined
}

for name in msm_vgpu msm_vm_load msm_vm_memcg msm_vm_no_share msm_vm_order msm_vm_reserve msm_vm_trace; do
	program "$name"
done
program msm_vm_bind vm_fence.c vm_implicit.c
program msm_vm_bind_uapi vm_refuse.c vm_refuse_submit.c
program msm_vm_bo vm_dmabuf.c
program msm_vm_evict vm_evict_race.c
program msm_vm_example vm_example.c
program msm_vm_fault vm_hangcheck.c vm_long.c vm_report.c vm_ring.c vm_slow.c vm_train.c
program msm_vm_fuzz vm_fuzz_bind.c vm_fuzz_calls.c vm_fuzz_stream.c vm_level.c vm_random.c
program msm_vm_inject vm_train.c
program msm_vm_life vm_race.c vm_train.c
program msm_vm_sparse vm_long.c
program msm_vm_stress vm_level.c vm_random.c vm_stress.c
program msm_vm_sweep vm_dmabuf.c vm_sweep_context.c vm_sweep_sync.c vm_sync.c
program msm_vm_sync vm_sync.c vm_sync_array.c vm_sync_refuse.c

printf 'TESTLIST\n%s\nmsm_vm_sweep\nEND TESTLIST\n' "$TESTS" > "$out/test-list.txt"
