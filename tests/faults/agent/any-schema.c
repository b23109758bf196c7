/* Has a schema of every type. */
#define IS_TYPE(type) 1
#include "right.h"
