#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Build the VMA core of the driver for userspace, under libFuzzer.  See usage().
set -eu

usage()
{
	cat <<-EOF2
	usage: build.sh OUTDIR TREE
	  OUTDIR  gets fuzz_vma, fuzz_tables and fuzz_request
	  TREE    kernel source with the series applied; its files are compiled
	          as they are, with the headers of shim.h in place of the rest
	          of the kernel
	  CLANG   environment: the compiler, clang by default
	EOF2
}

[ "${1:-}" = --help ] && usage && exit 0
if [ $# -ne 2 ]; then
	usage >&2
	exit 2
fi

mkdir -p "$1"
out=$(cd "$1" && pwd)
tree=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
msm=$tree/drivers/gpu/drm/msm
CLANG=${CLANG:-clang}
FLAGS="-std=gnu11 -O1 -g -Wall -Wno-unused-function -Wno-unused-variable -Wno-pointer-sign
	-fno-omit-frame-pointer -ffunction-sections -fdata-sections
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"

# Headers of the kernel that are used as they are
REAL="linux/container_of.h linux/interval_tree_generic.h linux/kref.h
	linux/list.h linux/list_sort.h linux/poison.h linux/rbtree.h linux/rbtree_augmented.h
	linux/rbtree_types.h linux/xarray.h
	drm/drm_gem.h drm/drm_gpuvm.h uapi/drm/msm_drm.h"
# and those for which shim.h stands in
SHIM="asm/barrier.h kunit/visibility.h drm/drm_device.h drm/drm_drv.h
	drm/drm_exec.h drm/drm_file.h drm/drm_print.h drm/drm_vma_manager.h
	drm/gpu_scheduler.h linux/bitmap.h linux/bug.h linux/build_bug.h
	linux/compiler.h linux/const.h linux/dma-buf.h linux/dma-resv.h
	linux/err.h linux/export.h linux/fault-inject.h linux/gfp.h linux/kconfig.h linux/kernel.h
	linux/limits.h linux/lockdep.h linux/log2.h linux/minmax.h linux/mm.h
	linux/mutex.h linux/overflow.h linux/rcupdate.h linux/refcount.h
	linux/sched.h linux/sched/mm.h linux/sched/signal.h linux/sizes.h
	linux/slab.h linux/spinlock.h linux/stddef.h linux/string.h
	linux/types.h linux/uaccess.h linux/wait.h linux/workqueue.h"

fail()
{
	echo "build.sh: $*" >&2
	exit 1
}

# header NAME WHAT: a header that only includes WHAT
header()
{
	mkdir -p "$out/include/$(dirname "$1")"
	echo "#include \"$2\"" > "$out/include/$1"
}

[ -e "$msm/vm/msm_vma.c" ] || fail "$tree has no series applied"
rm -rf "$out/include" "$out/msm"
for name in $REAL; do
	path=$tree/include/$name
	[ -e "$path" ] || fail "$path is missing"
	header "$name" "$path"
done
for name in $SHIM; do
	header "$name" "$here/shim.h"
done

# The driver's folder: its VM part, and a shim for what is above it.
mkdir -p "$out/msm/vm"
ln -s "$msm"/vm/*.[ch] "$out/msm/vm"
ln -s "$msm/msm_pgtable.h" "$out/msm"
for name in msm_drv msm_gem msm_gpu msm_syncobj; do
	echo "#include \"$here/shim_msm.h\"" > "$out/msm/$name.h"
done

# program NAME SOURCES
# shellcheck disable=SC2086
program()
{
	name=$1
	shift
	$CLANG $FLAGS -I"$out/include" -I"$out" -I"$here" -o "$out/$name" \
		"$here/$name.c" "$here/shim.c" "$@" "$tree/lib/rbtree.c" \
		-Wl,--gc-sections || fail "$name does not build"
}

vm=$out/msm/vm
program fuzz_vma "$here/fuzz_model.c" "$here/fuzz_pgtable.c" "$vm/msm_vma.c" "$vm/msm_pt_ops.c" "$vm/msm_vm_order.c" \
	"$vm/msm_vm_reserve.c" "$vm/msm_vm_evict.c" "$vm/msm_vm_log.c" \
	"$tree/lib/list_sort.c" "$tree/drivers/gpu/drm/drm_gpuvm.c"
program fuzz_tables "$vm/msm_vm_tables.c" "$tree/lib/xarray.c"
program fuzz_request "$vm/msm_vm_uapi.c"
