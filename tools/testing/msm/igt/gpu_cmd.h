/* SPDX-License-Identifier: MIT */
#ifndef __GPU_CMD_H__
#define __GPU_CMD_H__

#include "gpu_types.h"

/**
 * struct gpu_cmd - a command stream under construction
 * @base: CPU address of its first dword
 * @count: dwords written
 * @max: dwords that fit; what comes after is dropped and @overflow set
 */
struct gpu_cmd {
	u32 *base;
	u32 count;
	u32 max;
	bool overflow;
};

void gpu_cmd_dword(struct gpu_cmd *cmd, u32 value);
void gpu_cmd_nop(struct gpu_cmd *cmd, u32 payload);
void gpu_cmd_mem_write(struct gpu_cmd *cmd, u64 iova, u32 value);
void gpu_cmd_mem_to_mem(struct gpu_cmd *cmd, u64 dst, u64 src);
void gpu_cmd_add(struct gpu_cmd *cmd, u64 dst, u64 src);
void gpu_cmd_memcpy(struct gpu_cmd *cmd, u64 dst, u64 src, u32 dwords);
void gpu_cmd_wait_mem_gte(struct gpu_cmd *cmd, u64 iova, u32 ref);
void gpu_cmd_drain(struct gpu_cmd *cmd);

#endif /* __GPU_CMD_H__ */
