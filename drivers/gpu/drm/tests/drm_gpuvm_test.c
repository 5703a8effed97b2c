// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pictures of drm_gpuvm's "Split and Merge" documentation, as tests.
 *
 * A picture is a tree, a request and what becomes of both: the steps that a
 * driver is told and the tree when it has done them.  They are written down
 * here as they are drawn there, in pages:
 *
 *	     0     a     2
 *	old: |-----------| (bo_offset=n)	A(0, 2, N)
 *
 *	     0  b  1
 *	req: |-----|       (bo_offset=m)	B(0, 1, M)
 *
 * The names start with the number in the documentation.  The pictures without
 * a number are the documentation's notes, several old mappings below one
 * request, mappings without an object, and the same ways to overlap for unmap,
 * which the documentation describes and does not draw.
 *
 * Each picture runs through the callbacks and through the lists of steps, and
 * once per step with that step failing.
 */

#include <kunit/test.h>

#include <linux/module.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

#define GPUVM_PICTURE_VAS	4
#define GPUVM_PICTURE_STEPS	5

/* Pages [start, end) show @bo from page @offset on; no @bo: no such mapping. */
struct gpuvm_piece {
	char bo;
	u8 start;
	u8 end;
	u8 offset;
};

struct gpuvm_picture_step {
	enum drm_gpuva_op_type op;
	bool keep;
	struct gpuvm_piece va;
	struct gpuvm_piece prev;
	struct gpuvm_piece next;
};

struct gpuvm_picture {
	const char *name;
	bool unmap;
	struct gpuvm_piece old[GPUVM_PICTURE_VAS];
	struct gpuvm_piece req;
	struct gpuvm_picture_step step[GPUVM_PICTURE_STEPS];
	struct gpuvm_piece new[GPUVM_PICTURE_VAS];
};

/* The bo_offsets n and m of the pictures: far from each other and from 0. */
#define N	16
#define M	64

#define A(start, end, offset)	{ 'a', start, end, offset }
#define B(start, end, offset)	{ 'b', start, end, offset }
/* A mapping without an object, and a range to unmap */
#define O(start, end, offset)	{ 'o', start, end, offset }
#define NONE			{ 0 }

#define MAP(_va)		{ .op = DRM_GPUVA_OP_MAP, .va = _va }
#define UNMAP(_va)		{ .op = DRM_GPUVA_OP_UNMAP, .va = _va }
#define UNMAP_KEEP(_va)		{ .op = DRM_GPUVA_OP_UNMAP, .keep = true, \
				  .va = _va }
#define REMAP(_va, _prev, _next) \
				{ .op = DRM_GPUVA_OP_REMAP, .va = _va, \
				  .prev = _prev, .next = _next }
#define REMAP_KEEP(_va, _prev, _next) \
				{ .op = DRM_GPUVA_OP_REMAP, .keep = true, \
				  .va = _va, .prev = _prev, .next = _next }

static const struct gpuvm_picture gpuvm_pictures[] = {
	{
		.name = "0: nothing there",
		.req = A(1, 3, N),
		.step = { MAP(A(1, 3, N)) },
		.new = { A(1, 3, N) },
	}, {
		.name = "0: neighbours on both sides",
		.old = { A(0, 1, N), A(3, 4, N + 3) },
		.req = A(1, 3, N + 1),
		.step = { MAP(A(1, 3, N + 1)) },
		.new = { A(0, 1, N), A(1, 3, N + 1), A(3, 4, N + 3) },
	}, {
		.name = "1: identical",
		.old = { A(0, 1, N) },
		.req = A(0, 1, N),
		.step = { UNMAP_KEEP(A(0, 1, N)), MAP(A(0, 1, N)) },
		.new = { A(0, 1, N) },
	}, {
		.name = "2: identical but the offset",
		.old = { A(0, 1, N) },
		.req = A(0, 1, M),
		.step = { UNMAP(A(0, 1, N)), MAP(A(0, 1, M)) },
		.new = { A(0, 1, M) },
	}, {
		.name = "3: identical but the BO",
		.old = { A(0, 1, N) },
		.req = B(0, 1, N),
		.step = { UNMAP(A(0, 1, N)), MAP(B(0, 1, N)) },
		.new = { B(0, 1, N) },
	}, {
		.name = "4: over a left aligned one",
		.old = { A(0, 1, N) },
		.req = A(0, 2, N),
		.step = { UNMAP_KEEP(A(0, 1, N)), MAP(A(0, 2, N)) },
		.new = { A(0, 2, N) },
	}, {
		.name = "4: note, another BO",
		.old = { A(0, 1, N) },
		.req = B(0, 2, N),
		.step = { UNMAP(A(0, 1, N)), MAP(B(0, 2, N)) },
		.new = { B(0, 2, N) },
	}, {
		.name = "4: note, another offset",
		.old = { A(0, 1, N) },
		.req = A(0, 2, M),
		.step = { UNMAP(A(0, 1, N)), MAP(A(0, 2, M)) },
		.new = { A(0, 2, M) },
	}, {
		.name = "5: left part, another BO",
		.old = { A(0, 2, N) },
		.req = B(0, 1, N),
		.step = { REMAP(A(0, 2, N), NONE, A(1, 2, N + 1)),
			  MAP(B(0, 1, N)) },
		.new = { B(0, 1, N), A(1, 2, N + 1) },
	}, {
		.name = "5: note, another offset",
		.old = { A(0, 2, N) },
		.req = A(0, 1, M),
		.step = { REMAP(A(0, 2, N), NONE, A(1, 2, N + 1)),
			  MAP(A(0, 1, M)) },
		.new = { A(0, 1, M), A(1, 2, N + 1) },
	}, {
		.name = "6: left part, same pages",
		.old = { A(0, 2, N) },
		.req = A(0, 1, N),
		.step = { REMAP_KEEP(A(0, 2, N), NONE, A(1, 2, N + 1)),
			  MAP(A(0, 1, N)) },
		.new = { A(0, 1, N), A(1, 2, N + 1) },
	}, {
		.name = "7: right part, another BO",
		.old = { A(0, 2, N) },
		.req = B(1, 2, M),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(B(1, 2, M)) },
		.new = { A(0, 1, N), B(1, 2, M) },
	}, {
		.name = "7: right part, another BO at the fitting offset",
		.old = { A(0, 2, N) },
		.req = B(1, 2, N + 1),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(B(1, 2, N + 1)) },
		.new = { A(0, 1, N), B(1, 2, N + 1) },
	}, {
		.name = "8: right part, same pages",
		.old = { A(0, 2, N) },
		.req = A(1, 2, N + 1),
		.step = { REMAP_KEEP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(A(1, 2, N + 1)) },
		.new = { A(0, 1, N), A(1, 2, N + 1) },
	}, {
		.name = "8: right part, the offset of the left part",
		.old = { A(0, 2, N) },
		.req = A(1, 2, N),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(A(1, 2, N)) },
		.new = { A(0, 1, N), A(1, 2, N) },
	}, {
		.name = "9: over the end, another BO",
		.old = { A(0, 2, N) },
		.req = B(1, 3, M),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(B(1, 3, M)) },
		.new = { A(0, 1, N), B(1, 3, M) },
	}, {
		.name = "10: over the end, same pages",
		.old = { A(0, 2, N) },
		.req = A(1, 3, N + 1),
		.step = { REMAP_KEEP(A(0, 2, N), A(0, 1, N), NONE),
			  MAP(A(1, 3, N + 1)) },
		.new = { A(0, 1, N), A(1, 3, N + 1) },
	}, {
		.name = "11: centre, another BO",
		.old = { A(0, 3, N) },
		.req = B(1, 2, M),
		.step = { REMAP(A(0, 3, N), A(0, 1, N), A(2, 3, N + 2)),
			  MAP(B(1, 2, M)) },
		.new = { A(0, 1, N), B(1, 2, M), A(2, 3, N + 2) },
	}, {
		.name = "11: off centre, another BO",
		.old = { A(0, 7, N) },
		.req = B(1, 3, M),
		.step = { REMAP(A(0, 7, N), A(0, 1, N), A(3, 7, N + 3)),
			  MAP(B(1, 3, M)) },
		.new = { A(0, 1, N), B(1, 3, M), A(3, 7, N + 3) },
	}, {
		.name = "12: centre, same pages",
		.old = { A(0, 3, N) },
		.req = A(1, 2, N + 1),
		.step = { REMAP_KEEP(A(0, 3, N), A(0, 1, N), A(2, 3, N + 2)),
			  MAP(A(1, 2, N + 1)) },
		.new = { A(0, 1, N), A(1, 2, N + 1), A(2, 3, N + 2) },
	}, {
		.name = "13: over a right aligned one",
		.old = { A(1, 2, N + 1) },
		.req = A(0, 2, N),
		.step = { UNMAP_KEEP(A(1, 2, N + 1)), MAP(A(0, 2, N)) },
		.new = { A(0, 2, N) },
	}, {
		.name = "13: note, another BO",
		.old = { A(1, 2, N + 1) },
		.req = B(0, 2, N),
		.step = { UNMAP(A(1, 2, N + 1)), MAP(B(0, 2, N)) },
		.new = { B(0, 2, N) },
	}, {
		.name = "13: note, another offset",
		.old = { A(1, 2, N) },
		.req = A(0, 2, N),
		.step = { UNMAP(A(1, 2, N)), MAP(A(0, 2, N)) },
		.new = { A(0, 2, N) },
	}, {
		.name = "14: over a centred one",
		.old = { A(1, 2, N + 1) },
		.req = A(0, 3, N),
		.step = { UNMAP_KEEP(A(1, 2, N + 1)), MAP(A(0, 3, N)) },
		.new = { A(0, 3, N) },
	}, {
		.name = "14: note, another BO",
		.old = { A(1, 2, N + 1) },
		.req = B(0, 3, N),
		.step = { UNMAP(A(1, 2, N + 1)), MAP(B(0, 3, N)) },
		.new = { B(0, 3, N) },
	}, {
		.name = "14: note, another offset",
		.old = { A(1, 2, N) },
		.req = A(0, 3, N),
		.step = { UNMAP(A(1, 2, N)), MAP(A(0, 3, N)) },
		.new = { A(0, 3, N) },
	}, {
		.name = "15: over the start, another BO",
		.old = { A(1, 3, N) },
		.req = B(0, 2, M),
		.step = { REMAP(A(1, 3, N), NONE, A(2, 3, N + 1)),
			  MAP(B(0, 2, M)) },
		.new = { B(0, 2, M), A(2, 3, N + 1) },
	}, {
		.name = "over the start, same pages",
		.old = { A(1, 3, N + 1) },
		.req = A(0, 2, N),
		.step = { REMAP_KEEP(A(1, 3, N + 1), NONE, A(2, 3, N + 2)),
			  MAP(A(0, 2, N)) },
		.new = { A(0, 2, N), A(2, 3, N + 2) },
	}, {
		.name = "two remaps with unmaps between",
		.old = { A(0, 2, N), B(2, 3, M), A(4, 5, N + 4), A(6, 8, N) },
		.req = A(1, 7, N + 1),
		.step = { REMAP_KEEP(A(0, 2, N), A(0, 1, N), NONE),
			  UNMAP(B(2, 3, M)),
			  UNMAP_KEEP(A(4, 5, N + 4)),
			  REMAP(A(6, 8, N), NONE, A(7, 8, N + 1)),
			  MAP(A(1, 7, N + 1)) },
		.new = { A(0, 1, N), A(1, 7, N + 1), A(7, 8, N + 1) },
	}, {
		.name = "two unmaps, left and right aligned",
		.old = { A(0, 1, N), B(1, 3, M) },
		.req = A(0, 3, N),
		.step = { UNMAP_KEEP(A(0, 1, N)), UNMAP(B(1, 3, M)),
			  MAP(A(0, 3, N)) },
		.new = { A(0, 3, N) },
	}, {
		.name = "identical without a BO",
		.old = { O(0, 2, 0) },
		.req = O(0, 2, 0),
		.step = { UNMAP(O(0, 2, 0)), MAP(O(0, 2, 0)) },
		.new = { O(0, 2, 0) },
	}, {
		.name = "a BO into a mapping without one",
		.old = { O(0, 4, 0) },
		.req = A(1, 2, N),
		/* The offset of no object counts like any other. */
		.step = { REMAP(O(0, 4, 0), O(0, 1, 0), O(2, 4, 2)),
			  MAP(A(1, 2, N)) },
		.new = { O(0, 1, 0), A(1, 2, N), O(2, 4, 2) },
	}, {
		.name = "unmap nothing",
		.unmap = true,
		.old = { A(0, 1, N), A(3, 4, N) },
		.req = O(1, 3, 0),
		.new = { A(0, 1, N), A(3, 4, N) },
	}, {
		.name = "unmap all of it",
		.unmap = true,
		.old = { A(0, 1, N) },
		.req = O(0, 1, 0),
		.step = { UNMAP(A(0, 1, N)) },
	}, {
		.name = "unmap more than a left aligned one",
		.unmap = true,
		.old = { A(0, 1, N) },
		.req = O(0, 2, 0),
		.step = { UNMAP(A(0, 1, N)) },
	}, {
		.name = "unmap more than a right aligned one",
		.unmap = true,
		.old = { A(1, 2, N) },
		.req = O(0, 2, 0),
		.step = { UNMAP(A(1, 2, N)) },
	}, {
		.name = "unmap more than a centred one",
		.unmap = true,
		.old = { A(1, 2, N) },
		.req = O(0, 3, 0),
		.step = { UNMAP(A(1, 2, N)) },
	}, {
		.name = "unmap the left part",
		.unmap = true,
		.old = { A(0, 3, N) },
		.req = O(0, 1, 0),
		.step = { REMAP(A(0, 3, N), NONE, A(1, 3, N + 1)) },
		.new = { A(1, 3, N + 1) },
	}, {
		.name = "unmap the right part",
		.unmap = true,
		.old = { A(0, 3, N) },
		.req = O(1, 3, 0),
		.step = { REMAP(A(0, 3, N), A(0, 1, N), NONE) },
		.new = { A(0, 1, N) },
	}, {
		.name = "unmap the centre",
		.unmap = true,
		.old = { A(0, 7, N) },
		.req = O(1, 3, 0),
		.step = { REMAP(A(0, 7, N), A(0, 1, N), A(3, 7, N + 3)) },
		.new = { A(0, 1, N), A(3, 7, N + 3) },
	}, {
		.name = "unmap over the start",
		.unmap = true,
		.old = { A(1, 3, N) },
		.req = O(0, 2, 0),
		.step = { REMAP(A(1, 3, N), NONE, A(2, 3, N + 1)) },
		.new = { A(2, 3, N + 1) },
	}, {
		.name = "unmap over the end",
		.unmap = true,
		.old = { A(0, 2, N) },
		.req = O(1, 3, 0),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE) },
		.new = { A(0, 1, N) },
	}, {
		.name = "unmap with two remaps",
		.unmap = true,
		.old = { A(0, 2, N), O(2, 3, 0), B(4, 5, M), A(6, 8, N) },
		.req = O(1, 7, 0),
		.step = { REMAP(A(0, 2, N), A(0, 1, N), NONE),
			  UNMAP(O(2, 3, 0)),
			  UNMAP(B(4, 5, M)),
			  REMAP(A(6, 8, N), NONE, A(7, 8, N + 1)) },
		.new = { A(0, 1, N), A(7, 8, N + 1) },
	},
};

#undef A
#undef B
#undef O
#undef NONE
#undef MAP
#undef UNMAP
#undef UNMAP_KEEP
#undef REMAP
#undef REMAP_KEEP

KUNIT_ARRAY_PARAM_DESC(gpuvm_picture, gpuvm_pictures, name);

/* A picture in the units of the VA space. */
struct gpuvm_case {
	struct gpuvm_fixture *fix;
	const struct gpuvm_picture *picture;
	struct gpuvm_log *log;
	struct gpuvm_map old[GPUVM_PICTURE_VAS];
	struct gpuvm_map req;
	struct gpuvm_map new[GPUVM_PICTURE_VAS];
	struct gpuvm_step step[GPUVM_PICTURE_STEPS];
	unsigned int olds, news, steps;
};

static struct gpuvm_map gpuvm_case_map(struct gpuvm_case *c,
				       const struct gpuvm_piece *piece)
{
	struct gpuvm_map map = { };

	if (!piece->bo)
		return map;

	map.addr = GPUVM_FIXTURE_BASE + piece->start * GPUVM_FIXTURE_PAGE;
	map.range = (piece->end - piece->start) * GPUVM_FIXTURE_PAGE;
	map.offset = piece->offset * GPUVM_FIXTURE_PAGE;
	if (piece->bo != 'o')
		map.obj = c->fix->bo[piece->bo - 'a'];

	return map;
}

static void gpuvm_case_steps(struct gpuvm_case *c)
{
	const struct gpuvm_picture_step *from = c->picture->step;

	for (; c->steps < GPUVM_PICTURE_STEPS && from->va.bo; from++)
		c->step[c->steps++] = (struct gpuvm_step) {
			.op = from->op,
			.keep = from->keep,
			.va = gpuvm_case_map(c, &from->va),
			.prev = gpuvm_case_map(c, &from->prev),
			.next = gpuvm_case_map(c, &from->next),
		};
}

static struct gpuvm_case *gpuvm_case_create(struct kunit *test)
{
	const struct gpuvm_picture *picture = test->param_value;
	struct gpuvm_case *c;

	c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);

	c->fix = test->priv;
	c->picture = picture;
	c->log = gpuvm_log_create(c->fix);
	c->req = gpuvm_case_map(c, &picture->req);

	for (; c->olds < GPUVM_PICTURE_VAS; c->olds++) {
		if (!picture->old[c->olds].bo)
			break;
		c->old[c->olds] = gpuvm_case_map(c, &picture->old[c->olds]);
	}
	for (; c->news < GPUVM_PICTURE_VAS; c->news++) {
		if (!picture->new[c->news].bo)
			break;
		c->new[c->news] = gpuvm_case_map(c, &picture->new[c->news]);
	}
	gpuvm_case_steps(c);

	gpuvm_fixture_create_vm(c->fix, 0, &gpuvm_fixture_ops);

	return c;
}

static void gpuvm_case_draw_old(struct gpuvm_case *c)
{
	unsigned int i;

	gpuvm_fixture_clear(c->fix);
	for (i = 0; i < c->olds; i++)
		gpuvm_fixture_insert(c->fix, &c->old[i]);
}

static int gpuvm_case_request(struct gpuvm_case *c)
{
	const struct gpuvm_map *req = &c->req;

	gpuvm_log_reset(c->log);
	if (c->picture->unmap)
		return drm_gpuvm_sm_unmap(c->fix->vm, c->log,
					  req->addr, req->range);

	return drm_gpuvm_sm_map(c->fix->vm, c->log, req->addr, req->range,
				req->obj, req->offset);
}

static struct drm_gpuva_ops *gpuvm_case_ops_create(struct gpuvm_case *c)
{
	const struct gpuvm_map *req = &c->req;

	gpuvm_log_reset(c->log);
	if (c->picture->unmap)
		return drm_gpuvm_sm_unmap_ops_create(c->fix->vm,
						     req->addr, req->range);

	return drm_gpuvm_sm_map_ops_create(c->fix->vm, req->addr, req->range,
					   req->obj, req->offset);
}

/* The driver follows while drm_gpuvm walks. */
static void gpuvm_callbacks(struct kunit *test)
{
	struct gpuvm_case *c = gpuvm_case_create(test);

	gpuvm_case_draw_old(c);
	c->log->apply = true;

	KUNIT_EXPECT_EQ(test, gpuvm_case_request(c), 0);
	KUNIT_EXPECT_TRUE(test, gpuvm_log_says(c->log, c->step, c->steps));
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_holds(c->fix, c->new, c->news));
}

/* The driver looks at the list, drops it, asks again and works it off. */
static void gpuvm_ops_list(struct kunit *test)
{
	struct gpuvm_case *c = gpuvm_case_create(test);
	struct drm_gpuva_ops *ops;
	unsigned int pass;

	gpuvm_case_draw_old(c);
	for (pass = 0; pass < 2; pass++) {
		ops = gpuvm_case_ops_create(c);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
		KUNIT_EXPECT_TRUE(test, gpuvm_fixture_holds(c->fix, c->old,
							    c->olds));

		c->log->apply = pass == 1;
		KUNIT_EXPECT_EQ(test, gpuvm_log_ops(c->log, ops), 0);
		KUNIT_EXPECT_TRUE(test, gpuvm_log_says(c->log, c->step,
						       c->steps));
		drm_gpuva_ops_free(c->fix->vm, ops);
	}
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_holds(c->fix, c->new, c->news));
}

/* A callback's error ends the request there and is what the driver gets. */
static void gpuvm_failing_step(struct kunit *test)
{
	struct gpuvm_case *c = gpuvm_case_create(test);
	unsigned int i;

	gpuvm_case_draw_old(c);
	for (i = 1; i <= c->steps; i++) {
		c->log->fail_at = i;
		KUNIT_EXPECT_EQ(test, gpuvm_case_request(c), GPUVM_FIXTURE_ERR);
		KUNIT_EXPECT_TRUE(test, gpuvm_log_says(c->log, c->step, i));
	}
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_holds(c->fix, c->old, c->olds));
}

/* The hole of a remap is where old mapping and request meet. */
static void gpuvm_remap_hole(struct kunit *test)
{
	struct gpuvm_case *c = gpuvm_case_create(test);
	u64 start, range, expect_start, expect_end;
	u64 req_end = c->req.addr + c->req.range;
	struct drm_gpuva_op_remap *remap;
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;
	struct drm_gpuva *va;

	gpuvm_case_draw_old(c);
	ops = gpuvm_case_ops_create(c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);

	drm_gpuva_for_each_op(op, ops) {
		if (op->op != DRM_GPUVA_OP_REMAP)
			continue;

		remap = &op->remap;
		va = remap->unmap->va;
		expect_start = max(va->va.addr, c->req.addr);
		expect_end = min(va->va.addr + va->va.range, req_end);

		drm_gpuva_op_remap_to_unmap_range(remap, &start, &range);
		KUNIT_EXPECT_EQ(test, start, expect_start);
		KUNIT_EXPECT_EQ(test, start + range, expect_end);
	}
	drm_gpuva_ops_free(c->fix->vm, ops);
}

static struct kunit_case gpuvm_picture_tests[] = {
	KUNIT_CASE_PARAM(gpuvm_callbacks, gpuvm_picture_gen_params),
	KUNIT_CASE_PARAM(gpuvm_ops_list, gpuvm_picture_gen_params),
	KUNIT_CASE_PARAM(gpuvm_failing_step, gpuvm_picture_gen_params),
	KUNIT_CASE_PARAM(gpuvm_remap_hole, gpuvm_picture_gen_params),
	{ }
};

static struct kunit_suite gpuvm_picture_suite = {
	.name = "drm_gpuvm",
	.init = gpuvm_fixture_init,
	.exit = gpuvm_fixture_exit,
	.test_cases = gpuvm_picture_tests,
};

kunit_test_suite(gpuvm_picture_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM GPU VA manager");
MODULE_LICENSE("GPL");
