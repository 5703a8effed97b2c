/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the virtual Adreno's hardware half: what its units do, in the
 * words of the hardware.
 */
#if !defined(_VGPU_HW_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _VGPU_HW_TRACE_H_

#include <linux/tracepoint.h>
#include <linux/types.h>

#undef TRACE_SYSTEM
#define TRACE_SYSTEM msm_vgpu
#define TRACE_INCLUDE_FILE vgpu_hw_trace

TRACE_EVENT(vgpu_reset,
	    TP_PROTO(u64 epoch),
	    TP_ARGS(epoch),
	    TP_STRUCT__entry(__field(u64, epoch)),
	    TP_fast_assign(__entry->epoch = epoch;),
	    TP_printk("epoch=%llu", __entry->epoch)
);

TRACE_EVENT(vgpu_doorbell,
	    TP_PROTO(u32 rptr, u32 wptr),
	    TP_ARGS(rptr, wptr),
	    TP_STRUCT__entry(__field(u32, rptr)
			     __field(u32, wptr)),
	    TP_fast_assign(__entry->rptr = rptr;
			   __entry->wptr = wptr;),
	    TP_printk("rptr=%x wptr=%x", __entry->rptr, __entry->wptr)
);

TRACE_EVENT(vgpu_ib,
	    TP_PROTO(u32 level, u64 iova, u32 dwords),
	    TP_ARGS(level, iova, dwords),
	    TP_STRUCT__entry(__field(u64, iova)
			     __field(u32, level)
			     __field(u32, dwords)),
	    TP_fast_assign(__entry->iova = iova;
			   __entry->level = level;
			   __entry->dwords = dwords;),
	    TP_printk("level=%u iova=%llx dwords=%u",
		      __entry->level, __entry->iova, __entry->dwords)
);

/* A word was written with an interrupt after it: the end of a job */
TRACE_EVENT(vgpu_fence,
	    TP_PROTO(u64 iova, u32 value),
	    TP_ARGS(iova, value),
	    TP_STRUCT__entry(__field(u64, iova)
			     __field(u32, value)),
	    TP_fast_assign(__entry->iova = iova;
			   __entry->value = value;),
	    TP_printk("iova=%llx value=%u", __entry->iova, __entry->value)
);

TRACE_EVENT(vgpu_cp_error,
	    TP_PROTO(u32 cause, u32 dword, const char *why),
	    TP_ARGS(cause, dword, why),
	    TP_STRUCT__entry(__string(why, why)
			     __field(u32, cause)
			     __field(u32, dword)),
	    TP_fast_assign(__assign_str(why);
			   __entry->cause = cause;
			   __entry->dword = dword;),
	    TP_printk("cause=%x dword=%08x %s",
		      __entry->cause, __entry->dword, __get_str(why))
);

TRACE_EVENT(vgpu_table_update,
	    TP_PROTO(u64 ttbr0, u32 asid),
	    TP_ARGS(ttbr0, asid),
	    TP_STRUCT__entry(__field(u64, ttbr0)
			     __field(u32, asid)),
	    TP_fast_assign(__entry->ttbr0 = ttbr0;
			   __entry->asid = asid;),
	    TP_printk("ttbr0=%llx asid=%u", __entry->ttbr0, __entry->asid)
);

/* Size 0: everything */
TRACE_EVENT(vgpu_tlb_inv,
	    TP_PROTO(u64 iova, u64 size, bool tables),
	    TP_ARGS(iova, size, tables),
	    TP_STRUCT__entry(__field(u64, iova)
			     __field(u64, size)
			     __field(bool, tables)),
	    TP_fast_assign(__entry->iova = iova;
			   __entry->size = size;
			   __entry->tables = tables;),
	    TP_printk("iova=%llx size=%llx tables=%d",
		      __entry->iova, __entry->size, __entry->tables)
);

TRACE_EVENT(vgpu_fault,
	    TP_PROTO(u64 iova, u64 ttbr0, u32 fsr, bool write),
	    TP_ARGS(iova, ttbr0, fsr, write),
	    TP_STRUCT__entry(__field(u64, iova)
			     __field(u64, ttbr0)
			     __field(u32, fsr)
			     __field(bool, write)),
	    TP_fast_assign(__entry->iova = iova;
			   __entry->ttbr0 = ttbr0;
			   __entry->fsr = fsr;
			   __entry->write = write;),
	    TP_printk("iova=%llx ttbr0=%llx fsr=%x %s", __entry->iova,
		      __entry->ttbr0, __entry->fsr, __entry->write ? "write" : "read")
);

TRACE_EVENT(vgpu_watch_lost,
	    TP_PROTO(u64 iova),
	    TP_ARGS(iova),
	    TP_STRUCT__entry(__field(u64, iova)),
	    TP_fast_assign(__entry->iova = iova;),
	    TP_printk("iova=%llx", __entry->iova)
);

#endif /* _VGPU_HW_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH vgpu
#include <trace/define_trace.h>
