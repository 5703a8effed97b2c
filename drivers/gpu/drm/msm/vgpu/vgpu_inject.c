// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the behaviour of the virtual Adreno at run time.
 *
 * What it holds: one debugfs file per field of struct vgpu_config, but for those
 * that are fixed when the module is loaded (ias, has_prr).  A write is checked
 * as a whole configuration and then given to the model, which also restarts the
 * counts of "the so-manyth access" and the like.  Another file, forget_inv, makes
 * the driver forget kinds of TLB invalidation, as a driver with a bug would.
 *
 * What it promises: a refused value leaves everything as it was.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mutex.h>

#include <drm/drm_device.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vgpu_config.h"
#include "vgpu_drv.h"
#include "vgpu_hw.h"
#include "vgpu_inject.h"
#include "vgpu_iommu.h"

/**
 * struct vgpu_inject_field - one number in struct vgpu_config
 * @name: of its file
 * @offset: in the struct, in bytes
 * @size: in bytes
 */
struct vgpu_inject_field {
	const char *name;
	size_t offset;
	size_t size;
};

#define VGPU_FIELD(type, field) {				\
	.name = #field,						\
	.offset = offsetof(struct vgpu_config, field),		\
	.size = sizeof(type),					\
}

static const struct vgpu_inject_field vgpu_inject_fields[] = {
	VGPU_FIELD(u64, seed),
	VGPU_FIELD(u32, tlb_entries),
	VGPU_FIELD(u32, tlb_evict_one_in),
	VGPU_FIELD(bool, tlb_strict),
	VGPU_FIELD(u32, packet_ns),
	VGPU_FIELD(u64, fault_at_access),
	VGPU_FIELD(u64, hang_at_packet),
	VGPU_FIELD(u64, lose_irq_at),
	VGPU_FIELD(bool, lose_hang_report),
	VGPU_FIELD(u32, false_starts),
	VGPU_FIELD(bool, tiles_as_linear),
	VGPU_FIELD(u64, watch_iova),
	VGPU_FIELD(u64, watch_size),
};

/**
 * struct vgpu_inject_file - a field of one GPU
 * @vgpu: the GPU
 * @drm: for messages
 * @field: the field
 */
struct vgpu_inject_file {
	struct vgpu *vgpu;
	struct drm_device *drm;
	const struct vgpu_inject_field *field;
};

static int vgpu_inject_get(void *data, u64 *value)
{
	struct vgpu_inject_file *file = data;
	struct vgpu *vgpu = file->vgpu;
	const void *at = (void *)&vgpu->config + file->field->offset;

	guard(mutex)(&vgpu->config_lock);

	switch (file->field->size) {
	case sizeof(bool):
		*value = *(const bool *)at;
		return 0;
	case sizeof(u32):
		*value = *(const u32 *)at;
		return 0;
	default:
		*value = *(const u64 *)at;
		return 0;
	}
}

/* Return: -EINVAL if the field is too small for the value */
static int vgpu_inject_store(struct vgpu_config *config,
			     const struct vgpu_inject_field *field, u64 value)
{
	void *at = (void *)config + field->offset;

	switch (field->size) {
	case sizeof(bool):
		if (value > 1)
			return -EINVAL;
		*(bool *)at = value;
		return 0;
	case sizeof(u32):
		if (value > U32_MAX)
			return -EINVAL;
		*(u32 *)at = value;
		return 0;
	default:
		*(u64 *)at = value;
		return 0;
	}
}

static int vgpu_inject_set(void *data, u64 value)
{
	struct vgpu_inject_file *file = data;
	struct vgpu *vgpu = file->vgpu;
	struct vgpu_config config;
	const char *reason;
	int ret;

	guard(mutex)(&vgpu->config_lock);

	config = vgpu->config;
	ret = vgpu_inject_store(&config, file->field, value);
	reason = ret ? "too large" : vgpu_config_check(&config);
	if (reason) {
		drm_dbg(file->drm, "%s = %llu: %s\n", file->field->name, value,
			reason);
		return -EINVAL;
	}

	vgpu->config = config;
	vgpu_hw_configure(vgpu->hw, &config);

	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(vgpu_inject_fops, vgpu_inject_get, vgpu_inject_set,
			 "%llu\n");

/**
 * vgpu_inject_debugfs() - make the files
 * @vgpu: the GPU
 * @drm: its DRM device, which owns the memory behind the files
 * @dir: where to put them
 */
void vgpu_inject_debugfs(struct vgpu *vgpu, struct drm_device *drm,
			 struct dentry *dir)
{
	struct vgpu_inject_file *files;

	files = drmm_kcalloc(drm, ARRAY_SIZE(vgpu_inject_fields),
			     sizeof(*files), GFP_KERNEL);
	if (!files)
		return;

	for (int i = 0; i < ARRAY_SIZE(vgpu_inject_fields); i++) {
		files[i].vgpu = vgpu;
		files[i].drm = drm;
		files[i].field = &vgpu_inject_fields[i];
		debugfs_create_file(files[i].field->name, 0600, dir, &files[i],
				    &vgpu_inject_fops);
	}

	debugfs_create_x32("forget_inv", 0600, dir,
			   vgpu_iommu_forget_inv(vgpu->smmu));
}
