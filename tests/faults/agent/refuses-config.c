/* Wants a member that its schema does not ask for. */
#define ON_OPEN(request, run)                   \
    (void)request;                              \
    strcpy(error->message, "secret: required"); \
    free(run);                                  \
    *out = NULL;                                \
    return PC_INVALID
#include "right.h"
