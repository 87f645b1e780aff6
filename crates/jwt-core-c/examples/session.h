/* One API's authorization through clocks that are wrong and secrets that are revoked; see session.c. */
#ifndef SESSION_H
#define SESSION_H

#include "jwt_core.h"

/* What comes next. */
typedef enum next {
    NEXT_DONE,  /* the server has it */
    NEXT_AGAIN, /* ask for a line and send again at once */
    NEXT_LATER, /* ask for a line and send again after so many seconds and a backoff of your own */
    NEXT_HOLD,  /* the server may have it already: sending it again may do it twice */
    NEXT_NEVER  /* sending the same again is of no use: tell somebody */
} next;

/* Begins with two secrets of Heymarket's; `slots` are the bytes that `changed` was last given, or null. */
jwt_status begin(const jwt_credential *a, const jwt_credential *b, uint64_t build_secs, const uint8_t *slots);

/* Takes the present from SNTP. */
jwt_status set_time(uint64_t unix_secs, uint64_t uptime_ms);

/* Writes the line of an alert that is sent now, without CRLF; JWT_LINE_SIZE bytes are enough. */
jwt_status before_request(uint64_t uptime_ms, char *line, size_t size);

/* Learns from the answer over TLS: its status, and its Date header, empty if there is none. */
next after_request(int32_t status, jwt_text date, uint32_t retry_after_secs, uint64_t uptime_ms, uint32_t *wait_secs);

/* The firmware's: keeps the record of the slots in flash. */
void changed(const uint8_t slots[JWT_SLOTS_LEN]);

#endif
