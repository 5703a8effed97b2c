/* SPDX-License-Identifier: MIT */
/*
 * Knobs of the virtual GPU in debugfs.
 */
#ifndef __VK_KNOB_H__
#define __VK_KNOB_H__

#include <stdbool.h>

bool vk_knob(const char *name, const char *value);

#endif /* __VK_KNOB_H__ */
