// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operation log at each of its borders.
 */

#include <kunit/test.h>

#include "../vm/msm_vm_log.h"

static void log_borders(struct kunit *test)
{
	struct msm_vm_log_counts total;
	struct msm_vm_log_entry *seen;
	struct msm_vm_log *log;
	const u64 adds = *(const u64 *)test->param_value;
	u64 kept = min_t(u64, adds, MSM_VM_LOG_SIZE);

	log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);
	seen = kunit_kcalloc(test, MSM_VM_LOG_SIZE, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, log);
	KUNIT_ASSERT_NOT_NULL(test, seen);

	msm_vm_log_init(log);
	for (u64 i = 0; i < adds; i++) {
		const struct msm_pt_op op = {
			.iova = i * PAGE_SIZE,
			.range = PAGE_SIZE,
			.kind = i % 3,
		};

		msm_vm_log_bind(log, 3);
		msm_vm_log_add(log, &op, i + 1);
	}

	KUNIT_ASSERT_EQ(test, msm_vm_log_read(log, seen, &total), kept);
	KUNIT_EXPECT_EQ(test, total.binds, adds);
	KUNIT_EXPECT_EQ(test, total.requests, 3 * adds);
	KUNIT_EXPECT_EQ(test, total.total, adds);
	for (u64 i = 0; i < kept; i++) {
		u64 n = adds - kept + i;

		KUNIT_EXPECT_EQ(test, seen[i].iova, n * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, seen[i].range, PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, seen[i].kind, n % 3);
		KUNIT_EXPECT_EQ(test, seen[i].queue, n + 1);
	}
}

static const u64 counts[] = {
	0, 1, MSM_VM_LOG_SIZE - 1, MSM_VM_LOG_SIZE, MSM_VM_LOG_SIZE + 1,
	3 * MSM_VM_LOG_SIZE + 5,
};

static void count_desc(const u64 *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu added", *count);
}

KUNIT_ARRAY_PARAM(counts, counts, count_desc);

static struct kunit_case log_cases[] = {
	KUNIT_CASE_PARAM(log_borders, counts_gen_params),
	{}
};

static struct kunit_suite log_suite = {
	.name = "msm-vm-log",
	.test_cases = log_cases,
};

kunit_test_suite(log_suite);
