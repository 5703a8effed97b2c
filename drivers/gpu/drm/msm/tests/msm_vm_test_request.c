// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of one VM_BIND op: a table of ops that must be accepted and one
 * of ops that must be refused, each with its reason.
 */

#include <kunit/test.h>
#include <linux/sizes.h>
#include <uapi/drm/msm_drm.h>

#include "../vm/msm_vm_request.h"
#include "../vm/msm_vm_uapi.h"

#define VA_START	0x100000000ULL
#define VA_SIZE		SZ_1G
#define VA_END		(VA_START + VA_SIZE)

#define MAP(_handle, _offset, _iova, _range) {			\
	.op = MSM_VM_BIND_OP_MAP, .handle = (_handle),		\
	.obj_offset = (_offset), .iova = (_iova), .range = (_range) }

#define UNMAP(_iova, _range) {					\
	.op = MSM_VM_BIND_OP_UNMAP, .iova = (_iova), .range = (_range) }

static const struct drm_msm_vm_bind_op accepted[] = {
	MAP(1, 0, VA_START, PAGE_SIZE),
	MAP(U32_MAX, 0, VA_START, PAGE_SIZE),
	MAP(1, 0, VA_START, VA_SIZE),
	MAP(1, 0, VA_END - PAGE_SIZE, PAGE_SIZE),
	/* the end of the BO is for resolve to check, the sum must not wrap */
	MAP(1, 0ULL - 2 * PAGE_SIZE, VA_START, PAGE_SIZE),
	UNMAP(VA_START, PAGE_SIZE),
	UNMAP(VA_START, VA_SIZE),
	{ .op = MSM_VM_BIND_OP_MAP_NULL, .iova = VA_START, .range = VA_SIZE },
	{ .op = MSM_VM_BIND_OP_MAP, .handle = 1, .flags = MSM_VM_BIND_OP_DUMP,
	  .iova = VA_START, .range = PAGE_SIZE },
	/* without effect, as in mainline */
	{ .op = MSM_VM_BIND_OP_UNMAP, .flags = MSM_VM_BIND_OP_DUMP,
	  .iova = VA_START, .range = PAGE_SIZE },
};

struct refused_op {
	const char *reason;
	struct drm_msm_vm_bind_op op;
};

static const struct refused_op refused[] = {
	{ "unknown op", { .op = 3, .iova = VA_START, .range = PAGE_SIZE } },
	{ "unknown op", { .op = U32_MAX, .iova = VA_START, .range = PAGE_SIZE } },
	{ "unknown op flags",
	  { .op = MSM_VM_BIND_OP_UNMAP, .flags = 2, .iova = VA_START,
	    .range = PAGE_SIZE } },
	{ "pad is not zero",
	  { .op = MSM_VM_BIND_OP_UNMAP, .pad = 1, .iova = VA_START,
	    .range = PAGE_SIZE } },
	{ "MAP without a handle", MAP(0, 0, VA_START, PAGE_SIZE) },
	{ "handle without MAP",
	  { .op = MSM_VM_BIND_OP_UNMAP, .handle = 1, .iova = VA_START,
	    .range = PAGE_SIZE } },
	{ "handle without MAP",
	  { .op = MSM_VM_BIND_OP_MAP_NULL, .handle = 1, .iova = VA_START,
	    .range = PAGE_SIZE } },
	{ "obj_offset without MAP",
	  { .op = MSM_VM_BIND_OP_MAP_NULL, .obj_offset = PAGE_SIZE,
	    .iova = VA_START, .range = PAGE_SIZE } },
	{ "obj_offset without MAP",
	  { .op = MSM_VM_BIND_OP_UNMAP, .obj_offset = PAGE_SIZE,
	    .iova = VA_START, .range = PAGE_SIZE } },
	{ "not page aligned", UNMAP(VA_START + 1, PAGE_SIZE) },
	{ "not page aligned", UNMAP(VA_START, PAGE_SIZE - 1) },
	{ "not page aligned", MAP(1, 8, VA_START, PAGE_SIZE) },
	{ "range is zero", UNMAP(VA_START, 0) },
	{ "range is zero", MAP(1, 0, VA_START, 0) },
	{ "iova + range wraps", UNMAP(0ULL - PAGE_SIZE, 2 * PAGE_SIZE) },
	{ "iova + range wraps", UNMAP(VA_START, 0ULL - PAGE_SIZE) },
	/* 2^64 itself is one too many */
	{ "iova + range wraps", UNMAP(0ULL - PAGE_SIZE, PAGE_SIZE) },
	{ "obj_offset + range wraps", MAP(1, 0ULL - PAGE_SIZE, VA_START, PAGE_SIZE) },
	{ "obj_offset + range wraps",
	  MAP(1, 0ULL - PAGE_SIZE, VA_START, 2 * PAGE_SIZE) },
	{ "outside of the VM", UNMAP(VA_START - PAGE_SIZE, PAGE_SIZE) },
	{ "outside of the VM", UNMAP(VA_START - PAGE_SIZE, 2 * PAGE_SIZE) },
	{ "outside of the VM", UNMAP(VA_END, PAGE_SIZE) },
	{ "outside of the VM", UNMAP(VA_END - PAGE_SIZE, 2 * PAGE_SIZE) },
	{ "outside of the VM", UNMAP(0, PAGE_SIZE) },
};

static void request_accepts(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(accepted); i++) {
		const struct drm_msm_vm_bind_op *op = &accepted[i];
		struct msm_vm_request req;
		const char *reason;

		KUNIT_EXPECT_EQ_MSG(test, 0,
				    msm_vm_request_parse(&req, op, VA_START,
							 VA_SIZE, &reason),
				    "op %d: %s", i, reason);
		KUNIT_EXPECT_EQ(test, req.map, op->op != MSM_VM_BIND_OP_UNMAP);
		KUNIT_EXPECT_EQ(test, req.null, op->op == MSM_VM_BIND_OP_MAP_NULL);
		KUNIT_EXPECT_EQ(test, req.flags, op->flags);
		KUNIT_EXPECT_EQ(test, req.handle, op->handle);
		KUNIT_EXPECT_EQ(test, req.iova, op->iova);
		KUNIT_EXPECT_EQ(test, req.range, op->range);
		KUNIT_EXPECT_EQ(test, req.offset, op->obj_offset);
		KUNIT_EXPECT_EQ(test, req.obj_end, op->obj_offset + op->range);
	}
}

static void request_refuses(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(refused); i++) {
		struct msm_vm_request req;
		const char *reason = NULL;
		int ret;

		ret = msm_vm_request_parse(&req, &refused[i].op, VA_START,
					   VA_SIZE, &reason);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "op %d", i);
		KUNIT_EXPECT_STREQ_MSG(test, reason ?: "(none)",
				       refused[i].reason, "op %d", i);
	}
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE(request_accepts),
	KUNIT_CASE(request_refuses),
	{}
};

static struct kunit_suite request_suite = {
	.name = "msm-vm-request",
	.test_cases = request_cases,
};

kunit_test_suite(request_suite);
