/*
 * What a caller can get wrong and be told: null and misaligned pointers, sizes that are wrong, objects that are not
 * ready or in use, memory that overlaps, text that is not UTF-8.
 */
#include "jwt_core.h"

#include "check.h"

#define ID "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
#define SECRET "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"

enum { NOW = 1713225600 };

static const size_t TOO_LONG = SIZE_MAX;

/* Objects that are ready, and what they are made of. */
struct setup {
    jwt_bytes parts[3];
    jwt_claims claims;
    jwt_times times;
    jwt_credential credential;
    jwt_session_config config;
    jwt_key key;
    jwt_template template;
    jwt_session session;
    char text[512];
    size_t len;
};

static void set_up(struct setup *s) {
    memset(s, 0, sizeof *s);
    s->parts[0] = jwt_bytes_of(ID);
    s->parts[1] = JWT_BYTES("||");
    s->parts[2] = jwt_bytes_of(SECRET);
    s->claims.iss = JWT_TEXT(ID);
    s->times = jwt_times_iat(NOW);
    s->credential.id = JWT_TEXT(ID);
    s->credential.key = JWT_TEXT(SECRET);
    s->config.api = JWT_TEXT("heymarket");
    s->config.build_secs = NOW - 1000000;
    s->config.a = &s->credential;
    CHECK(jwt_key_from_parts(&s->key, sizeof s->key, s->parts, 3) == JWT_OK);
    CHECK(jwt_template_init(&s->template, sizeof s->template, &s->key, &s->claims) == JWT_OK);
    CHECK(jwt_session_init(&s->session, sizeof s->session, &s->config) == JWT_OK);
    CHECK(jwt_session_set_clock(&s->session, NOW, JWT_SOURCE_SNTP, 0, 0) == JWT_OK);
    memset(s->text, GUARD_BYTE, sizeof s->text);
}

#define IS(status, call) CHECK((call) == (status))
#define OFF(type, pointer) ((type *)(void *)((char *)(void *)(pointer) + 1))

static void pointers(void) {
    static struct setup s;
    jwt_answer answer;
    jwt_decision decision;
    jwt_check check;
    jwt_step step;
    jwt_engine engine = {NULL, NULL};
    uint8_t record[JWT_SLOTS_LEN];
    set_up(&s);
    memset(&answer, 0, sizeof answer);
    answer.status = 200;

    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_parts(NULL, sizeof s.key, s.parts, 3));
    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_parts(&s.key, sizeof s.key, NULL, 3));
    IS(JWT_ERROR_KEY_EMPTY, jwt_key_from_parts(&s.key, sizeof s.key, NULL, 0));
    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_weak_parts(NULL, sizeof s.key, s.parts, 3));
    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_engine(&s.key, sizeof s.key, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_engine(&s.key, sizeof s.key, &engine));
    IS(JWT_ERROR_NULL_POINTER, jwt_key_wipe(NULL));
    IS(JWT_ERROR_MISALIGNED, jwt_key_from_parts(OFF(jwt_key, &s.key), sizeof s.key, s.parts, 3));
    IS(JWT_ERROR_MISALIGNED, jwt_key_from_parts(&s.key, sizeof s.key, OFF(jwt_bytes, s.parts), 2));
    IS(JWT_ERROR_MISALIGNED, jwt_key_wipe(OFF(jwt_key, &s.key)));
    set_up(&s);
    s.parts[1].data = NULL;
    IS(JWT_ERROR_NULL_POINTER, jwt_key_from_parts(&s.key, sizeof s.key, s.parts, 3));
    CHECK(all_are(&s.key, sizeof s.key, 0));

    set_up(&s);
    IS(JWT_ERROR_NULL_POINTER, jwt_sign(NULL, &s.claims, &s.times, s.text, sizeof s.text, &s.len));
    IS(JWT_ERROR_NULL_POINTER, jwt_sign(&s.key, NULL, &s.times, s.text, sizeof s.text, &s.len));
    IS(JWT_ERROR_NULL_POINTER, jwt_sign(&s.key, &s.claims, NULL, s.text, sizeof s.text, &s.len));
    IS(JWT_ERROR_NULL_POINTER, jwt_sign(&s.key, &s.claims, &s.times, NULL, 200, &s.len));
    IS(JWT_ERROR_BUFFER_TOO_SMALL, jwt_sign(&s.key, &s.claims, &s.times, NULL, 0, &s.len));
    CHECK(s.len == 165);
    IS(JWT_ERROR_MISALIGNED, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, OFF(size_t, &s.len)));
    IS(JWT_ERROR_MISALIGNED, jwt_sign(&s.key, &s.claims, OFF(jwt_times, &s.times), s.text, sizeof s.text, NULL));
    CHECK(jwt_token_len(NULL, &s.times) == 0);
    CHECK(jwt_token_len(&s.claims, NULL) == 0);

    IS(JWT_ERROR_NULL_POINTER, jwt_template_init(NULL, sizeof s.template, &s.key, &s.claims));
    IS(JWT_ERROR_NULL_POINTER, jwt_template_sign(NULL, &s.times, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_template_sign(&s.template, NULL, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_template_bearer_line(&s.template, &s.times, NULL, 200, NULL));
    CHECK(jwt_template_token_len(NULL, &s.times) == 0);
    CHECK(jwt_template_token_len(&s.template, NULL) == 0);
    IS(JWT_ERROR_MISALIGNED, jwt_template_wipe(OFF(jwt_template, &s.template)));
    IS(JWT_ERROR_NULL_POINTER, jwt_template_init(&s.template, sizeof s.template, NULL, &s.claims));
    CHECK(all_are(&s.template, sizeof s.template, 0));

    set_up(&s);
    IS(JWT_ERROR_NULL_POINTER, jwt_session_init(NULL, sizeof s.session, &s.config));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_set_clock(NULL, NOW, JWT_SOURCE_RTC, 0, 0));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_now(NULL, 0, NULL, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_authorize(NULL, 0, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_authorize(&s.session, 0, NULL, 1, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_answered(&s.session, NULL, 0, &decision));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_answered(&s.session, &answer, 0, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_standby_answered(&s.session, &answer, 0, NULL, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_deploy(&s.session, JWT_SLOT_B, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_slots(&s.session, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_next_step(&s.session, NULL, NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_promote(NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_retire(NULL));
    IS(JWT_ERROR_NULL_POINTER, jwt_session_wipe(NULL));
    CHECK(jwt_session_floor_secs(NULL) == 0);
    IS(JWT_ERROR_MISALIGNED, jwt_session_retire(OFF(jwt_session, &s.session)));
    IS(JWT_ERROR_MISALIGNED, jwt_session_answered(&s.session, OFF(jwt_answer, &answer), 0, &decision));

    /* A result inside the object that makes it. */
    IS(JWT_ERROR_OVERLAP, jwt_session_answered(&s.session, &answer, 0, (jwt_decision *)(void *)&s.session));
    IS(JWT_ERROR_OVERLAP, jwt_session_standby_answered(&s.session, &answer, 0, &check, (uint32_t *)(void *)&s.session));
    IS(JWT_ERROR_OVERLAP, jwt_session_now(&s.session, 0, &s.session.opaque[3], NULL));
    IS(JWT_ERROR_OVERLAP, jwt_session_slots(&s.session, (uint8_t *)&s.session.opaque[9]));
    IS(JWT_ERROR_OVERLAP, jwt_session_next_step(&s.session, &step, (jwt_slot *)(void *)&s.session));
    IS(JWT_OK, jwt_session_slots(&s.session, record));
    IS(JWT_OK, jwt_session_authorize(&s.session, 0, s.text, sizeof s.text, NULL));
}

static void sizes(void) {
    static struct setup s;
    jwt_text text = {"x", 1};
    set_up(&s);
    IS(JWT_ERROR_STORAGE_TOO_SMALL, jwt_key_from_parts(&s.key, sizeof s.key - 1, s.parts, 3));
    IS(JWT_ERROR_STORAGE_TOO_SMALL, jwt_template_init(&s.template, sizeof(void *), &s.key, &s.claims));
    IS(JWT_ERROR_STORAGE_TOO_SMALL, jwt_session_init(&s.session, sizeof s.session - 1, &s.config));
    /* What is refused so is untouched. */
    IS(JWT_OK, jwt_template_init(&s.template, sizeof s.template, &s.key, &s.claims));
    IS(JWT_OK, jwt_session_authorize(&s.session, 0, s.text, sizeof s.text, NULL));

    IS(JWT_ERROR_LENGTH, jwt_sign(&s.key, &s.claims, &s.times, s.text, TOO_LONG, NULL));
    IS(JWT_ERROR_LENGTH, jwt_sign(&s.key, &s.claims, &s.times, s.text, TOO_LONG / 2 + 1, NULL));
    IS(JWT_ERROR_LENGTH, jwt_template_sign(&s.template, &s.times, s.text, TOO_LONG, NULL));
    IS(JWT_ERROR_LENGTH, jwt_key_from_parts(&s.key, sizeof s.key, s.parts, TOO_LONG / 8));
    IS(JWT_ERROR_LENGTH, jwt_key_from_parts(&s.key, sizeof s.key, s.parts, 5));
    set_up(&s);
    s.claims.jti = text;
    s.claims.jti.len = TOO_LONG;
    IS(JWT_ERROR_OVERLAP, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_LENGTH, jwt_template_init(&s.template, sizeof s.template, &s.key, &s.claims));
    CHECK(jwt_token_len(&s.claims, &s.times) == 0);
    s.claims.jti.data = NULL;
    s.claims.jti.len = 1;
    IS(JWT_ERROR_NULL_POINTER, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    CHECK(all_are(s.text, sizeof s.text, GUARD_BYTE));
}

static void contents(void) {
    /* Cut off, overlong, a surrogate, beyond the last character: none is UTF-8 (RFC 3629 section 3). */
    static const char *const NOT_UTF8[] = {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff"};
    static char longest[200];
    static struct setup s;
    size_t i;
    set_up(&s);
    for (i = 0; i < sizeof NOT_UTF8 / sizeof *NOT_UTF8; i++) {
        s.claims.sub = jwt_text_of(NOT_UTF8[i]);
        IS(JWT_ERROR_NOT_UTF8, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
        IS(JWT_ERROR_NOT_UTF8, jwt_template_init(&s.template, sizeof s.template, &s.key, &s.claims));
    }
    CHECK(all_are(s.text, sizeof s.text, GUARD_BYTE));

    /* 37 characters of header and dot leave 219 for `{"iss":"..."` in whole groups of three bytes: 164 bytes. */
    memset(longest, 'i', sizeof longest);
    memset(&s.claims, 0, sizeof s.claims);
    s.claims.iss.data = longest;
    for (i = 0; i < sizeof longest; i++) {
        s.claims.iss.len = i;
        IS(i + 9 <= 164 ? JWT_OK : JWT_ERROR_CLAIMS_TOO_LONG,
           jwt_template_init(&s.template, sizeof s.template, &s.key, &s.claims));
        IS(JWT_OK, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, &s.len));
        CHECK(s.len == JWT_TOKEN_LEN(JWT_HEADER_LEN, JWT_ISS_IAT_LEN(i)));
    }

    set_up(&s);
    s.times.iat = 9007199254740991;
    IS(JWT_OK, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    memset(s.text, GUARD_BYTE, sizeof s.text);
    s.times.iat++;
    IS(JWT_ERROR_TIME_OUT_OF_RANGE, jwt_sign(&s.key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_TIME_OUT_OF_RANGE, jwt_template_sign(&s.template, &s.times, s.text, sizeof s.text, NULL));
    CHECK(all_are(s.text, sizeof s.text, GUARD_BYTE));
}

static void states(void) {
    static struct setup s;
    jwt_key key;
    jwt_template template;
    jwt_session session;
    set_up(&s);
    memset(&key, 0, sizeof key);
    memset(&template, 0xff, sizeof template);
    memset(&session, GUARD_BYTE, sizeof session);
    IS(JWT_ERROR_NOT_INITIALIZED, jwt_sign(&key, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    IS(JWT_ERROR_NOT_INITIALIZED, jwt_template_init(&template, sizeof template, &key, &s.claims));
    IS(JWT_ERROR_NOT_INITIALIZED, jwt_template_sign(&template, &s.times, s.text, sizeof s.text, NULL));
    CHECK(jwt_template_token_len(&template, &s.times) == 0);
    IS(JWT_ERROR_NOT_INITIALIZED, jwt_session_promote(&session));
    /* An object of another type is none of this type. */
    IS(JWT_ERROR_NOT_INITIALIZED,
       jwt_sign((const jwt_key *)(const void *)&s.template, &s.claims, &s.times, s.text, sizeof s.text, NULL));
    IS(JWT_OK, jwt_session_wipe(&session));
    CHECK(all_are(&session, sizeof session, 0));

    /* A copy is an object of its own. */
    template = s.template;
    IS(JWT_OK, jwt_template_wipe(&s.template));
    IS(JWT_ERROR_NOT_INITIALIZED, jwt_template_sign(&s.template, &s.times, s.text, sizeof s.text, NULL));
    CHECK(all_are(s.text, sizeof s.text, GUARD_BYTE));
    IS(JWT_OK, jwt_template_sign(&template, &s.times, s.text, sizeof s.text, NULL));
}

/* An engine that uses the template that it signs for. */
static int32_t recursive(void *context, const uint8_t *message, size_t message_len, uint8_t *mac) {
    struct setup *s = (struct setup *)context;
    char token[200];
    (void)message;
    (void)message_len;
    memset(mac, 0, JWT_MAC_LEN);
    IS(JWT_ERROR_BUSY, jwt_template_sign(&s->template, &s->times, token, sizeof token, NULL));
    CHECK(jwt_template_token_len(&s->template, &s->times) == 0);
    return 0;
}

static void overlaps(void) {
    static struct setup s;
    jwt_engine engine = {&s, recursive};
    set_up(&s);
    IS(JWT_OK, jwt_key_from_engine(&s.key, sizeof s.key, &engine));
    IS(JWT_OK, jwt_template_init(&s.template, sizeof s.template, &s.key, &s.claims));
    IS(JWT_OK, jwt_template_sign(&s.template, &s.times, s.text, sizeof s.text, NULL));

    set_up(&s);
    memcpy(s.text, ID, sizeof ID - 1);
    s.claims.iss.data = s.text;
    IS(JWT_ERROR_OVERLAP, jwt_sign(&s.key, &s.claims, &s.times, s.text + 35, 400, NULL));
    IS(JWT_OK, jwt_sign(&s.key, &s.claims, &s.times, s.text + 36, 400, NULL));
    IS(JWT_ERROR_OVERLAP, jwt_sign(&s.key, &s.claims, &s.times, (char *)&s.key, sizeof s.key, NULL));
    IS(JWT_ERROR_OVERLAP, jwt_template_sign(&s.template, &s.times, (char *)&s.template, 300, NULL));
    IS(JWT_ERROR_OVERLAP, jwt_template_sign(&s.template, &s.times, s.text, 300, (size_t *)&s.template.opaque[4]));
    IS(JWT_ERROR_OVERLAP, jwt_session_authorize(&s.session, 0, (char *)&s.session, sizeof s.session, NULL));
    s.parts[2].data = (const uint8_t *)&s.key;
    IS(JWT_ERROR_OVERLAP, jwt_key_from_parts(&s.key, sizeof s.key, s.parts, 3));
}

static void sentences(void) {
    int32_t status, other;
    const char *const none = jwt_status_text(-1);
    for (status = JWT_OK; status <= JWT_ERROR_UNNAMED; status++) {
        CHECK(strlen(jwt_status_text(status)) > 3);
        CHECK(strcmp(jwt_status_text(status), none) != 0);
        for (other = JWT_OK; other < status; other++) {
            CHECK(strcmp(jwt_status_text(status), jwt_status_text(other)) != 0);
        }
    }
    CHECK_TEXT(jwt_status_text(JWT_ERROR_UNNAMED + 1), none);
    CHECK_TEXT(jwt_status_text(INT32_MAX), none);
    CHECK_TEXT(jwt_status_text(INT32_MIN), none);
}

int main(void) {
    pointers();
    sizes();
    contents();
    states();
    overlaps();
    sentences();
    return check_end("misuse");
}
