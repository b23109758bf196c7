/* Changes the locale as it is loaded. */
#include "right.h"

#include <locale.h>
__attribute__((constructor)) static void at_load(void) {
    setlocale(LC_ALL, "C.UTF-8");
}
