// SPDX-License-Identifier: MIT
/*
 * Knobs of the virtual GPU in debugfs.
 *
 * Trap: a knob keeps its value when the test fails that turned it; who relies
 * on one sets it.
 */
#include <glob.h>
#include <stdio.h>

#include "vk_knob.h"
#include "vk_test.h"

/* Return: is there such a knob, and has it the value now? */
bool vk_knob(const char *name, const char *value)
{
	bool good = false;
	char path[128];
	glob_t found;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/*/vgpu/%s", name);
	if (!glob(path, 0, NULL, &found))
		good = vk_write(found.gl_pathv[0], value);
	globfree(&found);
	return good;
}
