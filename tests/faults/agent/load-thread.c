/* Starts a thread as it is loaded. */
#include "right.h"

#include <pthread.h>
#include <unistd.h>
static void* wait_for_ever(void* nothing) {
    for (;;) pause();
    return nothing;
}
__attribute__((constructor)) static void at_load(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
}
