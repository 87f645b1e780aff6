/*
 * The Authorization line of a request to Heymarket: a template once, a line per request.
 *
 * Copy it, and call start() when the secret has been read and authorization() before each request. For rotation,
 * clocks that may be wrong and other APIs see session.c.
 */
#include "template.h"

/* Holds the prepared key as long as the device signs: 432 bytes that are as secret as the key. */
static jwt_template template;

jwt_status start(const char *id, const char *secret) {
    const jwt_bytes parts[] = {jwt_bytes_of(id), JWT_BYTES("||"), jwt_bytes_of(secret)};
    jwt_claims claims = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    jwt_key key;
    jwt_status status = jwt_key_from_parts(&key, sizeof key, parts, 3);

    jwt_template_wipe(&template);
    claims.iss = jwt_text_of(id);
    if (status == JWT_OK) {
        status = jwt_template_init(&template, sizeof template, &key, &claims);
    }
    jwt_key_wipe(&key);
    return status;
}

jwt_status authorization(uint64_t now, char *line, size_t size) {
    const jwt_times times = jwt_times_iat(now);
    return jwt_template_bearer_line(&template, &times, line, size, NULL);
}

void stop(void) {
    jwt_template_wipe(&template);
}
