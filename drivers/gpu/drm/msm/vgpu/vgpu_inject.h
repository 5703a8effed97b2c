/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the behaviour of the virtual Adreno at run time.
 */
#ifndef __VGPU_INJECT_H__
#define __VGPU_INJECT_H__

struct dentry;
struct drm_device;
struct vgpu;

void vgpu_inject_debugfs(struct vgpu *vgpu, struct drm_device *drm,
			 struct dentry *dir);

#endif /* __VGPU_INJECT_H__ */
