/* Its plugin.json has another id than its folder: see the build. */
#include "right.h"
