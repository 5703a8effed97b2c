// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-table edits: what reaches the page table, in which order, and when the
 * TLB is flushed.  The target writes down each call.
 */

#include <kunit/test.h>
#include <linux/sizes.h>

#include "../vm/msm_pt_ops.h"

#define P(n)	((u64)(n) * PAGE_SIZE)

enum { MAP = 'm', NULLS = 'n', UNMAP = 'u', FIRST = 'U', SPARSE = 's', FLUSH = 'f' };

struct call {
	char kind;
	u64 iova;
	u64 size;
};

struct recorder {
	struct call calls[16];
	int nr;
	int maps_until_failure;		/* 0: never fails */
};

static void record(struct recorder *rec, char kind, u64 iova, u64 size)
{
	if (rec->nr < ARRAY_SIZE(rec->calls))
		rec->calls[rec->nr++] = (struct call) { kind, iova, size };
}

static int rec_map(void *cookie, u64 iova, struct page **pages, u64 size, int prot)
{
	struct recorder *rec = cookie;

	record(rec, MAP, iova, size);

	return rec->maps_until_failure && !--rec->maps_until_failure ? -ENOMEM : 0;
}

static int rec_map_null(void *cookie, u64 iova, u64 size)
{
	record(cookie, NULLS, iova, size);

	return 0;
}

static void rec_unmap(void *cookie, u64 iova, u64 size)
{
	record(cookie, UNMAP, iova, size);
}

static void rec_unmap_sparse(void *cookie, u64 iova, u64 size)
{
	record(cookie, SPARSE, iova, size);
}

static void rec_flush(void *cookie)
{
	record(cookie, FLUSH, 0, 0);
}

static const struct msm_pt_target recorder_target = {
	.map = rec_map,
	.map_null = rec_map_null,
	.unmap = rec_unmap,
	.unmap_sparse = rec_unmap_sparse,
	.flush = rec_flush,
};

struct edit {
	char kind;
	int page;
	int nr;
};

static enum msm_pt_kind kind(const struct edit *edit)
{
	if (edit->kind == NULLS)
		return MSM_PT_MAP_NULL;

	return edit->kind == MAP ? MSM_PT_MAP : MSM_PT_UNMAP;
}

/* Stage the edits, apply them, compare the calls with the text. */
static void check(struct kunit *test, const struct edit *edits, int nr,
		  struct recorder *rec, int err, int result, const char *expected)
{
	struct msm_pt_op *ops = kunit_kcalloc(test, nr, sizeof(*ops), GFP_KERNEL);
	struct msm_pt_ops list;
	char text[128] = "";
	u32 flushes = 0;
	int len = 0;

	KUNIT_ASSERT_NOT_NULL(test, ops);
	msm_pt_ops_init(&list);
	for (int i = 0; i < nr; i++) {
		ops[i].iova = P(edits[i].page);
		ops[i].range = P(edits[i].nr);
		ops[i].kind = kind(&edits[i]);
		if (edits[i].kind == FIRST)
			msm_pt_ops_stage_first(&list, &ops[i]);
		else
			msm_pt_ops_stage(&list, &ops[i]);
	}

	KUNIT_EXPECT_EQ(test, result,
			msm_pt_ops_apply(&list, &recorder_target, rec, err));

	for (int i = 0; i < rec->nr; i++) {
		struct call *c = &rec->calls[i];

		flushes += c->kind == FLUSH;
		if (c->kind == FLUSH)
			len += scnprintf(text + len, sizeof(text) - len, " f");
		else
			len += scnprintf(text + len, sizeof(text) - len,
					 " %c%llu+%llu", c->kind,
					 c->iova / PAGE_SIZE, c->size / PAGE_SIZE);
	}
	KUNIT_EXPECT_STREQ(test, text, expected);
	KUNIT_EXPECT_EQ(test, list.flushes, flushes);
}

#define CHECK(_rec, _err, _result, _expected, ...) do {			\
	const struct edit edits[] = { __VA_ARGS__ };			\
	check(test, edits, ARRAY_SIZE(edits), (_rec), (_err), (_result), \
	      (_expected));						\
} while (0)

static void pt_ops_empty(struct kunit *test)
{
	struct recorder rec = {};

	check(test, NULL, 0, &rec, 0, 0, "");
}

static void pt_ops_maps_need_no_flush(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " m4+2 m0+1", { MAP, 4, 2 }, { MAP, 0, 1 });
}

static void pt_ops_one_flush_for_all(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+2 u0+1 m8+1 u10+1 f",
	      { UNMAP, 4, 2 }, { UNMAP, 0, 1 }, { MAP, 8, 1 }, { UNMAP, 10, 1 });
}

static void pt_ops_flush_before_remap(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+2 f m5+1 u9+1 f",
	      { UNMAP, 4, 2 }, { MAP, 5, 1 }, { UNMAP, 9, 1 });
}

static void pt_ops_flush_borders(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+2 m6+1 m3+1 f m5+1",
	      { UNMAP, 4, 2 }, { MAP, 6, 1 }, { MAP, 3, 1 }, { MAP, 5, 1 });
}

static void pt_ops_null(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+2 f n5+1 n8+4 u6+1 f",
	      { UNMAP, 4, 2 }, { NULLS, 5, 1 }, { NULLS, 8, 4 }, { UNMAP, 6, 1 });
}

static void pt_ops_coalesce(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+3 u2+1 u8+1 m12+1 u9+1 f",
	      { UNMAP, 4, 2 }, { UNMAP, 6, 1 }, { UNMAP, 2, 1 }, { UNMAP, 8, 1 },
	      { MAP, 12, 1 }, { UNMAP, 9, 1 });
}

/* Only what an unmap itself cleared makes the next one longer. */
static void pt_ops_unmap_behind_map(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " m4+2 u6+1 f", { MAP, 4, 2 }, { UNMAP, 6, 1 });
}

/* Wherever it lies: what was cleared first is not forgotten. */
static void pt_ops_flush_for_any(struct kunit *test)
{
	struct recorder down = {}, up = {};

	CHECK(&down, 0, 0, " u4+2 u0+1 f m5+1",
	      { UNMAP, 4, 2 }, { UNMAP, 0, 1 }, { MAP, 5, 1 });
	CHECK(&up, 0, 0, " u0+1 u4+2 f m0+1",
	      { UNMAP, 0, 1 }, { UNMAP, 4, 2 }, { MAP, 0, 1 });
}

/* Those that may come first do, and then one flush does for all maps. */
static void pt_ops_first(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+2 u0+1 f m4+2 m0+1",
	      { FIRST, 4, 2 }, { MAP, 4, 2 }, { FIRST, 0, 1 }, { MAP, 0, 1 });
}

static void pt_ops_first_coalesce(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, 0, 0, " u4+3 u0+2 f m4+1 u7+1 f",
	      { FIRST, 4, 2 }, { MAP, 4, 1 }, { FIRST, 6, 1 }, { FIRST, 0, 1 },
	      { FIRST, 1, 1 }, { UNMAP, 7, 1 });
}

static void pt_ops_failed_map(struct kunit *test)
{
	struct recorder rec = { .maps_until_failure = 2 };

	CHECK(&rec, 0, -ENOMEM, " m0+1 u8+1 m1+1 s1+1 s0+1 f",
	      { MAP, 0, 1 }, { UNMAP, 8, 1 }, { MAP, 1, 1 }, { MAP, 2, 1 },
	      { UNMAP, 1, 1 }, { UNMAP, 0, 1 });
}

static void pt_ops_dead_vm(struct kunit *test)
{
	struct recorder rec = {};

	CHECK(&rec, -EIO, -EIO, " s4+1 f", { MAP, 0, 1 }, { UNMAP, 4, 1 });
}

static struct kunit_case pt_ops_cases[] = {
	KUNIT_CASE(pt_ops_empty),
	KUNIT_CASE(pt_ops_maps_need_no_flush),
	KUNIT_CASE(pt_ops_one_flush_for_all),
	KUNIT_CASE(pt_ops_flush_before_remap),
	KUNIT_CASE(pt_ops_flush_borders),
	KUNIT_CASE(pt_ops_null),
	KUNIT_CASE(pt_ops_coalesce),
	KUNIT_CASE(pt_ops_unmap_behind_map),
	KUNIT_CASE(pt_ops_flush_for_any),
	KUNIT_CASE(pt_ops_first),
	KUNIT_CASE(pt_ops_first_coalesce),
	KUNIT_CASE(pt_ops_failed_map),
	KUNIT_CASE(pt_ops_dead_vm),
	{}
};

static struct kunit_suite pt_ops_suite = {
	.name = "msm-vm-pt-ops",
	.test_cases = pt_ops_cases,
};

kunit_test_suite(pt_ops_suite);
