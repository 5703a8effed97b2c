// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the private line from the GPU driver to the virtual SMMU, as far as it
 * drives the PRR page.
 *
 * The driver's side is what msm_iommu.c would call; the witness is a GPU that
 * reads and writes through a mapping of the page.
 */
#include <linux/adreno-smmu-priv.h>
#include <linux/iommu.h>
#include <linux/sizes.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_domain.h"
#include "../vgpu/vgpu_hw_xml.h"

#define OLD_WORD	0x12345678U
#define NEW_WORD	5U

/**
 * struct client - a GPU behind the virtual SMMU
 * @vt: the machine with the hardware half
 * @smmu: the driver's half of the SMMU
 * @iommu: what the IOMMU core would give the device
 * @priv: the private line, filled by the attach
 * @domain: the kernel's address space
 * @page: a page that the GPU has mapped at %VT_NOTHING_IOVA
 */
struct client {
	struct vt *vt;
	struct vgpu_smmu smmu;
	struct dev_iommu iommu;
	struct adreno_smmu_priv priv;
	struct iommu_domain *domain;
	u32 *page;
};

static void client_free_domain(void *data)
{
	struct client *client = data;

	vgpu_domain_ops.free(client->domain);
}

static struct client *client_create(struct kunit *test, bool has_prr)
{
	struct client *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);
	struct device *dev;

	KUNIT_ASSERT_NOT_NULL(test, client);
	dev = kunit_device_register(test, "vgpu-test-client");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	client->vt = vt_create(test, NULL);
	client->page = vt_page(test);
	vt_map(client->vt, VT_NOTHING_IOVA, client->page,
	       IOMMU_READ | IOMMU_WRITE);

	spin_lock_init(&client->smmu.lock);
	client->smmu.dev = dev;
	client->smmu.hw = client->vt->hw;
	client->smmu.ias = 48;
	client->smmu.has_prr = has_prr;
	client->iommu.priv = &client->smmu;
	dev->iommu = &client->iommu;
	dev_set_drvdata(dev, &client->priv);

	client->domain = vgpu_domain_alloc_paging(dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client->domain);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, client_free_domain,
							   client));
	KUNIT_ASSERT_EQ(test, 0, vgpu_domain_ops.attach_dev(client->domain, dev));

	return client;
}

static void client_set_prr(struct client *client, phys_addr_t page, bool on)
{
	client->priv.set_prr_addr(client->priv.cookie, page);
	client->priv.set_prr_bit(client->priv.cookie, on);
}

/*
 * Does the GPU read zero from the page, and lose what it writes to it?  The
 * tables are the machine's own, whatever the domain put into the context bank.
 */
static bool client_page_is_special(struct client *client)
{
	struct vt *vt = client->vt;
	struct vgpu_hw_cb cb = {
		.ttbr = {
			vt->user.cfg.arm_lpae_s1_cfg.ttbr,
			vt->kernel.cfg.arm_lpae_s1_cfg.ttbr,
		},
		.tcr = vt_tcr(&vt->user, &vt->kernel),
	};
	bool read_zero, kept_old;

	vgpu_hw_smmu_write_cb(vt->hw, &cb);
	vgpu_hw_tlb_inv_all(vt->hw);
	client->page[0] = OLD_WORD;
	vt->data[0] = 1;
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 5), 0,
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_NOTHING_IOVA), VT_HI(VT_NOTHING_IOVA));
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_NOTHING_IOVA),
	      VT_HI(VT_NOTHING_IOVA), NEW_WORD);
	vt_run_ib(vt);

	KUNIT_EXPECT_EQ(vt->test, 0, atomic_read(&vt->faults));
	read_zero = !vt->data[0];
	kept_old = client->page[0] == OLD_WORD;
	KUNIT_EXPECT_EQ(vt->test, read_zero, kept_old);
	KUNIT_EXPECT_EQ(vt->test, read_zero ? 0 : OLD_WORD, vt->data[0]);
	KUNIT_EXPECT_EQ(vt->test, kept_old ? OLD_WORD : NEW_WORD, client->page[0]);

	return read_zero;
}

/* Address and bit are both needed, and either can be taken back. */
static void prr_follows_the_driver(struct kunit *test)
{
	struct client *client = client_create(test, true);
	phys_addr_t page = virt_to_phys(client->page);
	/* One that the machine does not need: its ring is somebody's neighbor. */
	phys_addr_t other = virt_to_phys(vt_page(test));

	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
	client_set_prr(client, page, false);
	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
	client_set_prr(client, page, true);
	KUNIT_EXPECT_TRUE(test, client_page_is_special(client));
	client_set_prr(client, other, true);
	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
	client_set_prr(client, page, true);
	KUNIT_EXPECT_TRUE(test, client_page_is_special(client));
	client_set_prr(client, 0, false);
	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
}

/* Power goes and comes back; a setting made in between counts as well. */
static void prr_survives_suspend(struct kunit *test)
{
	struct client *client = client_create(test, true);
	phys_addr_t page = virt_to_phys(client->page);

	client_set_prr(client, page, true);
	vgpu_smmu_lose_power(&client->smmu);
	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
	vgpu_smmu_restore_cb(&client->smmu);
	KUNIT_EXPECT_TRUE(test, client_page_is_special(client));

	vgpu_smmu_lose_power(&client->smmu);
	client_set_prr(client, 0, false);
	vgpu_smmu_restore_cb(&client->smmu);
	KUNIT_EXPECT_FALSE(test, client_page_is_special(client));
}

static void prr_is_not_offered(struct kunit *test)
{
	struct client *client = client_create(test, false);

	KUNIT_EXPECT_NULL(test, client->priv.set_prr_addr);
	KUNIT_EXPECT_NULL(test, client->priv.set_prr_bit);
	KUNIT_EXPECT_NOT_NULL(test, client->priv.set_ttbr0_cfg);
}

static struct kunit_case iommu_tests[] = {
	KUNIT_CASE(prr_follows_the_driver),
	KUNIT_CASE(prr_survives_suspend),
	KUNIT_CASE(prr_is_not_offered),
	{}
};

static struct kunit_suite iommu_suite = {
	.name = "vgpu-iommu",
	.test_cases = iommu_tests,
};

kunit_test_suite(iommu_suite);
