// SPDX-License-Identifier: GPL-2.0-only
/*
 * drm_gpuvm against a model that is too simple to be wrong in the same way.
 *
 * The model is a flat array: for each page of the VA space the request that
 * mapped it last, and what it shows.  A request just overwrites its pages.
 * Requests are never merged and a mapping is only ever cut, so
 *   - the mappings in the tree are the maximal runs of pages of one request;
 *   - the steps of a request are the runs that it changed: gone completely is
 *     an unmap, cut is a remap with what remains at either end, and
 *   - "keep" is a page that shows the same byte before and after the request,
 *     as if the request reached that far.
 * There is no case distinction about how a request and a mapping overlap.
 *
 * Two tests use it: all sequences of a few requests in a small VA space, and
 * long random ones with many mappings.
 */

#include <kunit/test.h>

#include <linux/prandom.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

/* @id: the request that mapped it, 0 for none */
struct gpuvm_page {
	struct drm_gem_object *obj;
	u64 offset;
	u32 id;
};

struct gpuvm_state {
	struct gpuvm_page page[GPUVM_FIXTURE_PAGES];
};

/* Pages [first, last], to map from @offset of @obj on or to unmap */
struct gpuvm_request {
	u32 first;
	u32 last;
	bool unmap;
	struct drm_gem_object *obj;
	u64 offset;
};

/* @pages: how much of the VA space the requests use */
struct gpuvm_model {
	struct gpuvm_fixture *fix;
	struct gpuvm_log *log;
	u32 pages;
	u32 ids;
	u32 requests;
	u32 wrong;
	struct gpuvm_step step[GPUVM_FIXTURE_STEPS];
	struct gpuvm_map map[GPUVM_FIXTURE_PAGES];
};

static struct gpuvm_model *gpuvm_model_create(struct kunit *test, u32 pages)
{
	struct gpuvm_model *model;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);

	model->fix = test->priv;
	model->pages = pages;
	model->log = gpuvm_log_create(model->fix);
	model->log->apply = true;
	gpuvm_fixture_create_vm(model->fix, 0, &gpuvm_fixture_ops);

	return model;
}

static u64 gpuvm_model_addr(u32 page)
{
	return GPUVM_FIXTURE_BASE + page * GPUVM_FIXTURE_PAGE;
}

/* Pages [first, end) of @state as a mapping; nothing if that is no page. */
static struct gpuvm_map gpuvm_model_map(const struct gpuvm_state *state,
					u32 first, u32 end)
{
	if (first == end)
		return (struct gpuvm_map) { };

	return (struct gpuvm_map) {
		.addr = gpuvm_model_addr(first),
		.range = (end - first) * GPUVM_FIXTURE_PAGE,
		.obj = state->page[first].obj,
		.offset = state->page[first].offset,
	};
}

/* The page after the run of @first. */
static u32 gpuvm_model_run(const struct gpuvm_model *model,
			   const struct gpuvm_state *state, u32 first)
{
	u32 end = first + 1;

	while (end < model->pages &&
	       state->page[end].id == state->page[first].id)
		end++;

	return end;
}

static void gpuvm_model_overwrite(struct gpuvm_model *model,
				  struct gpuvm_state *state,
				  const struct gpuvm_request *req)
{
	u32 i, id = req->unmap ? 0 : ++model->ids;

	for (i = req->first; i <= req->last; i++) {
		struct gpuvm_page *page = &state->page[i];

		*page = (struct gpuvm_page) { .id = id };
		if (req->unmap)
			continue;
		page->obj = req->obj;
		page->offset = req->offset +
			       (i - req->first) * GPUVM_FIXTURE_PAGE;
	}
}

/* What @req would show at the address of @page, if it reached that far */
static bool gpuvm_model_keeps(const struct gpuvm_request *req, u32 page,
			      const struct gpuvm_page *was)
{
	u64 distance = gpuvm_model_addr(page) - gpuvm_model_addr(req->first);

	return !req->unmap && was->obj && was->obj == req->obj &&
	       was->offset == req->offset + distance;
}

static u32 gpuvm_model_maps(struct gpuvm_model *model,
			    const struct gpuvm_state *state)
{
	u32 first, end, count = 0;

	for (first = 0; first < model->pages; first = end) {
		end = gpuvm_model_run(model, state, first);
		if (state->page[first].id)
			model->map[count++] = gpuvm_model_map(state, first, end);
	}

	return count;
}

/* The step that turns one run of @before into @after; false if none does. */
static bool gpuvm_model_step(const struct gpuvm_state *before,
			     const struct gpuvm_state *after,
			     const struct gpuvm_request *req,
			     u32 first, u32 end, struct gpuvm_step *step)
{
	u32 id = before->page[first].id;
	u32 left = first, right = end;

	while (left < end && after->page[left].id == id)
		left++;
	if (!id || left == end)
		return false;
	while (after->page[right - 1].id == id)
		right--;

	*step = (struct gpuvm_step) {
		.op = DRM_GPUVA_OP_UNMAP,
		.keep = gpuvm_model_keeps(req, first, &before->page[first]),
		.va = gpuvm_model_map(before, first, end),
		.prev = gpuvm_model_map(before, first, left),
		.next = gpuvm_model_map(before, right, end),
	};
	if (left > first || right < end)
		step->op = DRM_GPUVA_OP_REMAP;

	return true;
}

static u32 gpuvm_model_steps(struct gpuvm_model *model,
			     const struct gpuvm_state *before,
			     const struct gpuvm_state *after,
			     const struct gpuvm_request *req)
{
	u32 first, end, count = 0;

	for (first = 0; first < model->pages; first = end) {
		end = gpuvm_model_run(model, before, first);
		count += gpuvm_model_step(before, after, req, first, end,
					  &model->step[count]);
	}

	if (!req->unmap)
		model->step[count++] = (struct gpuvm_step) {
			.op = DRM_GPUVA_OP_MAP,
			.va = gpuvm_model_map(after, req->first, req->last + 1),
		};

	return count;
}

/* Page by page, through the interval tree */
static bool gpuvm_model_finds(struct gpuvm_model *model,
			      const struct gpuvm_state *state)
{
	struct drm_gpuvm *vm = model->fix->vm;
	struct drm_gpuva *va;
	u64 addr;
	u32 i;

	for (i = 0; i < model->pages; i++) {
		addr = gpuvm_model_addr(i);
		va = drm_gpuva_find_first(vm, addr, GPUVM_FIXTURE_PAGE);
		if (drm_gpuvm_interval_empty(vm, addr, GPUVM_FIXTURE_PAGE) !=
		    !state->page[i].id)
			return false;
		if (!va != !state->page[i].id)
			return false;
		if (va && va->gem.offset + (addr - va->va.addr) !=
			  state->page[i].offset)
			return false;
	}

	return true;
}

static void gpuvm_model_blame(struct gpuvm_model *model,
			      const struct gpuvm_request *req)
{
	model->wrong++;
	KUNIT_FAIL(model->fix->test,
		   "request %u: %s pages %u to %u, obj %p offset %llx\n",
		   model->requests, req->unmap ? "unmap" : "map",
		   req->first, req->last, req->obj, req->offset);
}

/* Let drm_gpuvm do @req too, and compare everything that can be seen. */
static void gpuvm_model_request(struct gpuvm_model *model,
				const struct gpuvm_state *before,
				struct gpuvm_state *after,
				const struct gpuvm_request *req)
{
	u64 range = (req->last - req->first + 1) * GPUVM_FIXTURE_PAGE;
	u64 addr = gpuvm_model_addr(req->first);
	struct drm_gpuvm *vm = model->fix->vm;
	u32 steps;
	bool same;
	int ret;

	memcpy(after->page, before->page,
	       model->pages * sizeof(after->page[0]));
	gpuvm_model_overwrite(model, after, req);
	steps = gpuvm_model_steps(model, before, after, req);

	gpuvm_log_reset(model->log);
	if (req->unmap)
		ret = drm_gpuvm_sm_unmap(vm, model->log, addr, range);
	else
		ret = drm_gpuvm_sm_map(vm, model->log, addr, range,
				       req->obj, req->offset);

	same = !ret && gpuvm_log_says(model->log, model->step, steps);
	same &= gpuvm_fixture_holds(model->fix, model->map,
				    gpuvm_model_maps(model, after));
	same &= gpuvm_model_finds(model, after);
	if (!same)
		gpuvm_model_blame(model, req);
	model->requests++;
}

/* Make the tree what @state says, without split and merge. */
static void gpuvm_model_restore(struct gpuvm_model *model,
				const struct gpuvm_state *state)
{
	u32 i, count = gpuvm_model_maps(model, state);

	gpuvm_fixture_clear(model->fix);
	for (i = 0; i < count; i++)
		gpuvm_fixture_insert(model->fix, &model->map[i]);
}

/*
 * All sequences of up to three requests.  A request unmaps a range, or maps it
 * in one of four ways: one of two objects, each at one of two distances between
 * offset and address.  More ways make no difference, because drm_gpuvm can only
 * ask whether an old mapping has the object and the distance of the request.
 *
 * It is enough to start with a map of the first way: the ways differ in names
 * only until there is something to compare with, and after an unmap of nothing
 * the sequence is just shorter.
 *
 * Three requests have six ends, and six ends can be in any order on five pages.
 * That is all drm_gpuvm can branch on.  Eight pages repeat it with lengths that
 * differ, for the sums; as that takes long, the page that the first map starts
 * at is a parameter.
 */
#define GPUVM_ALL_ORDERS	5
#define GPUVM_ALL_PAGES		8
#define GPUVM_ALL_REQUESTS	3
#define GPUVM_ALL_RANGES	(GPUVM_ALL_PAGES * (GPUVM_ALL_PAGES + 1) / 2)

static const u32 gpuvm_all_starts[GPUVM_ALL_PAGES] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static void gpuvm_all_desc(const u32 *start, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "first map at page %u", *start);
}

KUNIT_ARRAY_PARAM(gpuvm_all, gpuvm_all_starts, gpuvm_all_desc);

enum gpuvm_all_kind {
	GPUVM_ALL_MAP,
	GPUVM_ALL_MAP_MOVED,
	GPUVM_ALL_MAP_OTHER,
	GPUVM_ALL_MAP_OTHER_MOVED,
	GPUVM_ALL_UNMAP,
	GPUVM_ALL_KINDS,
};

/* @requests: number of elements of @request */
struct gpuvm_all {
	struct gpuvm_model *model;
	u32 requests;
	struct gpuvm_request request[GPUVM_ALL_KINDS * GPUVM_ALL_RANGES];
	struct gpuvm_state state[GPUVM_ALL_REQUESTS + 1];
};

static struct gpuvm_request gpuvm_all_request(struct gpuvm_all *all,
					      u32 first, u32 last,
					      enum gpuvm_all_kind kind)
{
	struct gpuvm_request req = { .first = first, .last = last };
	bool other = kind == GPUVM_ALL_MAP_OTHER ||
		     kind == GPUVM_ALL_MAP_OTHER_MOVED;
	bool moved = kind == GPUVM_ALL_MAP_MOVED ||
		     kind == GPUVM_ALL_MAP_OTHER_MOVED;

	req.unmap = kind == GPUVM_ALL_UNMAP;
	if (req.unmap)
		return req;

	req.obj = all->model->fix->bo[other];
	req.offset = (first + moved) * GPUVM_FIXTURE_PAGE;

	return req;
}

static struct gpuvm_all *gpuvm_all_create(struct kunit *test, u32 pages)
{
	enum gpuvm_all_kind kind;
	struct gpuvm_all *all;
	u32 first, last;

	all = kunit_kzalloc(test, sizeof(*all), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	all->model = gpuvm_model_create(test, pages);

	for (first = 0; first < pages; first++)
		for (last = first; last < pages; last++)
			for (kind = 0; kind < GPUVM_ALL_KINDS; kind++)
				all->request[all->requests++] =
					gpuvm_all_request(all, first, last,
							  kind);

	return all;
}

static void gpuvm_all_from(struct gpuvm_all *all, u32 depth)
{
	const struct gpuvm_state *before = &all->state[depth];
	u32 i;

	for (i = 0; i < all->requests; i++) {
		gpuvm_model_request(all->model, before, &all->state[depth + 1],
				    &all->request[i]);
		if (all->model->wrong)
			return;
		if (depth + 1 < GPUVM_ALL_REQUESTS)
			gpuvm_all_from(all, depth + 1);
		gpuvm_model_restore(all->model, before);
		cond_resched();
	}
}

/* All sequences whose first request maps from @first on */
static void gpuvm_all_start(struct gpuvm_all *all, u32 first)
{
	struct gpuvm_request req;
	u32 last;

	for (last = first; last < all->model->pages; last++) {
		req = gpuvm_all_request(all, first, last, GPUVM_ALL_MAP);
		gpuvm_model_request(all->model, &all->state[0], &all->state[1],
				    &req);
		gpuvm_all_from(all, 1);
		gpuvm_model_restore(all->model, &all->state[0]);
	}
}

static void gpuvm_all_orders(struct kunit *test)
{
	struct gpuvm_all *all = gpuvm_all_create(test, GPUVM_ALL_ORDERS);
	u32 first;

	for (first = 0; first < GPUVM_ALL_ORDERS; first++)
		gpuvm_all_start(all, first);
	kunit_info(test, "%u requests\n", all->model->requests);
}

static void gpuvm_all_sequences(struct kunit *test)
{
	struct gpuvm_all *all = gpuvm_all_create(test, GPUVM_ALL_PAGES);

	gpuvm_all_start(all, *(const u32 *)test->param_value);
	kunit_info(test, "%u requests\n", all->model->requests);
}

/* Long random sequences; the seed is the parameter. */
#define GPUVM_RANDOM_REQUESTS	20000

static const u64 gpuvm_seeds[] = { 1, 2, 3, 0x6d736d, 0x67707576 };

static void gpuvm_seed_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %llu", *seed);
}

KUNIT_ARRAY_PARAM(gpuvm_seed, gpuvm_seeds, gpuvm_seed_desc);

/* Mostly short, so that there are many mappings; sometimes nearly all. */
static void gpuvm_random_range(struct rnd_state *rnd, u32 pages,
			       struct gpuvm_request *req)
{
	u32 longest = prandom_u32_state(rnd) % 16 ? 6 : pages;

	req->first = prandom_u32_state(rnd) % pages;
	req->last = min(req->first + prandom_u32_state(rnd) % longest,
			pages - 1);
}

/* Offsets that are often, and not always, contiguous with the neighbours'. */
static void gpuvm_random_request(struct gpuvm_model *model,
				 struct rnd_state *rnd,
				 struct gpuvm_request *req)
{
	u32 bo = prandom_u32_state(rnd) % 8;
	u32 moved = prandom_u32_state(rnd) % 3;

	gpuvm_random_range(rnd, model->pages, req);
	req->unmap = prandom_u32_state(rnd) % 4 == 0;
	if (req->unmap)
		return;

	req->obj = bo ? model->fix->bo[bo % 3] : NULL;
	req->offset = (req->first + 5 * moved) * GPUVM_FIXTURE_PAGE;
}

static void gpuvm_random_sequence(struct kunit *test)
{
	struct gpuvm_model *model;
	struct gpuvm_state *state;
	struct gpuvm_request req;
	struct rnd_state rnd;
	u32 i;

	state = kunit_kcalloc(test, 2, sizeof(*state), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, state);
	model = gpuvm_model_create(test, GPUVM_FIXTURE_PAGES);
	prandom_seed_state(&rnd, *(const u64 *)test->param_value);

	for (i = 0; i < GPUVM_RANDOM_REQUESTS && !model->wrong; i++) {
		req = (struct gpuvm_request) { };
		gpuvm_random_request(model, &rnd, &req);
		gpuvm_model_request(model, &state[i % 2], &state[(i + 1) % 2],
				    &req);
		cond_resched();
	}
}

static struct kunit_case gpuvm_model_tests[] = {
	KUNIT_CASE(gpuvm_all_orders),
	KUNIT_CASE_PARAM_ATTR(gpuvm_all_sequences, gpuvm_all_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM(gpuvm_random_sequence, gpuvm_seed_gen_params),
	{ }
};

static struct kunit_suite gpuvm_model_suite = {
	.name = "drm_gpuvm_model",
	.init = gpuvm_fixture_init,
	.exit = gpuvm_fixture_exit,
	.test_cases = gpuvm_model_tests,
};

kunit_test_suite(gpuvm_model_suite);
