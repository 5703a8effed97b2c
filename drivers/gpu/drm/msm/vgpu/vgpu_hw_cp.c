// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command processor (CP) of the virtual GPU: it reads the ring and the
 * indirect buffers (IB) that the ring starts, and executes packet by packet.
 *
 * One thread, in order.  It promises to be preemptible at each packet and each
 * page it touches, to hold no lock while it waits, and to give up at the next
 * such point after a reset, however long the stream is.  Streams are not
 * trusted: every position is checked against the end of its stream.  Others wait
 * for fences that it signals, memory reclaim among them: what it does here must
 * not wait for them, and lockdep is told so.
 *
 * Terms: the ring is written by the kernel and may be privileged; IBs come
 * from user space, have no privilege, and nest one deep (IB1, IB2).  The CP is
 * halted when it met something it cannot execute; only a reset helps.
 *
 * Results of the functions here: 0 go on, -EAGAIN out of work, -EIO halted,
 * -ECANCELED a reset came.
 *
 * Traps: the read pointer moves when a ring packet is done, the IBs it started
 * included, so that an idle ring means an idle GPU.  A ring packet may arrive
 * in parts; the CP waits for the rest.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/time64.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"
#include "vgpu_hw_xml.h"

/* Sleep off slow execution in steps that are worth a timer. */
#define SLEEP_STEP_NS		(50 * NSEC_PER_USEC)
#define SLEEP_MAX_US		1000

#define SQE_RUN			1

/* Ring sizes in quadwords are powers of two; the register holds the log. */
#define RING_MAX_BUFSZ		20

/* Between two looks of a packet that waits */
static bool cp_canceled(struct vgpu_hw *hw)
{
	unsigned long flags;
	bool canceled;

	spin_lock_irqsave(&hw->lock, flags);
	canceled = vgpu_hw_canceled(hw);
	if (!canceled)
		vgpu_watch_check(hw);
	spin_unlock_irqrestore(&hw->lock, flags);

	return canceled;
}

/**
 * vgpu_cp_sleep - let time pass in the middle of a packet
 * @hw: the GPU
 * @us: how long, in microseconds
 *
 * Context: the CP thread, no lock held.
 * Return: 0, or -ECANCELED after a reset.
 */
int vgpu_cp_sleep(struct vgpu_hw *hw, u32 us)
{
	while (us) {
		u32 step = min(us, SLEEP_MAX_US);

		usleep_idle_range(step, step + step / 4 + 1);
		vgpu_reg_deliver_irq(hw);
		if (cp_canceled(hw))
			return -ECANCELED;
		us -= step;
	}

	return 0;
}

/**
 * vgpu_cp_error - halt the CP at something it cannot execute
 * @hw: the GPU
 * @cause: A6XX_CP_INT_* bit
 * @dword: header or register that it is about
 * @why: the reason in words, a constant
 *
 * Context: the CP thread, no lock held.
 * Return: -EIO, or -ECANCELED after a reset.
 */
int vgpu_cp_error(struct vgpu_hw *hw, u32 cause, u32 dword, const char *why)
{
	unsigned long flags;
	bool lose;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw)) {
		spin_unlock_irqrestore(&hw->lock, flags);
		return -ECANCELED;
	}
	hw->halted = true;
	vgpu_watch_run(hw, false);
	trace_vgpu_cp_error(cause, dword, why);
	hw->regs[REG_A6XX_CP_INTERRUPT_STATUS] |= cause;
	hw->regs[REG_A6XX_CP_SQE_STAT_DATA] = dword;
	hw->stats.cp_errors++;
	hw->stats.cp_error = why;
	hw->stats.cp_error_dword = dword;
	lose = hw->config.lose_hang_report;
	spin_unlock_irqrestore(&hw->lock, flags);

	if (!lose)
		vgpu_reg_raise_irq(hw, A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT |
				   (cause ? A6XX_RBBM_INT_0_MASK_CP_HW_ERROR : 0));

	return -EIO;
}

static u32 cp_left(const struct vgpu_stream *stream, enum vgpu_level level)
{
	if (level == VGPU_RING)
		return (stream->end - stream->pos) & (stream->size - 1);
	return stream->end - stream->pos;
}

static void cp_advance(struct vgpu_cp *cp, u32 dwords)
{
	struct vgpu_stream *stream = vgpu_cp_stream(cp);

	stream->pos += dwords;
	if (cp->level == VGPU_RING && stream->pos >= stream->size) {
		stream->pos &= stream->size - 1;
		stream->line_len = 0;
	}
}

/* Fetch ahead: up to the end, of the page, of the line. */
static int cp_fill(struct vgpu_hw *hw)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *stream = vgpu_cp_stream(cp);
	u64 iova = stream->base + (u64)stream->pos * sizeof(u32);
	u32 page = (VGPU_PAGE_SIZE - (iova & (VGPU_PAGE_SIZE - 1))) / sizeof(u32);
	bool ring = cp->level == VGPU_RING;
	struct vgpu_access access = {
		.engine = VGPU_ENGINE_FETCH,
		.priv = ring && cp->apriv & A6XX_CP_APRIV_CNTL_RBFETCH,
		.user = !ring,
	};
	u32 len;

	len = min3(cp_left(stream, cp->level), max(page, 1U), VGPU_LINE_DWORDS);
	if (ring)
		len = min(len, stream->size - stream->pos);

	stream->line_pos = stream->pos;
	stream->line_len = len;

	return vgpu_mem_read(hw, &access, iova, stream->line,
			     len * sizeof(u32));
}

/* Take @count dwords, which must be there. */
static int cp_fetch(struct vgpu_hw *hw, u32 *dwords, u32 count)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *stream = vgpu_cp_stream(cp);

	while (count) {
		u32 offset = stream->pos - stream->line_pos;
		u32 taken;

		if (offset >= stream->line_len) {
			int ret = cp_fill(hw);

			if (ret)
				return ret;
			continue;
		}

		taken = min(count, stream->line_len - offset);
		memcpy(dwords, &stream->line[offset], taken * sizeof(u32));
		cp_advance(cp, taken);
		dwords += taken;
		count -= taken;
	}

	return 0;
}

/**
 * vgpu_cp_skip - leave out what follows in the stream
 * @hw: the GPU
 * @dwords: how many; ends at the end of the stream
 *
 * Context: the CP thread.
 * Return: 0.
 */
int vgpu_cp_skip(struct vgpu_hw *hw, u32 dwords)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *stream = vgpu_cp_stream(cp);

	cp_advance(cp, min(dwords, cp_left(stream, cp->level)));
	stream->line_len = 0;

	return 0;
}

/**
 * vgpu_cp_start_ib - go on with an indirect buffer
 * @hw: the GPU
 * @base: its address
 * @dwords: its size; an empty one is left at once
 * @chain: instead of the current one, not nested in it
 *
 * Context: the CP thread, no lock held.
 * Return: 0, or -EIO if IBs nest too deep.
 */
int vgpu_cp_start_ib(struct vgpu_hw *hw, u64 base, u32 dwords, bool chain)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *stream;

	if (chain ? cp->level == VGPU_RING : cp->level + 1 == VGPU_NR_LEVELS)
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR,
				     lower_32_bits(base),
				     "indirect buffer at a wrong level");

	if (!chain)
		cp->level++;
	trace_vgpu_ib(cp->level, base, dwords);
	stream = vgpu_cp_stream(cp);
	stream->base = base & VGPU_VA_MASK;
	stream->size = dwords;
	stream->end = dwords;
	stream->pos = 0;
	stream->line_len = 0;

	return 0;
}

/* Show in the registers which IB is at what position. */
static void cp_show_ib(struct vgpu_hw *hw, enum vgpu_level level, u32 base,
		       u32 rem)
{
	const struct vgpu_stream *stream = &hw->cp.streams[level];

	if (hw->cp.level < level) {
		hw->regs[rem] = 0;
		return;
	}
	vgpu_reg_set64(hw, base, stream->base);
	hw->regs[rem] = cp_left(stream, level);
}

/* The ring is at a packet boundary: tell the read pointer, see what is new. */
static int cp_sync_ring(struct vgpu_hw *hw)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *ring = &cp->streams[VGPU_RING];
	struct vgpu_access access = {
		.engine = VGPU_ENGINE_CP,
		.priv = cp->apriv & A6XX_CP_APRIV_CNTL_RBRPWB,
	};
	unsigned long flags;
	u64 shadow = 0;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw)) {
		spin_unlock_irqrestore(&hw->lock, flags);
		return -ECANCELED;
	}
	if (hw->regs[REG_A6XX_CP_RB_RPTR] != ring->pos &&
	    !(hw->regs[REG_A6XX_CP_RB_CNTL] & AXXX_CP_RB_CNTL_NO_UPDATE))
		shadow = vgpu_reg_get64(hw, REG_A6XX_CP_RB_RPTR_ADDR);
	hw->regs[REG_A6XX_CP_RB_RPTR] = ring->pos;
	ring->end = hw->regs[REG_A6XX_CP_RB_WPTR] & (ring->size - 1);
	spin_unlock_irqrestore(&hw->lock, flags);
	/* Read what was written before the doorbell, not before that. */
	smp_mb();

	if (!shadow)
		return 0;

	return vgpu_mem_write(hw, &access, shadow, &ring->pos, sizeof(u32));
}

/* Before each packet: count it, and see whether it is to hang or be slow. */
static int cp_account(struct vgpu_hw *hw, const struct vgpu_packet *packet)
{
	struct vgpu_cp *cp = &hw->cp;
	unsigned long flags;
	bool hang = false;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw)) {
		spin_unlock_irqrestore(&hw->lock, flags);
		return -ECANCELED;
	}
	if (packet->type == 4)
		hw->stats.packets4++;
	else if (packet->type == 7)
		hw->stats.packets[packet->opcode]++;
	vgpu_watch_run(hw, cp->level != VGPU_RING);
	if (cp->level != VGPU_RING)
		hang = ++hw->inject.packets == hw->config.hang_at_packet;
	cp_show_ib(hw, VGPU_IB1, REG_A6XX_CP_IB1_BASE, REG_A6XX_CP_IB1_REM_SIZE);
	cp_show_ib(hw, VGPU_IB2, REG_A6XX_CP_IB2_BASE, REG_A6XX_CP_IB2_REM_SIZE);
	cp->owed_ns += hw->config.packet_ns;
	spin_unlock_irqrestore(&hw->lock, flags);

	if (hang)
		return vgpu_cp_error(hw, 0, 0, "hang on request");

	if (cp->owed_ns >= SLEEP_STEP_NS) {
		u32 us = div_u64(cp->owed_ns, NSEC_PER_USEC);

		cp->owed_ns = 0;
		return vgpu_cp_sleep(hw, us);
	}

	return 0;
}

static int cp_packet(struct vgpu_hw *hw)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *stream = vgpu_cp_stream(cp);
	u32 start = stream->pos;
	struct vgpu_packet packet;
	u32 header;
	int ret;

	ret = cp_fetch(hw, &header, 1);
	if (ret)
		return ret;
	if (!vgpu_pm4_decode(header, &packet))
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_OPCODE_ERROR, header,
				     "illegal packet header");

	if (packet.count > cp_left(stream, cp->level)) {
		if (cp->level != VGPU_RING)
			return vgpu_cp_error(hw,
					     A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR,
					     header,
					     "packet beyond the end of its IB");
		stream->pos = start;
		stream->line_len = 0;
		return -EAGAIN;
	}

	ret = cp_account(hw, &packet);
	if (ret)
		return ret;

	if (vgpu_pm4_skips_payload(&packet))
		return vgpu_cp_skip(hw, packet.count);

	ret = cp_fetch(hw, cp->payload, packet.count);
	if (ret)
		return ret;

	return vgpu_pm4_execute(hw, header, &packet);
}

static int cp_step(struct vgpu_hw *hw)
{
	struct vgpu_cp *cp = &hw->cp;

	vgpu_reg_deliver_irq(hw);

	if (cp->level == VGPU_RING) {
		int ret = cp_sync_ring(hw);

		if (ret)
			return ret;
	}

	if (cp_left(vgpu_cp_stream(cp), cp->level))
		return cp_packet(hw);
	if (cp->level == VGPU_RING)
		return -EAGAIN;

	cp->level--;
	return 0;
}

static bool cp_is_due(struct vgpu_hw *hw)
{
	lockdep_assert_held(&hw->lock);

	return hw->regs[REG_A6XX_CP_SQE_CNTL] == SQE_RUN && !hw->halted &&
	       hw->regs[REG_A6XX_CP_RB_WPTR] != hw->regs[REG_A6XX_CP_RB_RPTR] &&
	       hw->regs[REG_A6XX_CP_RB_WPTR] != hw->idle_wptr;
}

/* Take the state of the ring over from the registers. */
static void cp_take_ring(struct vgpu_hw *hw)
{
	struct vgpu_cp *cp = &hw->cp;
	struct vgpu_stream *ring = &cp->streams[VGPU_RING];
	u32 bufsz;

	lockdep_assert_held(&hw->lock);

	if (vgpu_hw_canceled(hw)) {
		cp->epoch = hw->epoch;
		cp->protected = true;
		cp->owed_ns = 0;
	}
	cp->apriv = hw->regs[REG_A6XX_CP_APRIV_CNTL];
	cp->level = VGPU_RING;
	bufsz = hw->regs[REG_A6XX_CP_RB_CNTL] & AXXX_CP_RB_CNTL_BUFSZ__MASK;
	ring->size = 2 << min(bufsz, RING_MAX_BUFSZ);
	ring->base = vgpu_reg_get64(hw, REG_A6XX_CP_RB_BASE) & VGPU_VA_MASK;
	ring->pos = hw->regs[REG_A6XX_CP_RB_RPTR] & (ring->size - 1);
	ring->end = ring->pos;
	ring->line_len = 0;
}

/*
 * Begin if there is work.  Not in two steps: a reset may come at any moment, and
 * what it leaves is no ring.
 */
static bool cp_begin(struct vgpu_hw *hw)
{
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&hw->lock, flags);
	due = cp_is_due(hw);
	if (due)
		cp_take_ring(hw);
	spin_unlock_irqrestore(&hw->lock, flags);

	return due;
}

/* Out of work: wait for a write pointer other than this one. */
static void cp_idle(struct vgpu_hw *hw)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	if (!vgpu_hw_canceled(hw)) {
		vgpu_watch_run(hw, false);
		hw->idle_wptr = hw->cp.streams[VGPU_RING].end;
		cp_show_ib(hw, VGPU_IB1, REG_A6XX_CP_IB1_BASE,
			   REG_A6XX_CP_IB1_REM_SIZE);
		cp_show_ib(hw, VGPU_IB2, REG_A6XX_CP_IB2_BASE,
			   REG_A6XX_CP_IB2_REM_SIZE);
	}
	spin_unlock_irqrestore(&hw->lock, flags);
}

static bool cp_has_work(struct vgpu_hw *hw)
{
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&hw->lock, flags);
	due = cp_is_due(hw);
	spin_unlock_irqrestore(&hw->lock, flags);

	return due;
}

/**
 * vgpu_cp_thread - the CP
 * @data: the GPU
 *
 * Return: 0 when it is told to end.
 */
int vgpu_cp_thread(void *data)
{
	struct vgpu_hw *hw = data;
	int ret;

	/* Hardware does not share the CPU with those who wait for it. */
	set_user_nice(current, MIN_NICE);

	while (!kthread_should_stop()) {
		wait_event_idle(hw->wait,
				kthread_should_stop() ||
				kthread_should_park() || cp_has_work(hw) ||
				READ_ONCE(hw->irq_kick));
		if (kthread_should_park())
			kthread_parkme();
		vgpu_reg_deliver_irq(hw);
		if (!cp_begin(hw))
			continue;

		do {
			bool cookie = dma_fence_begin_signalling();

			ret = cp_step(hw);
			dma_fence_end_signalling(cookie);
			cond_resched();
		} while (!ret);
		if (ret == -EAGAIN)
			cp_idle(hw);
	}

	return 0;
}
