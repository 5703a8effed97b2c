/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the hardware half share.  Private to vgpu_hw*.c and to
 * their KUnit suites.
 *
 * There is one lock, vgpu_hw.lock.  It protects the registers, the context
 * bank, the TLB, the configuration and the counters, and it is held across
 * each translation together with the access it is for, of one page at most.
 * So whoever took it after changing a page table and dropping the TLB knows
 * that nobody uses the old translation any more.  It is never held while
 * waiting or while calling the host.
 *
 * The command processor (CP) has one thread.  What only this thread touches
 * (struct vgpu_cp) needs no lock.
 *
 * Terms: an epoch is the time between two resets.  Everything the CP thread
 * does to the rest of the world it does under the lock and only in the epoch
 * it started in; after a reset each such attempt returns -ECANCELED, and the
 * thread unwinds without side effects.
 */
#ifndef __VGPU_HW_INTERNAL_H__
#define __VGPU_HW_INTERNAL_H__

#include <linux/list.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "vgpu_config.h"
#include "vgpu_hw.h"

struct task_struct;

/* The GPU drives 49 address bits; the top one picks the set of tables. */
#define VGPU_VA_BITS		49
#define VGPU_VA_MASK		GENMASK_ULL(VGPU_VA_BITS - 1, 0)
#define VGPU_VA_TTBR1		BIT_ULL(VGPU_VA_BITS - 1)

/* Translation granule, whatever PAGE_SIZE is. */
#define VGPU_PAGE_SHIFT		12
#define VGPU_PAGE_SIZE		BIT(VGPU_PAGE_SHIFT)
#define VGPU_LAST_LEVEL		3

/* Register file: this many dword registers are backed. */
#define VGPU_NR_REGS		0x10000

/* ------------------------------------------------------------------------ */

/* Restrictions of a mapping; none set means anyone may read and write. */
#define VGPU_PERM_RDONLY	BIT(0)
#define VGPU_PERM_PRIV		BIT(1)

/**
 * struct vgpu_leaf - a translation: what a walk ends with
 * @va: first address it translates
 * @pa: where @va is in memory
 * @shift: log2 of its size in bytes, 12, 16, 21, 25, 30 or 34
 * @perm: VGPU_PERM_*
 */
struct vgpu_leaf {
	u64 va;
	u64 pa;
	u8 shift;
	u8 perm;
};

/**
 * struct vgpu_table - a table: what a walk is at before it ends
 * @pa: where the table is in memory
 * @level: 0 to 3
 * @perm: VGPU_PERM_* inherited from the tables above
 * @entries: log2 of the number of entries
 */
struct vgpu_table {
	u64 pa;
	u8 level;
	u8 perm;
	u8 entries;
};

/* Address bits below the index into a table of @level. */
static inline u32 vgpu_level_shift(u32 level)
{
	return VGPU_PAGE_SHIFT + 9 * (VGPU_LAST_LEVEL - level);
}

u32 vgpu_walk_root(const struct vgpu_hw_cb *cb, u64 iova,
		   struct vgpu_table *table);
u32 vgpu_walk_step(const struct vgpu_hw_cb *cb, u64 iova,
		   struct vgpu_table *table, struct vgpu_leaf *leaf);
u32 vgpu_walk(const struct vgpu_hw_cb *cb, u64 iova, struct vgpu_leaf *leaf);

/* ------------------------------------------------------------------------ */

#define VGPU_TLB_KINDS		64

/**
 * struct vgpu_tlb_entry - one thing the TLB remembers
 * @node: in its hash bucket
 * @va: first address it is about
 * @pa: of the translation or of the next table
 * @shift: log2 of the range it is about, in bytes
 * @perm: VGPU_PERM_*
 * @is_table: a pointer to the next table, not a translation
 */
struct vgpu_tlb_entry {
	struct hlist_node node;
	u64 va;
	u64 pa;
	u8 shift;
	u8 perm;
	bool is_table;
};

/**
 * struct vgpu_tlb - translation lookaside buffer and walk cache
 * @entries: array of %VGPU_TLB_MAX, the first @used are in use
 * @buckets: hash table over them
 * @used: entries in use
 * @limit: most that may be in use
 * @evict_one_in: see struct vgpu_config
 * @rnd: picks victims
 * @leaves: bit n set: a translation of 1 << n bytes may be present
 * @tables: same for table pointers
 * @nr: entries by kind, to keep @leaves and @tables exact
 * @evictions: victims so far
 *
 * Not locked in itself: the owner serializes.
 */
struct vgpu_tlb {
	struct vgpu_tlb_entry *entries;
	struct hlist_head *buckets;
	u32 used;
	u32 limit;
	u32 evict_one_in;
	struct rnd_state rnd;
	u64 leaves;
	u64 tables;
	u32 nr[2][VGPU_TLB_KINDS];
	u64 evictions;
};

int vgpu_tlb_init(struct vgpu_tlb *tlb);
void vgpu_tlb_fini(struct vgpu_tlb *tlb);
void vgpu_tlb_configure(struct vgpu_tlb *tlb, const struct vgpu_config *config);
bool vgpu_tlb_find_leaf(struct vgpu_tlb *tlb, u64 iova, struct vgpu_leaf *leaf);
bool vgpu_tlb_find_table(struct vgpu_tlb *tlb, u64 iova,
			 struct vgpu_table *table);
void vgpu_tlb_add_leaf(struct vgpu_tlb *tlb, const struct vgpu_leaf *leaf);
void vgpu_tlb_add_table(struct vgpu_tlb *tlb, u64 iova,
			const struct vgpu_table *table);
void vgpu_tlb_drop(struct vgpu_tlb *tlb, u64 iova, u64 size, bool tables);
void vgpu_tlb_drop_all(struct vgpu_tlb *tlb);

/* ------------------------------------------------------------------------ */

/**
 * struct vgpu_smmu - the context bank
 * @cb: registers that place the tables; ttbr[0] changes with the process
 * @asid: of ttbr[0]
 * @prr: physical address of the PRR page, valid if @prr_enabled
 * @prr_enabled: accesses to that page read zero and drop writes
 * @stall: an access that faults waits for vgpu_hw_smmu_resume()
 * @stalled: one does so now
 * @retry: how it was resumed: try again, instead of giving it up
 * @fault: registers of the last fault
 */
struct vgpu_smmu {
	struct vgpu_hw_cb cb;
	u16 asid;
	phys_addr_t prr;
	bool prr_enabled;
	bool stall;
	bool stalled;
	bool retry;
	struct vgpu_hw_fault fault;
};

/**
 * struct vgpu_access - who accesses memory, and how
 * @engine: for the counters
 * @priv: with privilege
 * @user: on behalf of a user command stream; injected faults hit only these
 */
struct vgpu_access {
	enum vgpu_engine engine;
	bool priv;
	bool user;
};

/**
 * struct vgpu_watch_page - what a look at a page found
 * @pa: where it was
 * @perm: VGPU_PERM_*
 * @mapped: it was somewhere
 */
struct vgpu_watch_page {
	u64 pa;
	u8 perm;
	bool mapped;
};

#define VGPU_WATCH_PAGES	(VGPU_WATCH_MAX / VGPU_PAGE_SIZE)

/**
 * struct vgpu_watch - the watcher of page tables
 * @ttbr0: whose tables it looks at, valid if @armed
 * @armed: a user command stream ran since the range was set
 * @running: the CP executes a user command stream
 * @pages: what the last look found
 */
struct vgpu_watch {
	u64 ttbr0;
	bool armed;
	bool running;
	struct vgpu_watch_page pages[VGPU_WATCH_PAGES];
};

void vgpu_watch_reset(struct vgpu_hw *hw);
void vgpu_watch_run(struct vgpu_hw *hw, bool user);
void vgpu_watch_check(struct vgpu_hw *hw);

u32 vgpu_smmu_translate(struct vgpu_hw *hw, u64 iova, struct vgpu_leaf *leaf);
void vgpu_smmu_set_ttbr0(struct vgpu_hw *hw, u64 ttbr, u16 asid);
int vgpu_smmu_raise_fault(struct vgpu_hw *hw, u64 iova, bool write, u32 fsr);

int vgpu_mem_read(struct vgpu_hw *hw, const struct vgpu_access *access,
		  u64 iova, void *data, size_t size);
int vgpu_mem_write(struct vgpu_hw *hw, const struct vgpu_access *access,
		   u64 iova, const void *data, size_t size);

/* ------------------------------------------------------------------------ */

void vgpu_reg_set64(struct vgpu_hw *hw, u32 reg, u64 value);
u64 vgpu_reg_get64(struct vgpu_hw *hw, u32 reg);
int vgpu_reg_cp_read(struct vgpu_hw *hw, u32 reg, u32 *value);
int vgpu_reg_cp_read64(struct vgpu_hw *hw, u32 reg, u64 *value);
int vgpu_reg_cp_write(struct vgpu_hw *hw, u32 reg, u32 value);
int vgpu_reg_raise_irq(struct vgpu_hw *hw, u32 bits);
void vgpu_reg_deliver_irq(struct vgpu_hw *hw);

/* ------------------------------------------------------------------------ */

/* Command streams nest: the ring starts IB1s, an IB1 starts IB2s. */
enum vgpu_level {
	VGPU_RING,
	VGPU_IB1,
	VGPU_IB2,
	VGPU_NR_LEVELS,
};

#define VGPU_LINE_DWORDS	16
#define VGPU_PAYLOAD_DWORDS	0x4000

/**
 * struct vgpu_stream - a command stream that is being read
 * @base: address of its first dword
 * @size: of the stream in dwords; of a ring a power of two
 * @pos: next dword to take
 * @end: dword after the last one; of a ring the write pointer
 * @line: dwords fetched ahead
 * @line_pos: position of line[0]
 * @line_len: how many there are
 */
struct vgpu_stream {
	u64 base;
	u32 size;
	u32 pos;
	u32 end;
	u32 line_pos;
	u32 line_len;
	u32 line[VGPU_LINE_DWORDS];
};

/**
 * struct vgpu_cp - the command processor's thread and what only it touches
 * @task: the thread
 * @epoch: in which it runs
 * @apriv: CP_APRIV_CNTL when it started: what of the ring has privilege
 * @protected: the ring has register protection on
 * @level: of the stream it executes
 * @streams: by level
 * @payload: packet being executed, %VGPU_PAYLOAD_DWORDS
 * @bounce: one page for copies
 * @owed_ns: slow execution: time not slept yet
 */
struct vgpu_cp {
	struct task_struct *task;
	u64 epoch;
	u32 apriv;
	bool protected;
	enum vgpu_level level;
	struct vgpu_stream streams[VGPU_NR_LEVELS];
	u32 *payload;
	void *bounce;
	u64 owed_ns;
};

int vgpu_cp_thread(void *data);
int vgpu_cp_error(struct vgpu_hw *hw, u32 cause, u32 dword, const char *why);
int vgpu_cp_start_ib(struct vgpu_hw *hw, u64 base, u32 dwords, bool chain);
int vgpu_cp_skip(struct vgpu_hw *hw, u32 dwords);
int vgpu_cp_sleep(struct vgpu_hw *hw, u32 us);

/* Where the CP is, and what the stream it executes may do. */
static inline struct vgpu_stream *vgpu_cp_stream(struct vgpu_cp *cp)
{
	return &cp->streams[cp->level];
}

/**
 * struct vgpu_packet - a packet header taken apart
 * @opcode: type 7: which packet
 * @reg: type 4: first register
 * @count: dwords that follow
 * @type: 0 for a zero dword (skipped), else 4 or 7
 */
struct vgpu_packet {
	u32 opcode;
	u32 reg;
	u32 count;
	u32 type;
};

struct vgpu_access vgpu_pm4_access(struct vgpu_hw *hw);
bool vgpu_pm4_decode(u32 header, struct vgpu_packet *packet);
bool vgpu_pm4_skips_payload(const struct vgpu_packet *packet);
int vgpu_pm4_execute(struct vgpu_hw *hw, u32 header,
		     const struct vgpu_packet *packet);
int vgpu_wait_mem_gte(struct vgpu_hw *hw, const u32 *dwords, u32 count);
int vgpu_wait_reg_mem(struct vgpu_hw *hw, const u32 *dwords, u32 count);
int vgpu_event_write(struct vgpu_hw *hw, const u32 *dwords, u32 count);
int vgpu_2d_blit(struct vgpu_hw *hw, const u32 *dwords, u32 count);

/* ------------------------------------------------------------------------ */

/**
 * struct vgpu_inject - what counts towards an injected fault
 * @accesses: memory accesses of user command streams
 * @packets: packets of user command streams
 * @irqs: fence interrupts
 * @starts: of the CP, in vain
 */
struct vgpu_inject {
	u64 accesses;
	u64 packets;
	u64 irqs;
	u32 starts;
};

/**
 * struct vgpu_hw - one virtual Adreno
 * @lock: see the top of this file
 * @config: protected by @lock
 * @inject: protected by @lock
 * @stats: protected by @lock
 * @regs: %VGPU_NR_REGS registers, protected by @lock
 * @smmu: protected by @lock
 * @tlb: protected by @lock
 * @watch: protected by @lock
 * @epoch: number of resets, protected by @lock
 * @halted: the CP met an error in this epoch, protected by @lock
 * @idle_wptr: write pointer at which the CP ran out of work, protected by @lock
 * @irq_kick: the mask changed under a raised interrupt, protected by @lock
 * @host: how to reach the machine
 * @cookie: for @host
 * @wait: woken at a doorbell, a resume, a reset and the end
 * @cp: the command processor
 */
struct vgpu_hw {
	spinlock_t lock; /* see the top of this file */
	struct vgpu_config config;
	struct vgpu_inject inject;
	struct vgpu_stats stats;
	u32 *regs;
	struct vgpu_smmu smmu;
	struct vgpu_tlb tlb;
	struct vgpu_watch watch;
	u64 epoch;
	bool halted;
	u32 idle_wptr;
	bool irq_kick;

	const struct vgpu_hw_host *host;
	void *cookie;
	wait_queue_head_t wait;
	struct vgpu_cp cp;
};

/* Did a reset overtake the CP thread?  Called by that thread. */
static inline bool vgpu_hw_canceled(struct vgpu_hw *hw)
{
	lockdep_assert_held(&hw->lock);

	return hw->epoch != hw->cp.epoch;
}

#endif /* __VGPU_HW_INTERNAL_H__ */
