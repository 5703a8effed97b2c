/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rest of the kernel, as far as the code under test sees it, for one thread
 * of userspace.
 *
 * build.sh makes every kernel header that is not used as it is into this one.
 * What stands here is thin but no dummy: a WARN ends the run, locks know whether
 * they are held, reference counts cannot come back from zero, allocations fail
 * when told to, and what is freed is given to ASan.
 */
#ifndef __FUZZ_SHIM_H__
#define __FUZZ_SHIM_H__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm/ioctl.h>
#include <asm/posix_types.h>
#include <asm/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef unsigned __int128 u128;
typedef __s32 s32;
typedef __s64 s64;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef unsigned long vm_fault_t;
typedef __u16 __le16, __be16;
typedef __u32 __le32, __be32, __wsum;
typedef __u64 __le64, __be64;

#define EINTR		4
#define ERESTARTSYS	512
#define ENOENT		2
#define E2BIG		7
#define ENOMEM		12
#define EBUSY		16
#define EEXIST		17
#define ENODEV		19
#define EINVAL		22
#define ENOSPC		28
#define EPIPE		32
#define ENXIO		6
#define EOPNOTSUPP	95
#define MAX_ERRNO	4095

#define U64_MAX		((u64)~0ull)
#define UINT_MAX	(~0u)
#define INT_MAX		((int)(UINT_MAX >> 1))
#define USHRT_MAX	0xffff
#define ULONG_MAX	(~0ul)
#define LONG_MAX	((long)(ULONG_MAX >> 1))
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096ul
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PAGE_ALIGNED(x)	(!((x) & (PAGE_SIZE - 1)))
#define SZ_4M		0x400000
#define SZ_4G		0x100000000ull
#define BITS_PER_LONG	64
#define BITS_PER_XA_VALUE (BITS_PER_LONG - 1)

#define __user
#define __rcu
#define __force
#define __must_check
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __maybe_unused	__attribute__((unused))
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define __bitwise
#define __cold
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __init
#define noinline	__attribute__((noinline))
#define fallthrough	__attribute__((fallthrough))
#define likely(x)	(x)
#define unlikely(x)	(x)
#define barrier()	asm volatile("" ::: "memory")
#define smp_mb()	barrier()
#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, v) WRITE_ONCE(*(p), v)
#define data_race(x)	(x)
#define ASSERT_EXCLUSIVE_WRITER(x)
#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define static_assert(x, ...) shim_assert(x, ##__VA_ARGS__, #x)
#define shim_assert(x, text, ...) _Static_assert(x, text)
#define BUILD_BUG_ON(x)	_Static_assert(!(x), #x)
#define offsetofend(T, m) (offsetof(T, m) + sizeof(((T *)0)->m))

#define IS_ENABLED(x)	0
#define EXPORT_SYMBOL(x)
#define EXPORT_SYMBOL_GPL(x)
#define EXPORT_SYMBOL_IF_KUNIT(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_LICENSE(x)

#define min(a, b)	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(T, a, b)	min((T)(a), (T)(b))
#define max_t(T, a, b)	max((T)(a), (T)(b))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)		(1ull << (n))
#define ilog2(n)	(63 - __builtin_clzll(n))
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)

#define ERR_PTR(e)	((void *)(long)(e))
#define PTR_ERR(p)	((long)(p))
#define IS_ERR(p)	((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)
#define IS_ERR_OR_NULL(p) (!(p) || IS_ERR(p))
#define ERR_CAST(p)	((void *)(p))

/* What the harness and the kernel's own checks end a run with */
#define shim_bug(...)							\
	do {								\
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);		\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		abort();						\
	} while (0)
#define shim_check(cond, ...)						\
	do {								\
		if (!(cond))						\
			shim_bug(#cond ": " __VA_ARGS__);		\
	} while (0)

#define WARN(cond, ...)	({						\
		bool cond_ = !!(cond);					\
									\
		if (cond_)						\
			shim_bug(__VA_ARGS__);				\
		cond_;							\
	})
#define WARN_ON(cond)	WARN(cond, "%s", #cond)
#define WARN_ON_ONCE(cond) WARN_ON(cond)
#define BUG_ON(cond)	((void)WARN_ON(cond))
#define drm_WARN(drm, cond, ...) WARN(cond, __VA_ARGS__)
#define drm_WARN_ON(drm, cond) WARN_ON(cond)
#define drm_dbg_driver(drm, ...) ((void)(drm))

/* Memory: see shim.c */
#define GFP_KERNEL	1u
#define GFP_NOWAIT	2u
#define __GFP_NOWARN	0u
#define __GFP_ZERO	0u
#define __GFP_RETRY_MAYFAIL 0u
#define __GFP_ACCOUNT	4u
#define __GFP_BITS_SHIFT 8
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define gfpflags_allow_blocking(gfp) ((gfp) & GFP_KERNEL)
#define SLAB_ACCOUNT	0
#define SLAB_PANIC	0

struct kmem_cache {
	size_t size;
};

/* All allocations after so many others fail; negative: none does. */
extern int shim_fail_after;
/* One has failed. */
extern bool shim_failed;

void *shim_alloc(size_t size);
struct kmem_cache *shim_cache(size_t size);
void *shim_dup(const void *from, size_t size);
void kfree(const void *p);

#define kzalloc(size, gfp) ((void)(gfp), shim_alloc(size))
#define kmemdup(p, size, gfp) ((void)(gfp), shim_dup(p, size))
#define kmalloc(size, gfp) kzalloc(size, gfp)
#define kcalloc(n, size, gfp) kzalloc((n) * (size), gfp)
#define kvcalloc(n, size, gfp) kcalloc(n, size, gfp)
#define kvfree(p)	kfree(p)
#define KMEM_CACHE(T, flags) shim_cache(sizeof(struct T))
#define kmem_cache_destroy(c) free(c)
#define kmem_cache_zalloc(c, gfp) kzalloc((c)->size, gfp)
#define kmem_cache_alloc(c, gfp) kmem_cache_zalloc(c, gfp)
#define kmem_cache_alloc_lru(c, lru, gfp) kmem_cache_zalloc(c, gfp)
#define kmem_cache_free(c, p) ((void)(c), kfree(p))

/* One thread: nobody sends signals, nobody waits. */
#define current		NULL
#define fatal_signal_pending(task) ((void)(task), false)
#define cond_resched()	do { } while (0)
#define might_sleep()	do { } while (0)
#define might_alloc(gfp) ((void)(gfp))

typedef struct { } wait_queue_head_t;
#define init_waitqueue_head(q) ((void)(q))
#define wake_up_all(q)	((void)(q))
#define wait_event_interruptible(q, cond) ((cond) ? 0 : -ERESTARTSYS)

struct work_struct { int unused; };
struct rcu_work { int unused; };
struct rcu_head { void *next; };
typedef struct { int v; } atomic_t;
typedef struct { s64 v; } atomic64_t;
typedef struct { long v; } atomic_long_t;
#define atomic_long_set(a, n) ((a)->v = (n))
#define atomic_long_inc(a) ((a)->v++)
#define atomic_long_read(a) ((a)->v)

/* Locks of all kinds */
struct lockdep_map { bool held; };
struct shim_lock { struct lockdep_map dep_map; };
typedef struct shim_lock spinlock_t;
struct mutex { struct shim_lock shim; };

void shim_lock(struct shim_lock *lock);
void shim_unlock(struct shim_lock *lock);

#define CONFIG_LOCKDEP	1
#define lockdep_assert(cond) WARN_ON(!(cond))
#define lock_is_held(map) ((map)->held)
#define lockdep_is_held(l) ((l)->dep_map.held)
#define lockdep_assert_held(m) WARN_ON(!(m)->shim.dep_map.held)
#define spin_lock_init(l) ((l)->dep_map.held = false)
#define spin_lock(l)	shim_lock(l)
#define spin_unlock(l)	shim_unlock(l)
#define spin_lock_bh(l)	shim_lock(l)
#define spin_unlock_bh(l) shim_unlock(l)
#define spin_lock_irq(l) shim_lock(l)
#define spin_unlock_irq(l) shim_unlock(l)
#define spin_lock_irqsave(l, f) ((f) = 0, shim_lock(l))
#define spin_unlock_irqrestore(l, f) ((void)(f), shim_unlock(l))
#define spin_lock_nested(l, n) shim_lock(l)
#define spin_lock_bh_nested(l, n) shim_lock(l)
#define spin_lock_irq_nested(l, n) shim_lock(l)
#define spin_lock_irqsave_nested(l, f, n) spin_lock_irqsave(l, f)
#define __SPIN_LOCK_UNLOCKED(name) { }
#define mutex_init(m)	((m)->shim.dep_map.held = false)
#define mutex_lock(m)	shim_lock(&(m)->shim)
#define mutex_unlock(m)	shim_unlock(&(m)->shim)
#define mutex_lock_interruptible(m) (mutex_lock(m), 0)
#define mutex_destroy(m) shim_check(!(m)->shim.dep_map.held, "mutex is held")

#define rcu_read_lock()	do { } while (0)
#define rcu_read_unlock() do { } while (0)
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define rcu_dereference(p) (p)
#define rcu_dereference_raw(p) (p)
#define rcu_dereference_check(p, cond) (p)
#define rcu_dereference_protected(p, cond) (p)
#define call_rcu(head, fn) (fn)(head)

typedef struct { int refs; } refcount_t;
#define REFCOUNT_INIT(n) { .refs = (n) }
#define refcount_set(r, n) ((r)->refs = (n))
#define refcount_read(r) ((r)->refs)
void refcount_inc(refcount_t *r);
bool refcount_dec_and_test(refcount_t *r);
bool refcount_inc_not_zero(refcount_t *r);
#define refcount_dec_and_mutex_lock(r, l) refcount_dec_and_test(r)
#define refcount_dec_and_lock(r, l) refcount_dec_and_test(r)

/* Of <linux/types.h>; lists are the kernel's own. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

/* Bitmaps, for the marks of an xarray, of one word */
#define BITS_TO_LONGS(bits) (((bits) + 63) / 64)
#define DECLARE_BITMAP(name, bits) unsigned long name[((bits) + 63) / 64]
#define bitmap_fill(map, bits) memset(map, 0xff, ((bits) + 63) / 64 * 8)
#define bitmap_clear(map, from, n) \
	do { for (u32 i_ = 0; i_ < (n); i_++) __clear_bit((from) + i_, map); } while (0)
#define bitmap_empty(map, bits) (!*(map))
#define test_bit(n, map) (*(map) >> (n) & 1)
#define __set_bit(n, map) (*(map) |= BIT(n))
#define __clear_bit(n, map) (*(map) &= ~BIT(n))
#define __test_and_set_bit(n, map) \
	({ bool old_ = test_bit(n, map); __set_bit(n, map); old_; })
#define __test_and_clear_bit(n, map) \
	({ bool old_ = test_bit(n, map); __clear_bit(n, map); old_; })
#define __ffs(w)	((unsigned long)__builtin_ctzl(w))
unsigned long find_next_bit(const unsigned long *map, unsigned long size,
			    unsigned long from);
/* User memory: the program's business */
int copy_struct_from_user(void *to, size_t size, const void *from, size_t from_size);
#define u64_to_user_ptr(x) ((void *)(uintptr_t)(x))

#define dump_stack()	do { } while (0)
#define pr_cont(...)	fprintf(stderr, __VA_ARGS__)
#define pr_info(...)	fprintf(stderr, __VA_ARGS__)

/* DRM */
enum dma_resv_usage { DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_BOOKKEEP };

struct dma_fence;
struct dma_resv { struct shim_lock lock; };

#define dma_resv_held(r) ((r)->lock.dep_map.held)
#define dma_resv_assert_held(r) WARN_ON(!dma_resv_held(r))
#define dma_resv_add_fence(r, f, u) ((void)(r), (void)(f), (void)(u))

struct drm_printer;
struct file;
struct iosys_map;
struct sg_table;
struct vm_area_struct;
struct ww_acquire_ctx;

struct drm_device {
	int refs;
	void *dev_private;
};
struct drm_file;
struct drm_vma_offset_node { int unused; };
struct drm_gem_object;

#define drm_dev_get(d)	((d)->refs++)
#define drm_dev_put(d)	((d)->refs--)

/* Nobody else wants the locks, so each is taken at the first try. */
struct drm_exec {
	u32 nr;
	struct drm_gem_object *objs[256];
};

#define drm_exec_until_all_locked(e) for (bool first_ = true; first_; first_ = false)
#define drm_exec_retry_on_contention(e) do { } while (0)
#define drm_exec_for_each_locked_object(e, obj) \
	for (u32 i_ = 0; i_ < (e)->nr && ((obj) = (e)->objs[i_]); i_++)
void drm_exec_init(struct drm_exec *exec, u32 flags, u32 nr);
void drm_exec_fini(struct drm_exec *exec);
int drm_exec_prepare_obj(struct drm_exec *exec, struct drm_gem_object *obj,
			 u32 fences);
int drm_exec_prepare_array(struct drm_exec *exec, struct drm_gem_object **objs,
			   u32 count, u32 fences);
#define drm_exec_lock_obj(e, obj) drm_exec_prepare_obj(e, obj, 0)

struct drm_gpu_scheduler { int unused; };
struct drm_sched_job { void *s_fence; };
struct drm_sched_entity { int unused; };

/* What libFuzzer calls */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* __FUZZ_SHIM_H__ */
