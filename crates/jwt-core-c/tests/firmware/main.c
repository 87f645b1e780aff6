/* Signs with the example's functions, prints lines for an independent implementation to judge, and what they took. */
#include "../../examples/template.h"
#include "startup.h"

static char line[AUTHORIZATION_SIZE];

int main(void) {
    uint64_t now;
    if (start("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa", "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK") != JWT_OK) {
        return 1;
    }
    for (now = 1713225600; now < 1713225600 + 20; now++) {
        jwt_status status = authorization(now, line, sizeof line);
        if (status != JWT_OK) {
            /* Its sentence would bring all of them along. */
            print_number("status", (uint32_t)status);
            return 1;
        }
        print(line);
        print("\n");
    }
    print_number("stack", stack_used());
    stop();
    return 0;
}
