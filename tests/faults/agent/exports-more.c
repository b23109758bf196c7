/* A second symbol goes out. */
#include "right.h"
PC_EXPORT void helper_of_mine(void);
void helper_of_mine(void) {}
