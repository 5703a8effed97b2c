// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints of the virtual Adreno's hardware half, instantiated here
 * once.  They are called with interrupts off and with the GPU's lock held.
 */
#define CREATE_TRACE_POINTS
#include "vgpu_hw_trace.h"
