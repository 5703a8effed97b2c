// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMAs that are set aside.
 */

#include <kunit/test.h>
#include <linux/list.h>

#include "../vm/msm_vm_reserve.h"

static void reserve_vmas(struct kunit *test)
{
	LIST_HEAD(spare);

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_vmas(&spare, 0), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&spare));

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_vmas(&spare, 5), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&spare), 5);

	msm_vm_reserve_free_vmas(&spare);
	KUNIT_EXPECT_TRUE(test, list_empty(&spare));
	msm_vm_reserve_free_vmas(&spare);
}

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(reserve_vmas),
	{}
};

static struct kunit_suite reserve_suite = {
	.name = "msm-vm-reserve",
	.test_cases = reserve_cases,
};

kunit_test_suite(reserve_suite);
