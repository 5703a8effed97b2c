/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of user-managed VMs: how they come and go, and the phases of their
 * bind jobs.
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
		     u64 pages, u32 jobs),
	    TP_ARGS(vm, mapped, vmas, vm_bos, pages, jobs),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u32, mapped)
			     __field(u32, vmas)
			     __field(u32, vm_bos)
			     __field(u64, pages)
			     __field(u32, jobs)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->mapped = mapped;
			   __entry->vmas = vmas;
			   __entry->vm_bos = vm_bos;
			   __entry->pages = pages;
			   __entry->jobs = jobs;),
	    TP_printk("vm=%p mapped=%u left: vmas=%u vm_bos=%u pages=%llu jobs=%u",
		      __entry->vm, __entry->mapped, __entry->vmas,
		      __entry->vm_bos, __entry->pages, __entry->jobs)
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

/* A VM_BIND, or what else the client wanted of the VM, that is not done. */
TRACE_EVENT(msm_vm_refuse,
	    TP_PROTO(const void *vm, int error, struct va_format *reason),
	    TP_ARGS(vm, error, reason),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(int, error)
			     __vstring(reason, reason->fmt, reason->va)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->error = error;
			   __assign_vstr(reason, reason->fmt, reason->va);),
	    TP_printk("vm=%p error=%d reason=%s", __entry->vm,
		      __entry->error, __get_str(reason))
);

/* The phases of a bind job.  @job tells it from the others of its VM. */

/* @pages are set aside for the VM now, for this job and those in flight. */
TRACE_EVENT(msm_vm_reserve,
	    TP_PROTO(const void *vm, u64 job, u32 ops, u64 vmas, u64 pages),
	    TP_ARGS(vm, job, ops, vmas, pages),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u64, job)
			     __field(u32, ops)
			     __field(u64, vmas)
			     __field(u64, pages)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->job = job;
			   __entry->ops = ops;
			   __entry->vmas = vmas;
			   __entry->pages = pages;),
	    TP_printk("vm=%p job=%llu ops=%u vmas=%llu pages=%llu",
		      __entry->vm, __entry->job, __entry->ops, __entry->vmas,
		      __entry->pages)
);

/* @locks are held, those of the VM and of BOs: nothing can fail any more. */
TRACE_EVENT(msm_vm_lock,
	    TP_PROTO(const void *vm, u64 job, u32 locks),
	    TP_ARGS(vm, job, locks),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u64, job)
			     __field(u32, locks)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->job = job;
			   __entry->locks = locks;),
	    TP_printk("vm=%p job=%llu locks=%u", __entry->vm, __entry->job,
		      __entry->locks)
);

/* @seqno is the place of the job in the order of the VM, @edits what it stages. */
TRACE_EVENT(msm_vm_commit,
	    TP_PROTO(const void *vm, u64 job, u32 queue, u64 seqno, u32 ops,
		     u32 edits),
	    TP_ARGS(vm, job, queue, seqno, ops, edits),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u64, job)
			     __field(u32, queue)
			     __field(u64, seqno)
			     __field(u32, ops)
			     __field(u32, edits)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->job = job;
			   __entry->queue = queue;
			   __entry->seqno = seqno;
			   __entry->ops = ops;
			   __entry->edits = edits;),
	    TP_printk("vm=%p job=%llu queue=%u seqno=%llu ops=%u edits=%u",
		      __entry->vm, __entry->job, __entry->queue,
		      __entry->seqno, __entry->ops, __entry->edits)
);

/* @tables are in the page table now, below the root. */
TRACE_EVENT(msm_vm_run,
	    TP_PROTO(const void *vm, u64 job, u64 seqno, int error, u32 flushes,
		     u64 tables),
	    TP_ARGS(vm, job, seqno, error, flushes, tables),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u64, job)
			     __field(u64, seqno)
			     __field(int, error)
			     __field(u32, flushes)
			     __field(u64, tables)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->job = job;
			   __entry->seqno = seqno;
			   __entry->error = error;
			   __entry->flushes = flushes;
			   __entry->tables = tables;),
	    TP_printk("vm=%p job=%llu seqno=%llu error=%d flushes=%u tables=%llu",
		      __entry->vm, __entry->job, __entry->seqno,
		      __entry->error, __entry->flushes, __entry->tables)
);

/* @gone VMAs are let go of; @pages stay set aside, for other jobs. */
TRACE_EVENT(msm_vm_retire,
	    TP_PROTO(const void *vm, u64 job, u32 gone, u64 pages),
	    TP_ARGS(vm, job, gone, pages),
	    TP_STRUCT__entry(__field(const void *, vm)
			     __field(u64, job)
			     __field(u32, gone)
			     __field(u64, pages)),
	    TP_fast_assign(__entry->vm = vm;
			   __entry->job = job;
			   __entry->gone = gone;
			   __entry->pages = pages;),
	    TP_printk("vm=%p job=%llu gone=%u pages=%llu", __entry->vm,
		      __entry->job, __entry->gone, __entry->pages)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH vm
#include <trace/define_trace.h>
