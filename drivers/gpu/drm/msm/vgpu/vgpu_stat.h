/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the virtual Adreno counted, as text.
 */
#ifndef __VGPU_STAT_H__
#define __VGPU_STAT_H__

struct dentry;
struct drm_device;
struct vgpu;

void vgpu_stat_debugfs(struct vgpu *vgpu, struct drm_device *drm,
		       struct dentry *dir);

#endif /* __VGPU_STAT_H__ */
