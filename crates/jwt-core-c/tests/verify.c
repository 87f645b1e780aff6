/*
 * Reading and verifying: RFC 7515's example A.1 and what may be wrong with a token.
 *
 * Signatures but that of the RFC are made with OpenSSL, as tokens.c says.
 */
#include "jwt_core.h"

#include "check.h"

/* RFC 7515, section A.1: the key, and the token in three parts. */
static const uint8_t RFC_KEY[] = {
    3,   35,  53,  75,  43,  15,  165, 188, 131, 126, 6,   101, 119, 123, 166, 143, 90,  179, 40,  230, 240, 84,
    201, 40,  169, 15,  132, 178, 210, 80,  46,  191, 211, 251, 90,  146, 210, 6,   71,  239, 150, 138, 180, 195,
    119, 98,  61,  34,  61,  46,  33,  114, 5,   46,  79,  8,   192, 205, 154, 245, 103, 208, 128, 163};
#define RFC_INPUT                                                                                               \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."                                                                 \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
#define RFC_SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_TOKEN RFC_INPUT RFC_SIGNATURE

#define NBF_IAT_TOKEN \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjEzMDA4MTkwMDAsImlhdCI6MTMwMDgxODk5MH0." \
    "zL59BEZb-ydos80VoqQmg9gZH5oDNMBLHzZyfGok-sM"
#define IAT_TOKEN \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjEzMDA4MTg5OTB9." \
    "j8k1ujePjED9I_k3dpMxSkdDhZ842R90qtD1ZcO-zCk"

enum { RFC_EXP = 1300819380 };

static jwt_key rfc_key(void) {
    jwt_bytes part = {RFC_KEY, sizeof RFC_KEY};
    jwt_key key;
    CHECK(jwt_key_from_parts(&key, sizeof key, &part, 1) == JWT_OK);
    return key;
}

static jwt_validation at(uint64_t now) {
    jwt_validation validation = {0, 0, JWT_ABSENT};
    validation.now = now;
    return validation;
}

static void check_slice(jwt_text found, const char *expected) {
    CHECK(found.len == strlen(expected));
    CHECK(found.data && memcmp(found.data, expected, strlen(expected)) == 0);
}

static void rfc_7515(void) {
    jwt_key key = rfc_key();
    jwt_validation validation = at(RFC_EXP - 1);
    uint8_t memory[GUARD + JWT_SCRATCH_SIZE(sizeof RFC_TOKEN) + GUARD];
    uint8_t *const scratch = memory + GUARD;
    const size_t needed = 30 + 70 + 32;
    jwt_token said;
    size_t size;

    for (size = 0; size <= needed; size++) {
        memset(memory, GUARD_BYTE, sizeof memory);
        memset(&said, GUARD_BYTE, sizeof said);
        CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, size, &said) ==
              (size < needed ? JWT_ERROR_BUFFER_TOO_SMALL : JWT_OK));
        CHECK(all_are(memory, GUARD, GUARD_BYTE));
        CHECK(all_are(scratch + size, sizeof memory - GUARD - size, GUARD_BYTE));
        CHECK(size == needed || all_are(&said, sizeof said, GUARD_BYTE));
    }
    CHECK(JWT_SCRATCH_SIZE(sizeof RFC_TOKEN - 1) >= needed);
    check_slice(said.header, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}");
    check_slice(said.payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
    check_slice(said.alg, "HS256");
    CHECK(said.kid.data == NULL);
    CHECK(said.times.exp == RFC_EXP && said.times.nbf == JWT_ABSENT && said.times.iat == JWT_ABSENT);

    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, needed, NULL) == JWT_OK);
    validation.now++;
    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, needed, &said) == JWT_ERROR_TOKEN_EXPIRED);
    validation.leeway_secs = 1;
    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, needed, &said) == JWT_OK);
    validation.max_age_secs = 300;
    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, needed, &said) == JWT_ERROR_TOKEN_WITHOUT_IAT);
}

/* Every bit of the signature counts, and so does the input. */
static void forged(void) {
    jwt_key key = rfc_key();
    jwt_validation validation = at(RFC_EXP - 1);
    uint8_t scratch[JWT_SCRATCH_SIZE(sizeof RFC_TOKEN)];
    char token[] = RFC_TOKEN;
    size_t i;
    for (i = 0; i < sizeof RFC_TOKEN - 1; i++) {
        jwt_status status;
        token[i] = token[i] == 'A' ? 'B' : 'A';
        status = jwt_verify(&key, jwt_text_of(token), &validation, scratch, sizeof scratch, NULL);
        CHECK(status != JWT_OK);
        CHECK(i < sizeof RFC_INPUT - 1 || status == JWT_ERROR_TOKEN_SIGNATURE || i == sizeof RFC_TOKEN - 2);
        token[i] = RFC_TOKEN[i];
    }
}

static void refused(void) {
    static const struct {
        const char *token;
        uint64_t now;
        uint64_t max_age_secs;
        jwt_status status;
    } CASES[] = {
        {"", 0, JWT_ABSENT, JWT_ERROR_TOKEN_MALFORMED},
        {"a.b", 0, JWT_ABSENT, JWT_ERROR_TOKEN_MALFORMED},
        {RFC_TOKEN ".", 0, JWT_ABSENT, JWT_ERROR_TOKEN_MALFORMED},
        {RFC_TOKEN "=", 0, JWT_ABSENT, JWT_ERROR_TOKEN_MALFORMED},
        {"\xff.b.c", 0, JWT_ABSENT, JWT_ERROR_NOT_UTF8},
        /* {"alg":"none"} {"iat":1} */
        {"eyJhbGciOiJub25lIn0.eyJpYXQiOjF9.", 1, JWT_ABSENT, JWT_ERROR_TOKEN_ALGORITHM},
        /* {"alg":"HS256","crit":["x"]} {"iat":1} */
        {"eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.eyJpYXQiOjF9.", 1, JWT_ABSENT, JWT_ERROR_TOKEN_CRITICAL},
        {RFC_INPUT, RFC_EXP - 1, JWT_ABSENT, JWT_ERROR_TOKEN_SIGNATURE},
        /* {"nbf":1300819000,"iat":1300818990} */
        {NBF_IAT_TOKEN, 1300818989, JWT_ABSENT, JWT_ERROR_TOKEN_NOT_YET_VALID},
        {NBF_IAT_TOKEN, 1300818999, JWT_ABSENT, JWT_ERROR_TOKEN_NOT_YET_VALID},
        {NBF_IAT_TOKEN, 1300819000, JWT_ABSENT, JWT_OK},
        {NBF_IAT_TOKEN, 1300819289, 300, JWT_OK},
        {NBF_IAT_TOKEN, 1300819290, 300, JWT_ERROR_TOKEN_TOO_OLD},
        /* {"iat":1300818990} */
        {IAT_TOKEN, 1300818989, JWT_ABSENT, JWT_ERROR_TOKEN_FROM_FUTURE},
        {IAT_TOKEN, 1300818990, 300, JWT_OK},
    };
    static char longest[16 * 1024 + 1];
    jwt_key key = rfc_key(), other;
    jwt_bytes part = {RFC_KEY, sizeof RFC_KEY - 1};
    jwt_validation validation;
    jwt_token said;
    uint8_t scratch[200];
    size_t i;
    for (i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        validation = at(CASES[i].now);
        validation.max_age_secs = CASES[i].max_age_secs;
        CHECK(jwt_verify(&key, jwt_text_of(CASES[i].token), &validation, scratch, sizeof scratch, NULL) ==
              CASES[i].status);
    }
    CHECK(jwt_key_from_parts(&other, sizeof other, &part, 1) == JWT_OK);
    validation = at(RFC_EXP - 1);
    CHECK(jwt_verify(&other, JWT_TEXT(RFC_TOKEN), &validation, scratch, sizeof scratch, NULL) ==
          JWT_ERROR_TOKEN_SIGNATURE);
    memset(longest, 'a', sizeof longest);
    {
        jwt_text text = {longest, sizeof longest};
        CHECK(jwt_inspect(text, scratch, sizeof scratch, &said) == JWT_ERROR_TOKEN_TOO_LONG);
    }
}

static void misused(void) {
    jwt_key key = rfc_key();
    jwt_validation validation = at(RFC_EXP - 1);
    uint8_t scratch[200];
    char token[400] = RFC_TOKEN;
    jwt_token said;
    jwt_text none = {NULL, 0};
    CHECK(jwt_inspect(JWT_TEXT("eyJhbGciOiJub25lIn0.eyJpYXQiOjF9."), scratch, sizeof scratch, &said) == JWT_OK);
    check_slice(said.alg, "none");
    check_slice(said.payload, "{\"iat\":1}");
    CHECK(said.times.iat == 1);

    CHECK(jwt_inspect(none, scratch, sizeof scratch, &said) == JWT_ERROR_NULL_POINTER);
    CHECK(jwt_inspect(JWT_TEXT(RFC_TOKEN), NULL, 200, &said) == JWT_ERROR_NULL_POINTER);
    CHECK(jwt_inspect(JWT_TEXT(RFC_TOKEN), NULL, 0, &said) == JWT_ERROR_BUFFER_TOO_SMALL);
    CHECK(jwt_inspect(JWT_TEXT(RFC_TOKEN), scratch, sizeof scratch, NULL) == JWT_ERROR_NULL_POINTER);
    CHECK(jwt_verify(NULL, JWT_TEXT(RFC_TOKEN), &validation, scratch, sizeof scratch, NULL) == JWT_ERROR_NULL_POINTER);
    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), NULL, scratch, sizeof scratch, NULL) == JWT_ERROR_NULL_POINTER);
    CHECK(jwt_inspect(jwt_text_of(token), (uint8_t *)token + 100, 200, &said) == JWT_ERROR_OVERLAP);
    CHECK(jwt_inspect(jwt_text_of(token), (uint8_t *)&said, sizeof said, &said) == JWT_ERROR_OVERLAP);
    CHECK(jwt_verify(&key, jwt_text_of(token), &validation, (uint8_t *)&key, sizeof key, NULL) == JWT_ERROR_OVERLAP);
    jwt_key_wipe(&key);
    CHECK(jwt_verify(&key, JWT_TEXT(RFC_TOKEN), &validation, scratch, sizeof scratch, NULL) ==
          JWT_ERROR_NOT_INITIALIZED);
}

int main(void) {
    rfc_7515();
    forged();
    refused();
    misused();
    return check_end("verify");
}
