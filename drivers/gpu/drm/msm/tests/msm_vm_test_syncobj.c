// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of one syncobj entry: what in- and out-syncobjs may say, with and
 * without timelines.
 */

#include <kunit/test.h>
#include <uapi/drm/msm_drm.h>

#include "../msm_syncobj.h"

struct entry {
	struct drm_msm_syncobj desc;
	u32 flags;
	bool timeline;
	int ret;
	const char *reason;
};

static const struct entry entries[] = {
	{ {}, 0, false, 0 },
	{ { .handle = U32_MAX }, 0, false, 0 },
	{ { .flags = MSM_SYNCOBJ_RESET }, MSM_SYNCOBJ_FLAGS, false, 0 },
	{ { .point = 1 }, 0, true, 0 },
	{ { .flags = MSM_SYNCOBJ_RESET, .point = U64_MAX }, MSM_SYNCOBJ_FLAGS,
	  true, 0 },
	{ { .flags = MSM_SYNCOBJ_RESET }, 0, true, -EINVAL, "unknown flags" },
	{ { .flags = 2 }, MSM_SYNCOBJ_FLAGS, true, -EINVAL, "unknown flags" },
	{ { .flags = BIT(31) | MSM_SYNCOBJ_RESET }, MSM_SYNCOBJ_FLAGS, true,
	  -EINVAL, "unknown flags" },
	{ { .point = 1 }, 0, false, -EOPNOTSUPP, "point without timelines" },
	/* only the upper half is set */
	{ { .point = BIT_ULL(32) }, MSM_SYNCOBJ_FLAGS, false, -EOPNOTSUPP,
	  "point without timelines" },
	{ { .flags = 2, .point = 1 }, MSM_SYNCOBJ_FLAGS, false, -EINVAL,
	  "unknown flags" },
};

static void syncobj_check(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(entries); i++) {
		const struct entry *entry = &entries[i];
		const char *reason = NULL;
		int ret;

		ret = msm_syncobj_check(&entry->desc, entry->flags,
					entry->timeline, &reason);
		KUNIT_EXPECT_EQ_MSG(test, ret, entry->ret, "entry %d", i);
		KUNIT_EXPECT_STREQ_MSG(test, reason ?: "(none)",
				       entry->reason ?: "(none)", "entry %d", i);
	}
}

static struct kunit_case syncobj_cases[] = {
	KUNIT_CASE(syncobj_check),
	{}
};

static struct kunit_suite syncobj_suite = {
	.name = "msm-syncobj",
	.test_cases = syncobj_cases,
};

kunit_test_suite(syncobj_suite);
