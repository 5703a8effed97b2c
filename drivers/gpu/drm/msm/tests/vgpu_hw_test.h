/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine around the hardware half of the virtual Adreno, for its tests.
 *
 * It has real pages, real page tables built by the kernel's io-pgtable, a ring
 * and a counting interrupt handler; what a driver would do, and nothing of the
 * driver.
 */
#ifndef __VGPU_HW_TEST_H__
#define __VGPU_HW_TEST_H__

#include <linux/atomic.h>
#include <linux/io-pgtable.h>
#include <linux/types.h>

#include "../vgpu/vgpu_config.h"
#include "../vgpu/vgpu_hw.h"

struct kunit;

/* Where things are in the two address spaces. */
#define VT_RING_IOVA		0x1000000010000ULL
#define VT_FENCE_IOVA		0x1000000020000ULL
#define VT_RPTR_IOVA		(VT_FENCE_IOVA + 0x100)
#define VT_IB_IOVA		0x100000000ULL
#define VT_IB2_IOVA		0x100010000ULL
#define VT_DATA_IOVA		0x140000000ULL
#define VT_READONLY_IOVA	0x140100000ULL
#define VT_PRIV_IOVA		0x140200000ULL
#define VT_NOTHING_IOVA		0x1deadd000ULL

#define VT_RING_DWORDS		(PAGE_SIZE / sizeof(u32))
#define VT_TIMEOUT_MS		20000

/**
 * struct vt_table - one set of page tables
 * @cfg: what io-pgtable made of it
 * @ops: how to edit it
 */
struct vt_table {
	struct io_pgtable_cfg cfg;
	struct io_pgtable_ops *ops;
};

/**
 * struct vt - the machine
 * @test: running test
 * @hw: the GPU
 * @user: tables of the process
 * @kernel: tables of the kernel
 * @dev: owner of the tables
 * @ring: page of the ring
 * @fence: page of the fence and the ring's read pointer, privileged
 * @ib: page of the first indirect buffer, one word per dword
 * @ib2: page of the second one
 * @data: page to play with, read-write for user streams
 * @readonly: page that user streams may only read
 * @priv: page that user streams may not touch
 * @wptr: next free dword of the ring
 * @ib_len: dwords in @ib
 * @seqno: last fence asked for
 * @irqs: interrupts taken
 * @status: interrupt causes seen so far
 * @faults: faults taken
 * @fault: the last one
 * @stats: as vt_stats() last read them
 * @resume: what the fault handler answers: 0 later, 1 terminate, 2 retry
 */
struct vt {
	struct kunit *test;
	struct vgpu_hw *hw;
	struct vt_table user;
	struct vt_table kernel;
	struct device *dev;
	u32 *ring;
	u32 *fence;
	u32 *ib;
	u32 *ib2;
	u32 *data;
	u32 *readonly;
	u32 *priv;
	u32 wptr;
	u32 ib_len;
	u32 seqno;
	atomic_t irqs;
	atomic_t status;
	atomic_t faults;
	struct vgpu_hw_fault fault;
	struct vgpu_stats stats;
	int resume;
};

struct vt *vt_create(struct kunit *test, const struct vgpu_config *config);
int vt_table_init(struct vt_table *table, struct device *dev, u32 ias,
		  bool upper, void *cookie);
u64 vt_tcr(const struct vt_table *lower, const struct vt_table *upper);
u32 *vt_page(struct kunit *test);
void vt_map(struct vt *vt, u64 iova, const void *page, int prot);
void vt_unmap(struct vt *vt, u64 iova);

void vt_start(struct vt *vt);
const struct vgpu_stats *vt_stats(struct vt *vt);
void vt_emit(struct vt *vt, u32 dword);
void vt_emit_ib(struct vt *vt, u64 iova, u32 dwords);
void vt_kick(struct vt *vt);
u32 vt_fence(struct vt *vt);
bool vt_wait(struct vt *vt, u32 seqno);
bool vt_wait_status(struct vt *vt, u32 bits);
bool vt_wait_reg(struct vt *vt, u32 reg, u32 value);
bool vt_wait_word(const u32 *word, u32 least);
void vt_run_ib(struct vt *vt);
void vt_run_bad_ib(struct vt *vt, u32 cause);

u32 vt_pkt4(u32 reg, u32 count);
u32 vt_pkt7(u32 opcode, u32 count);

/* Append dwords to the indirect buffer. */
#define vt_ib(vt, ...)							\
	vt_ib_dwords(vt, (const u32[]){ __VA_ARGS__ },			\
		     sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32))
void vt_ib_dwords(struct vt *vt, const u32 *dwords, u32 count);

#define VT_LO(iova)	lower_32_bits(iova)
#define VT_HI(iova)	upper_32_bits(iova)

#endif /* __VGPU_HW_TEST_H__ */
