// SPDX-License-Identifier: GPL-2.0-only
/*
 * What io-pgtable-arm itself takes for a page: the floor under the page-table
 * half of VM_BIND, which `make bench` measures against.
 *
 * A bare loop of map_pages() and unmap_pages() over a range whose tables exist,
 * in calls of so many pages.  Memory in one piece is mapped in long calls, pages
 * here and there need a call each.  Figures are nanoseconds of the guest's
 * clock; in `make bench` that is instructions.
 *
 * The tests pass or fail by what the loop leaves in the table, not by the time
 * it took.  They are marked slow, which leaves them to `make bench` where the CPU
 * is emulated.
 */

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sizes.h>

#define FLOOR_IOVA	SZ_4G
#define FLOOR_PHYS	SZ_8G
#define FLOOR_SIZE	SZ_64M
#define FLOOR_PAGES	(FLOOR_SIZE >> PAGE_SHIFT)
#define FLOOR_PROT	(IOMMU_READ | IOMMU_WRITE)

/* Nothing caches what is in the table. */
static void no_flush(void *cookie)
{
}

static void no_flush_walk(unsigned long iova, size_t size, size_t granule,
			  void *cookie)
{
}

static void no_add_page(struct iommu_iotlb_gather *gather, unsigned long iova,
			size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops no_tlb = {
	.tlb_flush_all = no_flush,
	.tlb_flush_walk = no_flush_walk,
	.tlb_add_page = no_add_page,
};

static void free_table(void *ops)
{
	free_io_pgtable_ops(ops);
}

/* As msm_pgtable.c has it: leaves of a page, walks that see the CPU's cache */
static struct io_pgtable_ops *make_table(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "msm-vm-floor");
	struct io_pgtable_cfg cfg = {
		.pgsize_bitmap = PAGE_SIZE,
		.ias = 48,
		.oas = 48,
		.coherent_walk = true,
		.tlb = &no_tlb,
		.iommu_dev = dev,
	};
	struct io_pgtable_ops *ops;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &cfg, NULL);
	KUNIT_ASSERT_NOT_NULL(test, ops);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_table, ops));

	return ops;
}

/* Return: bytes mapped, in calls of @count pages that make whole calls. */
static u64 map_all(struct io_pgtable_ops *ops, size_t count)
{
	u64 done = 0;

	while (done < FLOOR_SIZE) {
		size_t mapped = 0;
		int ret = ops->map_pages(ops, FLOOR_IOVA + done,
					 FLOOR_PHYS + done, PAGE_SIZE, count,
					 FLOOR_PROT, GFP_KERNEL, &mapped);

		done += mapped;
		if (ret || !mapped)
			break;
	}

	return done;
}

static u64 unmap_all(struct io_pgtable_ops *ops, size_t count)
{
	u64 done = 0;

	while (done < FLOOR_SIZE) {
		size_t unmapped = ops->unmap_pages(ops, FLOOR_IOVA + done,
						   PAGE_SIZE, count, NULL);

		if (!unmapped)
			break;
		done += unmapped;
	}

	return done;
}

static void say(struct kunit *test, const char *what, size_t count, u64 ns)
{
	u64 hundredths = div_u64(ns * 100, FLOOR_PAGES);
	u32 rest;
	u64 whole = div_u64_rem(hundredths, 100, &rest);

	kunit_info(test, "BENCH floor_%s_%zu %llu.%02u\n", what, count, whole,
		   rest);
}

static void floor_cost(struct kunit *test)
{
	size_t count = *(const size_t *)test->param_value;
	struct io_pgtable_ops *ops = make_table(test);
	const u64 last = FLOOR_SIZE - PAGE_SIZE;
	u64 start, map, unmap;

	/* The tables of this first round stay. */
	KUNIT_ASSERT_EQ(test, FLOOR_SIZE, map_all(ops, count));
	KUNIT_ASSERT_EQ(test, FLOOR_SIZE, unmap_all(ops, count));

	start = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, FLOOR_SIZE, map_all(ops, count));
	map = ktime_get_ns() - start;
	KUNIT_EXPECT_EQ(test, FLOOR_PHYS + last,
			ops->iova_to_phys(ops, FLOOR_IOVA + last));

	start = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, FLOOR_SIZE, unmap_all(ops, count));
	unmap = ktime_get_ns() - start;
	KUNIT_EXPECT_EQ(test, 0, ops->iova_to_phys(ops, FLOOR_IOVA + last));

	say(test, "map", count, map);
	say(test, "unmap", count, unmap);
}

static const size_t counts[] = { 1, 8, 64, 512 };

static void describe(const size_t *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "calls of %zu", *count);
}

KUNIT_ARRAY_PARAM(floor, counts, describe);

static struct kunit_case floor_cases[] = {
	KUNIT_CASE_PARAM_ATTR(floor_cost, floor_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite floor_suite = {
	.name = "msm-vm-floor",
	.test_cases = floor_cases,
};

kunit_test_suite(floor_suite);
