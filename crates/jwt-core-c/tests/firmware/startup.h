/* What startup.c offers to a program, and wants of it. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

/* Runs after a reset; what it returns ends the emulation, well if it is 0. */
int main(void);

/* Prints text, or a name, a number and a line end. */
void print(const char *text);
void print_number(const char *name, uint32_t number);

/* Returns the stack's high-water mark in bytes. */
uint32_t stack_used(void);

#endif
