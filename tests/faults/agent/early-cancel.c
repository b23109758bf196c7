/* A cancel before the start is forgotten. */
#define ON_CANCEL(run, out) run->cancelled = run->alive
#include "right.h"
