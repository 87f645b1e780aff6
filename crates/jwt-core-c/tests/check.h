/* A check that goes on after a failure, and buffers whose surroundings are watched. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int checks;
static int failures;

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_TEXT(found, expected) check_text((found), (expected), __FILE__, __LINE__)

static void check_that(int holds, const char *what, const char *file, int line) {
    checks++;
    if (!holds) {
        failures++;
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    }
}

static inline void check_text(const char *found, const char *expected, const char *file, int line) {
    checks++;
    if (strcmp(found, expected) != 0) {
        failures++;
        fprintf(stderr, "%s:%d: found    %s\n    expected %s\n", file, line, found, expected);
    }
}

/* Ends a program: prints how much was checked. */
static int check_end(const char *name) {
    printf("%s: %d checks, %d failed\n", name, checks, failures);
    return failures == 0 ? 0 : 1;
}

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

/* Whether all `len` bytes have a value. */
static inline int all_are(const void *bytes, size_t len, unsigned char value) {
    const unsigned char *at = (const unsigned char *)bytes;
    size_t i;
    for (i = 0; i < len; i++) {
        if (at[i] != value) {
            return 0;
        }
    }
    return 1;
}

#endif
