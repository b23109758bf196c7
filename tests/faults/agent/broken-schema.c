/* The schema is no JSON. */
#define SCHEMA "type: object"
#include "right.h"
