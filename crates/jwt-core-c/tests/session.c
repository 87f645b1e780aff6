/*
 * Sessions: the line of every API, the cache, the clock, failover, rotation, and the decision after an answer.
 *
 * Expected lines are the vendors' documented forms; the tokens but Heymarket's published one are made with OpenSSL,
 * as tokens.c says.
 */
#include "jwt_core.h"

#include "check.h"

#define HEYMARKET_ID "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
#define HEYMARKET_KEY "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
#define SECOND_ID "b7c8d9e0-1111-4222-8333-444455556666"
#define SECOND_KEY "Zk3Qn8WvT5rYp2LxJ6mHc9Gd4FbSa7Ue"
#define KID "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define HEYMARKET_LINE                                                                                         \
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                              \
    "eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9."                    \
    "sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0"
#define SECOND_LINE                                                                                            \
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                              \
    "eyJpc3MiOiJiN2M4ZDllMC0xMTExLTQyMjItODMzMy00NDQ0NTU1NTY2NjYiLCJpYXQiOjE3MTMyMjU2MDB9."                    \
    "P-HWLu5JB4m6YFZQKiYkYTLWHR6tvowlO3zZZj1JLcY"
#define KEY_ID_LINE                                                                                            \
    "Authorization: Bearer "                                                                                   \
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjNmMjUwNGUwLTRmODktNDFkMy05YTBjLTAzMDVlODJjMzMwMSIsInR5cCI6IkpXVCJ9."        \
    "eyJleHAiOjE3MTMyMjkyMDB9.NiSHgcPE5RyXPNdX3HYbMP5wLBH_oh5I2URAC9q516Y"

enum { BUILT = 1712000000, NOW = 1713225600 };

static jwt_credential credential_of(const char *id, const char *key) {
    jwt_credential credential;
    credential.id = jwt_text_of(id);
    credential.key = jwt_text_of(key);
    credential.engine = NULL;
    credential.policy = JWT_POLICY_FIELD;
    return credential;
}

static jwt_status begin(jwt_session *session, const char *api, const jwt_credential *a, const jwt_credential *b,
                        const uint8_t *slots) {
    jwt_session_config config;
    config.api = jwt_text_of(api);
    config.build_secs = BUILT;
    config.floor_secs = 0;
    config.slots = slots;
    config.a = a;
    config.b = b;
    return jwt_session_init(session, sizeof *session, &config);
}

/* A session with Heymarket and the two credentials, at the second that makes the published token. */
static void begin_heymarket(jwt_session *session) {
    jwt_credential a = credential_of(HEYMARKET_ID, HEYMARKET_KEY);
    jwt_credential b = credential_of(SECOND_ID, SECOND_KEY);
    CHECK(begin(session, "heymarket", &a, &b, NULL) == JWT_OK);
    /* SNTP may be wrong by a second, which is taken off iat. */
    CHECK(jwt_session_set_clock(session, NOW + 1, JWT_SOURCE_SNTP, 0, 1000) == JWT_OK);
}

static void check_line(jwt_session *session, uint64_t uptime_ms, const char *expected) {
    char line[JWT_LINE_SIZE];
    size_t len = 0;
    CHECK(jwt_session_authorize(session, uptime_ms, line, sizeof line, &len) == JWT_OK);
    CHECK_TEXT(line, expected);
    CHECK(len == strlen(expected));
}

static jwt_decision decide(jwt_session *session, jwt_answer answer, uint64_t uptime_ms) {
    jwt_decision decision;
    memset(&decision, 0x55, sizeof decision);
    CHECK(jwt_session_answered(session, &answer, uptime_ms, &decision) == JWT_OK);
    return decision;
}

static jwt_answer status_of(int32_t status) {
    jwt_answer answer;
    memset(&answer, 0, sizeof answer);
    answer.status = status;
    answer.secure = 1;
    return answer;
}

static void every_api(void) {
    static const struct {
        const char *api, *id, *key, *line;
    } APIS[] = {
        {"heymarket", HEYMARKET_ID, HEYMARKET_KEY, HEYMARKET_LINE},
        {"heymarket-bearer", NULL, "team_key_1", "Authorization: Bearer team_key_1"},
        {"heymarket-basic", NULL, "team_key_1", "Authorization: Basic dGVhbV9rZXlfMTo="},
        {"heyoo", NULL, "hey_3f9c01aa", "Authorization: Bearer hey_3f9c01aa"},
        {"key-id", KID, "q4GxJk2vR8tYw0Zb6LmN9sPd3HfCe7Ua", KEY_ID_LINE},
        {"key-id-static", NULL, "api_token_1", "Authorization: api_token_1"},
        {"hookmesh", NULL, "sk_live_51fa22", "Authorization: Bearer sk_live_51fa22"},
    };
    size_t i, size;
    for (i = 0; i < sizeof APIS / sizeof *APIS; i++) {
        jwt_credential credential = credential_of(APIS[i].id, APIS[i].key);
        const size_t expected_len = strlen(APIS[i].line);
        const int is_token = APIS[i].id != NULL;
        jwt_session session;
        char memory[GUARD + JWT_LINE_SIZE + GUARD];
        char *const line = memory + GUARD;
        size_t len = 12345;

        CHECK(begin(&session, APIS[i].api, &credential, NULL, NULL) == JWT_OK);
        memset(memory, GUARD_BYTE, sizeof memory);
        if (is_token) {
            /* Without the time nothing is signed. */
            CHECK(jwt_session_authorize(&session, 0, line, JWT_LINE_SIZE, &len) == JWT_ERROR_CLOCK_UNSET);
            CHECK(all_are(memory, sizeof memory, GUARD_BYTE));
            CHECK(len == 12345);
            CHECK(jwt_session_set_clock(&session, NOW + (strcmp(APIS[i].api, "heymarket") == 0), JWT_SOURCE_SNTP, 0,
                                        0) == JWT_OK);
        }
        for (size = 0; size <= expected_len + 1; size++) {
            jwt_status status = jwt_session_authorize(&session, 0, line, size, &len);
            CHECK(len == expected_len);
            if (size <= expected_len) {
                CHECK(status == JWT_ERROR_BUFFER_TOO_SMALL);
                CHECK(all_are(memory, sizeof memory, GUARD_BYTE));
            } else {
                CHECK(status == JWT_OK);
                CHECK_TEXT(line, APIS[i].line);
                CHECK(all_are(memory, GUARD, GUARD_BYTE));
                CHECK(all_are(line + size, sizeof memory - GUARD - size, GUARD_BYTE));
            }
        }
        CHECK(jwt_session_wipe(&session) == JWT_OK);
        CHECK(all_are(&session, sizeof session, 0));
        CHECK(jwt_session_authorize(&session, 0, line, size, &len) == JWT_ERROR_NOT_INITIALIZED);
    }
}

static void credentials_are_checked(void) {
    static const struct {
        const char *api, *id, *key;
        jwt_policy policy;
        jwt_status status;
    } CASES[] = {
        {"Heymarket", HEYMARKET_ID, HEYMARKET_KEY, JWT_POLICY_FIELD, JWT_ERROR_UNKNOWN_API},
        {NULL, HEYMARKET_ID, HEYMARKET_KEY, JWT_POLICY_FIELD, JWT_ERROR_UNKNOWN_API},
        {"heymarket", NULL, HEYMARKET_KEY, JWT_POLICY_FIELD, JWT_ERROR_ID_MISSING},
        {"heyoo", HEYMARKET_ID, "hey_3f9c01aa", JWT_POLICY_FIELD, JWT_ERROR_ID_UNEXPECTED},
        {"key-id", "not-a-uuid", HEYMARKET_KEY, JWT_POLICY_FIELD, JWT_ERROR_ID_MALFORMED},
        {"heymarket", "a b", HEYMARKET_KEY, JWT_POLICY_FIELD, JWT_ERROR_ID_MALFORMED},
        {"heymarket", HEYMARKET_ID, NULL, JWT_POLICY_FIELD, JWT_ERROR_KEY_EMPTY},
        {"heyoo", NULL, "hey_3f9c\r\nX: 1", JWT_POLICY_FIELD, JWT_ERROR_KEY_CHARACTER},
        {"heyoo", NULL, "hey_3f9c\xff", JWT_POLICY_FIELD, JWT_ERROR_NOT_UTF8},
        {"heymarket-basic", NULL, "team:key_1", JWT_POLICY_FIELD, JWT_ERROR_KEY_CHARACTER},
        {"heyoo", NULL, "sk_live_51fa22", JWT_POLICY_FIELD, JWT_ERROR_KEY_PREFIX},
        {"heyoo", NULL, "hey_3", JWT_POLICY_FIELD, JWT_ERROR_KEY_INCOMPLETE},
        {"hookmesh", NULL, "sk_test_51fa22", JWT_POLICY_FIELD, JWT_ERROR_KEY_IS_TEST},
        {"hookmesh", NULL, "sk_live_51fa22", JWT_POLICY_TEST, JWT_ERROR_KEY_IS_LIVE},
        {"hookmesh", NULL, "sk_test_51fa22", JWT_POLICY_TEST, JWT_OK},
        {"key-id", KID, "short_key", JWT_POLICY_FIELD, JWT_ERROR_KEY_TOO_SHORT},
        {"key-id", KID, "short_key", JWT_POLICY_WEAK, JWT_OK},
        {"key-id", KID, "short_key", 4, JWT_ERROR_ARGUMENT},
    };
    char key[258];
    jwt_credential credential;
    jwt_session session;
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        credential = credential_of(CASES[i].id, CASES[i].key);
        credential.policy = CASES[i].policy;
        memset(&session, GUARD_BYTE, sizeof session);
        CHECK(begin(&session, CASES[i].api, &credential, NULL, NULL) == CASES[i].status);
        if (CASES[i].status != JWT_OK) {
            CHECK(all_are(&session, sizeof session, 0));
        }
    }
    memset(key, 'k', sizeof key);
    key[257] = 0;
    credential = credential_of(NULL, key);
    CHECK(begin(&session, "heymarket-bearer", &credential, NULL, NULL) == JWT_ERROR_KEY_TOO_LONG);
    credential = credential_of(NULL, key + 1);
    CHECK(begin(&session, "heymarket-bearer", &credential, NULL, NULL) == JWT_OK);
    CHECK(begin(&session, "heymarket-basic", &credential, NULL, NULL) == JWT_ERROR_KEY_TOO_LONG);
    credential.key.len = 191;
    CHECK(begin(&session, "heymarket-basic", &credential, NULL, NULL) == JWT_OK);
    credential.key.len = 192;
    CHECK(begin(&session, "heymarket-basic", &credential, NULL, NULL) == JWT_ERROR_KEY_TOO_LONG);
}

static int32_t count(void *context, const uint8_t *message, size_t message_len, uint8_t *mac) {
    (void)message;
    (void)message_len;
    memset(mac, 7, JWT_MAC_LEN);
    ++*(int *)context;
    return *(int *)context == 3 ? 1 : 0;
}

static void tokens_are_kept(void) {
    int signed_tokens = 0;
    jwt_engine engine = {&signed_tokens, count};
    jwt_credential credential = credential_of(HEYMARKET_ID, NULL);
    jwt_session session;
    char line[JWT_LINE_SIZE];
    uint64_t uptime_ms;
    credential.engine = &engine;
    CHECK(begin(&session, "heymarket", &credential, NULL, NULL) == JWT_OK);
    CHECK(jwt_session_set_clock(&session, NOW, JWT_SOURCE_RTC, 0, 0) == JWT_OK);
    for (uptime_ms = 0; uptime_ms < 200000; uptime_ms += 1000) {
        CHECK(jwt_session_authorize(&session, uptime_ms, line, sizeof line, NULL) == JWT_OK);
    }
    CHECK(signed_tokens == 1);
    CHECK(jwt_session_authorize(&session, 300000, line, sizeof line, NULL) == JWT_OK);
    CHECK(signed_tokens == 2);
    /* The engine fails once: no line, and the next call signs. */
    memset(line, GUARD_BYTE, sizeof line);
    CHECK(jwt_session_authorize(&session, 600000, line, sizeof line, NULL) == JWT_ERROR_ENGINE);
    CHECK(all_are(line, sizeof line, GUARD_BYTE));
    CHECK(jwt_session_authorize(&session, 600000, line, sizeof line, NULL) == JWT_OK);
    CHECK(signed_tokens == 4);

    credential.key = jwt_text_of(HEYMARKET_KEY);
    CHECK(begin(&session, "heymarket", &credential, NULL, NULL) == JWT_ERROR_ARGUMENT);
    credential = credential_of(NULL, NULL);
    credential.engine = &engine;
    CHECK(begin(&session, "heyoo", &credential, NULL, NULL) == JWT_ERROR_KEY_IS_SENT);
}

static void clock_is_judged(void) {
    jwt_session session;
    uint64_t unix_secs = 1;
    uint32_t error_secs = 1;
    begin_heymarket(&session);
    CHECK(jwt_session_now(&session, 61000, &unix_secs, &error_secs) == JWT_OK);
    CHECK(unix_secs == NOW + 61 && error_secs == 1);
    CHECK(jwt_session_now(&session, 500, &unix_secs, &error_secs) == JWT_ERROR_CLOCK_UPTIME_BACKWARDS);
    CHECK(jwt_session_set_clock(&session, BUILT - 1, JWT_SOURCE_RTC, JWT_AGE_UNKNOWN, 1000) ==
          JWT_ERROR_CLOCK_BEFORE_BUILD);
    CHECK(jwt_session_set_clock(&session, 4000000000u, JWT_SOURCE_RTC, 0, 1000) == JWT_ERROR_CLOCK_TOO_FAR_AHEAD);
    CHECK(jwt_session_set_clock(&session, NOW + 86400 + 2, JWT_SOURCE_HTTP_DATE, 0, 1000) ==
          JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE);
    CHECK(jwt_session_set_clock(&session, NOW, 0, 0, 1000) == JWT_ERROR_ARGUMENT);
    CHECK(jwt_session_set_clock(&session, NOW, 6, 0, 1000) == JWT_ERROR_ARGUMENT);
    check_line(&session, 1000, HEYMARKET_LINE);

    /* An accepted request with a Date raises the floor to three days before it. */
    CHECK(jwt_session_floor_secs(&session) == 0);
    {
        jwt_answer answer = status_of(200);
        answer.date_secs = NOW + 2;
        CHECK(decide(&session, answer, 1000).action == JWT_ACTION_ACCEPTED);
    }
    CHECK(jwt_session_floor_secs(&session) == NOW + 2 - 3 * 86400);
    CHECK(jwt_session_set_clock(&session, NOW - 3 * 86400, JWT_SOURCE_RTC, 0, 1000) == JWT_ERROR_CLOCK_BEHIND_FLOOR);

    /* The three examples of RFC 9110 section 5.6.7, and one of RFC 3339. */
    CHECK(jwt_http_date_secs(JWT_TEXT("Sun, 06 Nov 1994 08:49:37 GMT")) == 784111777);
    CHECK(jwt_http_date_secs(JWT_TEXT("Sunday, 06-Nov-94 08:49:37 GMT")) == 784111777);
    CHECK(jwt_http_date_secs(JWT_TEXT("Sun Nov  6 08:49:37 1994")) == 784111777);
    CHECK(jwt_http_date_secs(JWT_TEXT("Sun, 31 Feb 2027 08:49:37 GMT")) == 0);
    CHECK(jwt_http_date_secs(jwt_text_of(NULL)) == 0);
    CHECK(jwt_rfc3339_secs(JWT_TEXT("2024-02-22T03:54:51Z")) == 1708574091);
    CHECK(jwt_rfc3339_secs(JWT_TEXT("2024-02-22 03:54")) == 0);
    {
        uint64_t last_ms = 0;
        CHECK(jwt_uptime_ms(&last_ms, 4294967290u) == 4294967290u);
        CHECK(jwt_uptime_ms(&last_ms, 4) == 4294967300u);
        CHECK(jwt_uptime_ms(&last_ms, 4) == 4294967300u);
    }
}

static void answers_are_judged(void) {
    static const struct {
        int32_t status;
        uint8_t repeatable, body;
        uint32_t retry_after_secs;
        jwt_action action;
        uint32_t after_secs;
        jwt_rejection rejection;
    } CASES[] = {
        {200, 0, 0, 0, JWT_ACTION_ACCEPTED, 0, JWT_REJECTION_NONE},
        {JWT_ANSWER_NOT_SENT, 0, 0, 0, JWT_ACTION_RETRY, 0, JWT_REJECTION_NONE},
        {JWT_ANSWER_LOST, 0, 0, 0, JWT_ACTION_MAYBE_SENT, 0, JWT_REJECTION_NONE},
        {JWT_ANSWER_LOST, 1, 0, 0, JWT_ACTION_RETRY, 0, JWT_REJECTION_NONE},
        {JWT_ANSWER_MALFORMED, 0, 0, 0, JWT_ACTION_MAYBE_SENT, 0, JWT_REJECTION_NONE},
        {502, 0, 0, 0, JWT_ACTION_MAYBE_SENT, 0, JWT_REJECTION_NONE},
        {429, 0, 0, 60, JWT_ACTION_RETRY, 60, JWT_REJECTION_NONE},
        {429, 0, 0, 99999, JWT_ACTION_RETRY, 3600, JWT_REJECTION_NONE},
        {503, 0, 0, 0, JWT_ACTION_RETRY, 0, JWT_REJECTION_NONE},
        {500, 0, JWT_BODY_MISSING_KID, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_MISSING_KID},
        {302, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_REDIRECTED},
        {400, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_INVALID},
        {403, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_FORBIDDEN},
        {404, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_NOT_FOUND},
        {409, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_CONFLICT},
        {501, 0, 0, 0, JWT_ACTION_REJECTED, 0, JWT_REJECTION_UNSUPPORTED},
        {401, 0, 0, 0, JWT_ACTION_SWITCH_SECRET, 0, JWT_REJECTION_NONE},
    };
    static const int32_t NONE[] = {0, 99, 1000, -4, INT32_MAX, INT32_MIN};
    jwt_session session;
    jwt_answer answer;
    jwt_decision decision;
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        begin_heymarket(&session);
        answer = status_of(CASES[i].status);
        answer.repeatable = CASES[i].repeatable;
        answer.body = CASES[i].body;
        answer.retry_after_secs = CASES[i].retry_after_secs;
        decision = decide(&session, answer, 2000);
        CHECK(decision.action == CASES[i].action);
        CHECK(decision.after_secs == CASES[i].after_secs);
        CHECK(decision.rejection == CASES[i].rejection);
        CHECK(decision.slot == (CASES[i].action == JWT_ACTION_SWITCH_SECRET ? JWT_SLOT_B : JWT_SLOT_A));
        check_line(&session, 1000, decision.slot == JWT_SLOT_A ? HEYMARKET_LINE : SECOND_LINE);
    }
    for (i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        answer = status_of(NONE[i]);
        memset(&decision, 0x55, sizeof decision);
        CHECK(jwt_session_answered(&session, &answer, 2000, &decision) == JWT_ERROR_ARGUMENT);
        CHECK(all_are(&decision, sizeof decision, 0x55));
    }
    answer = status_of(500);
    answer.body = 3;
    CHECK(jwt_session_answered(&session, &answer, 2000, &decision) == JWT_ERROR_ARGUMENT);

    /* No request is left until the reset, by the server's own time. */
    begin_heymarket(&session);
    answer = status_of(200);
    answer.rate_exhausted = 1;
    answer.date_secs = NOW;
    answer.rate_reset_secs = NOW + 45;
    CHECK(decide(&session, answer, 2000).after_secs == 45);

    /* Both secrets are refused: the first rests 5 minutes, and the second is not better then. */
    begin_heymarket(&session);
    answer = status_of(401);
    CHECK(decide(&session, answer, 2000).action == JWT_ACTION_SWITCH_SECRET);
    decision = decide(&session, answer, 3000);
    CHECK(decision.action == JWT_ACTION_REFUSED);
    CHECK(decision.after_secs == 299);

    /* An hour's difference is the clock's fault, if TLS vouches for the Date. */
    begin_heymarket(&session);
    answer = status_of(401);
    answer.date_secs = NOW + 3600;
    CHECK(decide(&session, answer, 2000).action == JWT_ACTION_CORRECT_CLOCK);
    {
        uint64_t unix_secs = 0;
        CHECK(jwt_session_now(&session, 2000, &unix_secs, NULL) == JWT_OK);
        CHECK(unix_secs == NOW + 3600);
    }
    begin_heymarket(&session);
    answer.secure = 0;
    CHECK(decide(&session, answer, 2000).action == JWT_ACTION_SWITCH_SECRET);

    /* Days of difference are nobody's to correct. */
    begin_heymarket(&session);
    answer.secure = 1;
    answer.date_secs = NOW + 3 * 86400;
    CHECK(decide(&session, answer, 2000).action == JWT_ACTION_SWITCH_SECRET);
    CHECK(decide(&session, answer, 3000).action == JWT_ACTION_CLOCK_WRONG);
}

static void check_step(jwt_session *session, jwt_step expected, jwt_slot expected_slot) {
    jwt_step step = JWT_STEP_REST;
    jwt_slot slot = -1;
    CHECK(jwt_session_next_step(session, &step, &slot) == JWT_OK);
    CHECK(step == expected);
    CHECK(slot == expected_slot);
}

static void secrets_rotate(void) {
    jwt_credential a = credential_of(HEYMARKET_ID, HEYMARKET_KEY);
    jwt_credential b = credential_of(SECOND_ID, SECOND_KEY);
    jwt_answer accepted = status_of(200);
    jwt_answer refused = status_of(401);
    jwt_check check = JWT_CHECK_UNCLEAR;
    uint32_t after_secs = 9;
    uint8_t record[JWT_SLOTS_LEN + 1] = {0xee, 0xee, 0xee, 0xee, 0xee};
    char line[JWT_LINE_SIZE];
    jwt_session session;

    CHECK(begin(&session, "heymarket", NULL, NULL, NULL) == JWT_OK);
    CHECK(jwt_session_authorize(&session, 0, line, sizeof line, NULL) == JWT_ERROR_NO_CREDENTIAL);
    check_step(&session, JWT_STEP_DEPLOY, JWT_SLOT_A);
    CHECK(jwt_session_deploy(&session, JWT_SLOT_A, &a) == JWT_OK);
    check_step(&session, JWT_STEP_CHECK, JWT_SLOT_A);
    CHECK(jwt_session_set_clock(&session, NOW + 1, JWT_SOURCE_SNTP, 0, 0) == JWT_OK);
    check_line(&session, 0, HEYMARKET_LINE);
    CHECK(decide(&session, accepted, 0).action == JWT_ACTION_ACCEPTED);
    check_step(&session, JWT_STEP_REST, JWT_SLOT_B);

    CHECK(jwt_session_deploy(&session, JWT_SLOT_A, &b) == JWT_ERROR_SLOT_OCCUPIED);
    CHECK(jwt_session_deploy(&session, 2, &b) == JWT_ERROR_ARGUMENT);
    CHECK(jwt_session_deploy(&session, JWT_SLOT_B, &b) == JWT_OK);
    check_step(&session, JWT_STEP_CHECK, JWT_SLOT_B);
    CHECK(jwt_session_promote(&session) == JWT_ERROR_SLOT_NOT_VERIFIED);
    CHECK(jwt_session_authorize_standby(&session, 0, line, sizeof line, NULL) == JWT_OK);
    CHECK_TEXT(line, SECOND_LINE);
    CHECK(jwt_session_standby_answered(&session, &refused, 0, &check, &after_secs) == JWT_OK);
    CHECK(check == JWT_CHECK_REFUSED && after_secs == 0);
    CHECK(jwt_session_standby_answered(&session, &accepted, 0, &check, NULL) == JWT_OK);
    CHECK(check == JWT_CHECK_WORKS);
    check_step(&session, JWT_STEP_PROMOTE, JWT_SLOT_B);
    check_line(&session, 0, HEYMARKET_LINE);
    CHECK(jwt_session_promote(&session) == JWT_OK);
    check_step(&session, JWT_STEP_REVOKE, JWT_SLOT_A);
    check_line(&session, 0, SECOND_LINE);

    /* A restart in the middle of it: the record says where it was. */
    CHECK(jwt_session_slots(&session, record) == JWT_OK);
    CHECK(record[JWT_SLOTS_LEN] == 0xee);
    CHECK(begin(&session, "heymarket", &a, &b, record) == JWT_OK);
    CHECK(jwt_session_set_clock(&session, NOW + 1, JWT_SOURCE_SNTP, 0, 0) == JWT_OK);
    check_line(&session, 0, SECOND_LINE);
    check_step(&session, JWT_STEP_REVOKE, JWT_SLOT_A);
    CHECK(jwt_session_retire(&session) == JWT_OK);
    check_step(&session, JWT_STEP_REST, JWT_SLOT_A);

    record[0] = 99;
    CHECK(begin(&session, "heymarket", &a, &b, record) == JWT_ERROR_SLOT_RECORD);
}

int main(void) {
    every_api();
    credentials_are_checked();
    tokens_are_kept();
    clock_is_judged();
    answers_are_judged();
    secrets_rotate();
    return check_end("session");
}
