/*
 * An API's authorization as a gateway in the field needs it: what to send, and what to do after the answer.
 *
 * Copy it, and call begin() after the start, before_request() and after_request() around each request. Any HTTP and
 * TLS stack will do.
 */
#include "session.h"

static jwt_session session;
static uint8_t kept[JWT_SLOTS_LEN];

/* Keeps the slots if they are not what was kept last. */
static void keep(void) {
    uint8_t slots[JWT_SLOTS_LEN];
    int differ = 0, i;
    if (jwt_session_slots(&session, slots) != JWT_OK) {
        return;
    }
    for (i = 0; i < JWT_SLOTS_LEN; i++) {
        differ |= slots[i] != kept[i];
        kept[i] = slots[i];
    }
    if (differ) {
        changed(slots);
    }
}

jwt_status begin(const jwt_credential *a, const jwt_credential *b, uint64_t build_secs, const uint8_t *slots) {
    jwt_session_config config;
    jwt_status status;
    config.api = JWT_TEXT("heymarket");
    config.build_secs = build_secs;
    config.floor_secs = 0;
    config.slots = slots;
    config.a = a;
    config.b = b;
    status = jwt_session_init(&session, sizeof session, &config);
    keep();
    return status;
}

jwt_status set_time(uint64_t unix_secs, uint64_t uptime_ms) {
    return jwt_session_set_clock(&session, unix_secs, JWT_SOURCE_SNTP, 0, uptime_ms);
}

jwt_status before_request(uint64_t uptime_ms, char *line, size_t size) {
    return jwt_session_authorize(&session, uptime_ms, line, size, NULL);
}

next after_request(int32_t status, jwt_text date, uint32_t retry_after_secs, uint64_t uptime_ms, uint32_t *wait_secs) {
    jwt_answer answer = {0, 0, 0, 0, 0, 0, 0, 0};
    jwt_decision decision;
    answer.status = status;
    answer.secure = 1;
    answer.date_secs = jwt_http_date_secs(date);
    answer.retry_after_secs = retry_after_secs;
    *wait_secs = 0;
    if (jwt_session_answered(&session, &answer, uptime_ms, &decision) != JWT_OK) {
        return NEXT_NEVER;
    }
    keep();
    *wait_secs = decision.after_secs;
    switch (decision.action) {
    case JWT_ACTION_ACCEPTED:
        return NEXT_DONE;
    case JWT_ACTION_CORRECT_CLOCK:
    case JWT_ACTION_SWITCH_SECRET:
        return NEXT_AGAIN;
    case JWT_ACTION_RETRY:
    case JWT_ACTION_CLOCK_WRONG:
    case JWT_ACTION_REFUSED:
        return NEXT_LATER;
    case JWT_ACTION_MAYBE_SENT:
        return NEXT_HOLD;
    default:
        return NEXT_NEVER;
    }
}
