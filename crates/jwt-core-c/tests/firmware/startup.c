/*
 * What a Cortex-M needs before main, and a way to print: Arm's semihosting, which QEMU answers.
 *
 * Arm DUI0471 for the calls; ARMv6-M Architecture Reference Manual, section B1.5, for the vectors.
 */
#include "startup.h"

extern uint32_t stack_top[], stack_bottom[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

/* What unused stack holds. */
static const uint32_t PAINT = 0xa5a55a5a;

static int32_t semihost(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

void print(const char *text) {
    semihost(0x04, text); /* SYS_WRITE0 */
}

void print_number(const char *name, uint32_t number) {
    char digits[11];
    char *at = digits + sizeof digits;
    *--at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    print(name);
    print(" ");
    print(at);
    print("\n");
}

/* Ends the emulation; any status but 0 is a failure of it. */
static _Noreturn void leave(int status) {
    /* SYS_EXIT with ADP_Stopped_ApplicationExit or ADP_Stopped_RunTimeErrorUnknown. */
    semihost(0x18, (const void *)(status == 0 ? 0x20026 : 0x20023));
    for (;;) {
    }
}

/* Returns how many bytes of the stack were ever used. */
uint32_t stack_used(void) {
    const uint32_t *at = stack_bottom;
    while (at < stack_top && *at == PAINT) {
        at++;
    }
    return (uint32_t)((const char *)stack_top - (const char *)at);
}

static _Noreturn void reset(void) {
    const uint32_t *from = data_load;
    volatile uint32_t *to;
    for (to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    /* Up to 64 bytes below what is in use, which this loop may need itself. */
    for (to = stack_bottom; to < (volatile uint32_t *)__builtin_frame_address(0) - 16; to++) {
        *to = PAINT;
    }
    leave(main());
}

static _Noreturn void fault(void) {
    print("fault\n");
    leave(1);
}

typedef void (*vector)(void);

extern const vector VECTORS[16];
__attribute__((section(".vectors"))) const vector VECTORS[16] = {
    (vector)(void *)stack_top, reset, fault, fault,
};
