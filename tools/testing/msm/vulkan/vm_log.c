// SPDX-License-Identifier: MIT
/*
 * What the kernel says about the address space of this process.
 *
 * Trap: turnip opens the GPU twice, once to look at it and once for the
 * device.  Only one of the two address spaces was ever edited.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vk_test.h"
#include "vm_log.h"

#define DEBUGFS	"/sys/kernel/debug/dri/*/"

/* Open the first file of this name below the folders of the GPUs. */
static FILE *debugfs(const char *name)
{
	char pattern[128];
	FILE *file = NULL;
	glob_t found;

	snprintf(pattern, sizeof(pattern), DEBUGFS "%s", name);
	if (glob(pattern, 0, NULL, &found))
		return NULL;
	for (size_t i = 0; !file && i < found.gl_pathc; i++)
		file = fopen(found.gl_pathv[i], "r");
	globfree(&found);
	return file;
}

static enum vm_edit_kind kind_of(const char *word)
{
	if (!strcmp(word, "map"))
		return VM_MAP;
	return strcmp(word, "map-null") ? VM_UNMAP : VM_NULL;
}

/* An edit, of which those before @next are known; without room it is missing. */
static void take_edit(struct vm_log *log, u64 number, u64 next,
		      const struct vm_edit *edit)
{
	if (number < next)
		return;
	if (log->count == VM_LOG_EDITS)
		log->missing++;
	else
		log->edits[log->count++] = *edit;
}

/**
 * struct vm_text - one VM in debugfs, line by line
 * @ours: of this process, and edited
 * @total: edits of it
 * @lines: the last of them
 * @count: of @lines
 */
struct vm_text {
	bool ours;
	u64 total;
	struct vm_edit lines[1024];
	u32 count;
};

static void take_line(struct vm_log *log, struct vm_text *vm,
		      const char *line)
{
	struct vm_edit edit;
	char word[16];
	u64 a, b, c;
	int pid;

	if (sscanf(line, "VM of pid %d", &pid) == 1) {
		vm->ours = pid == getpid();
	} else if (!vm->ours) {
		return;
	} else if (sscanf(line, "  page tables: %lu", &a) == 1) {
		log->tables = vm->total ? log->tables : a;
	} else if (sscanf(line, "  mappings: %lu", &a) == 1) {
		log->mappings = vm->total ? log->mappings : a;
	} else if (sscanf(line, "  binds: %lu, operations: %lu, edits: %lu",
			  &a, &b, &c) == 3) {
		vm->ours = c;
		vm->total += c;
		log->binds += a;
		log->operations += b;
	} else if (sscanf(line, "  log: %15[a-z-]:%u: %lx-%lx", word,
			  &edit.queue, &edit.start, &edit.end) == 4 &&
		   vm->count < ARRAY_SIZE(vm->lines)) {
		edit.kind = kind_of(word);
		vm->lines[vm->count++] = edit;
	}
}

/* Read what is new; Return: could it be read? */
bool vm_log_read(struct vm_log *log)
{
	u64 known = log->count + log->missing, first;
	FILE *file = debugfs("vm");
	struct vm_text vm = {};
	char line[256];

	if (!file)
		return false;
	log->binds = 0;
	log->operations = 0;
	while (fgets(line, sizeof(line), file))
		take_line(log, &vm, line);
	fclose(file);

	first = vm.total - vm.count;
	if (first > known)
		log->missing += first - known;
	for (u32 i = 0; i < vm.count; i++)
		take_edit(log, first + i, known, &vm.lines[i]);
	return vm.total;
}

/* Bytes of all edits of a kind */
u64 vm_log_bytes(const struct vm_log *log, enum vm_edit_kind kind)
{
	u64 bytes = 0;

	for (u32 i = 0; i < log->count; i++)
		if (log->edits[i].kind == kind)
			bytes += log->edits[i].end - log->edits[i].start;
	return bytes;
}

/* How many address spaces there are, of all processes */
u64 vm_log_vms(void)
{
	FILE *file = debugfs("vm");
	char line[256];
	u64 count = 0;

	if (!file)
		vk_fail("debugfs does not show address spaces (not root?)");
	while (fgets(line, sizeof(line), file))
		count += !strncmp(line, "VM of pid ", 10);
	fclose(file);
	return count;
}

/* A count of the virtual GPU; 0 where the GPU is a real one */
u64 vm_log_stat(const char *name)
{
	FILE *file = debugfs("vgpu/stats");
	size_t length = strlen(name);
	char line[256];
	u64 value = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ' ')
			value = strtoull(line + length, NULL, 10);
	fclose(file);
	return value;
}
