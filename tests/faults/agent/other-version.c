/* The two files are not of one build. */
#define PLUGIN_VERSION "2.0.0"
#include "right.h"
