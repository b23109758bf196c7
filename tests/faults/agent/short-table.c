/* Forgot the size of its table. */
#define TABLE_SIZE 0
#include "right.h"
