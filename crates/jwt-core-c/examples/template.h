/* Heymarket's Authorization line; see template.c. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "jwt_core.h"

/* Bytes of a line and its zero, for a secret's ID that is a UUID: 188. */
#define AUTHORIZATION_SIZE (JWT_BEARER_LINE_LEN(JWT_TOKEN_LEN(JWT_HEADER_LEN, JWT_ISS_IAT_LEN(36))) + 1)

/* Prepares for signing with a secret's ID and key, which need not stay. */
jwt_status start(const char *id, const char *secret);

/* Writes the line of a request that starts now, in Unix seconds, without CRLF. */
jwt_status authorization(uint64_t now, char *line, size_t size);

/* Forgets the key. */
void stop(void);

#endif
