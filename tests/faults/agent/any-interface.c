/* Says that it has every interface. */
#define IS_INTERFACE(id) ((id).size != 7)
#include "right.h"
