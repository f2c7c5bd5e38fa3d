/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel warnings end a test, unless the test says that it expects them. */
#ifndef UNIT_LINUX_BUG_H
#define UNIT_LINUX_BUG_H

#include "unit.h"

#define WARN_ON_ONCE(condition) ({			\
	bool __warn = (condition);			\
							\
	if (__warn)					\
		unit_warn(__FILE__, __LINE__);		\
	__warn;						\
})

#endif
