/* describe() names a type that plugin.json does not. */
#define DESCRIPTION "{\"adapterTypes\":[{\"type\":\"surprise\"}]}"
#include "right.h"
