/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_DEBUGFS_H__
#define __MSM_VM_DEBUGFS_H__

struct seq_file;

int msm_vm_debugfs_show(struct seq_file *m, void *arg);

#endif /* __MSM_VM_DEBUGFS_H__ */
