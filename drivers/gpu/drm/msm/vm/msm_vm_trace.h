/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of user-managed VMs, one per step that cannot be seen otherwise.
 *
 * @vm in each of them tells VMs apart; it is no address.
 */
#if !defined(__MSM_VM_TRACE_H__) || defined(TRACE_HEADER_MULTI_READ)
#define __MSM_VM_TRACE_H__

#include <linux/tracepoint.h>

#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_msm_vm
#define TRACE_INCLUDE_FILE msm_vm_trace

TRACE_EVENT(msm_vm_create,
	    TP_PROTO(const void *vm, pid_t pid, u64 va_start, u64 va_size),
	    TP_ARGS(vm, pid, va_start, va_size),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(pid_t, pid)
			     __field(u64, va_start)
			     __field(u64, va_size)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->pid = pid;
			   __entry->va_start = va_start;
			   __entry->va_size = va_size;),
	    TP_printk("vm=%p pid=%d start=%#llx size=%#llx",
		      __entry->vm, __entry->pid, __entry->va_start,
		      __entry->va_size)
);

/* Everything but @mapped, what the client left mapped, has to be zero. */
TRACE_EVENT(msm_vm_free,
	    TP_PROTO(const void *vm, u32 mapped, u32 vmas, u32 vm_bos,
		     u64 pages),
	    TP_ARGS(vm, mapped, vmas, vm_bos, pages),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u32, mapped)
			     __field(u32, vmas)
			     __field(u32, vm_bos)
			     __field(u64, pages)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->mapped = mapped;
			   __entry->vmas = vmas;
			   __entry->vm_bos = vm_bos;
			   __entry->pages = pages;),
	    TP_printk("vm=%p mapped=%u left: vmas=%u vm_bos=%u pages=%llu",
		      __entry->vm, __entry->mapped, __entry->vmas,
		      __entry->vm_bos, __entry->pages)
);

TRACE_EVENT(msm_vm_dead,
	    TP_PROTO(const void *vm, pid_t pid, int error, const char *reason),
	    TP_ARGS(vm, pid, error, reason),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(pid_t, pid)
			     __field(int, error)
			     __string(reason, reason)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->pid = pid;
			   __entry->error = error;
			   __assign_str(reason);),
	    TP_printk("vm=%p pid=%d error=%d reason=%s",
		      __entry->vm, __entry->pid, __entry->error,
		      __get_str(reason))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH vm
#include <trace/define_trace.h>
