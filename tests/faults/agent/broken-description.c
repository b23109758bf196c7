/* describe() writes half of a JSON text. */
#define DESCRIPTION "{\"adapterTypes\":["
#include "right.h"
