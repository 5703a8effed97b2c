// SPDX-License-Identifier: MIT
/*
 * Command streams for the Adreno command processor: the few PM4 packets that
 * read and write memory.
 *
 * All are type 7: a header with opcode, number of payload dwords and a parity
 * bit for each, then the payload.  Opcode numbers are those of the kernel's
 * register database (adreno_pm4.xml).
 */
#include "gpu_cmd.h"

enum {
	CP_NOP			= 0x10,
	CP_WAIT_MEM_WRITES	= 0x12,
	CP_WAIT_FOR_ME		= 0x13,
	CP_WAIT_MEM_GTE		= 0x14,
	CP_WAIT_FOR_IDLE	= 0x26,
	CP_MEM_WRITE		= 0x3d,
	CP_MEM_TO_MEM		= 0x73,
	CP_MEMCPY		= 0x75,
};

void gpu_cmd_dword(struct gpu_cmd *cmd, u32 value)
{
	if (cmd->count >= cmd->max) {
		cmd->overflow = true;
		return;
	}
	cmd->base[cmd->count++] = value;
}

/* The bit that makes the number of ones odd */
static u32 odd_parity(u32 value)
{
	return !__builtin_parity(value);
}

static void gpu_cmd_header(struct gpu_cmd *cmd, u32 op, u32 payload)
{
	gpu_cmd_dword(cmd, 7u << 28 | odd_parity(op) << 23 | op << 16 |
		      odd_parity(payload) << 15 | payload);
}

static void gpu_cmd_iova(struct gpu_cmd *cmd, u64 iova)
{
	gpu_cmd_dword(cmd, iova);
	gpu_cmd_dword(cmd, iova >> 32);
}

void gpu_cmd_nop(struct gpu_cmd *cmd, u32 payload)
{
	gpu_cmd_header(cmd, CP_NOP, payload);
	while (payload--)
		gpu_cmd_dword(cmd, 0);
}

/* *(u32 *)iova = value */
void gpu_cmd_mem_write(struct gpu_cmd *cmd, u64 iova, u32 value)
{
	gpu_cmd_header(cmd, CP_MEM_WRITE, 3);
	gpu_cmd_iova(cmd, iova);
	gpu_cmd_dword(cmd, value);
}

/* *(u32 *)dst = *(u32 *)src */
void gpu_cmd_mem_to_mem(struct gpu_cmd *cmd, u64 dst, u64 src)
{
	gpu_cmd_header(cmd, CP_MEM_TO_MEM, 5);
	gpu_cmd_dword(cmd, 0);
	gpu_cmd_iova(cmd, dst);
	gpu_cmd_iova(cmd, src);
}

/* *(u32 *)dst += *(u32 *)src */
void gpu_cmd_add(struct gpu_cmd *cmd, u64 dst, u64 src)
{
	gpu_cmd_header(cmd, CP_MEM_TO_MEM, 7);
	gpu_cmd_dword(cmd, 0);
	gpu_cmd_iova(cmd, dst);
	gpu_cmd_iova(cmd, dst);
	gpu_cmd_iova(cmd, src);
}

void gpu_cmd_memcpy(struct gpu_cmd *cmd, u64 dst, u64 src, u32 dwords)
{
	gpu_cmd_header(cmd, CP_MEMCPY, 5);
	gpu_cmd_dword(cmd, dwords);
	gpu_cmd_iova(cmd, src);
	gpu_cmd_iova(cmd, dst);
}

/* Stand still until *(u32 *)iova >= ref */
void gpu_cmd_wait_mem_gte(struct gpu_cmd *cmd, u64 iova, u32 ref)
{
	gpu_cmd_header(cmd, CP_WAIT_MEM_GTE, 4);
	gpu_cmd_dword(cmd, 0);
	gpu_cmd_iova(cmd, iova);
	gpu_cmd_dword(cmd, ref);
}

/* Later packets see the memory that earlier ones wrote. */
void gpu_cmd_drain(struct gpu_cmd *cmd)
{
	gpu_cmd_header(cmd, CP_WAIT_MEM_WRITES, 0);
	gpu_cmd_header(cmd, CP_WAIT_FOR_IDLE, 0);
	gpu_cmd_header(cmd, CP_WAIT_FOR_ME, 0);
}
