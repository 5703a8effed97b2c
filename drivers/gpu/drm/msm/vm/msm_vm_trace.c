// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bodies of the tracepoints that msm_vm_trace.h describes.
 *
 * Nothing else: a header that makes code of itself can do so only once.
 */

#define CREATE_TRACE_POINTS
#include "msm_vm_trace.h"
