/*
 * Tokens against vectors: Heymarket's published example, keys and texts of RFC 4231 and of RFC 7515 A.1.
 *
 * The signatures of the vectors that are in none of these documents are OpenSSL's:
 * printf %s SIGNING_INPUT | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY -binary | basenc --base64url
 */
#include "jwt_core.h"

#include "check.h"

#define HEYMARKET_ID "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
#define HEYMARKET_KEY "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
#define HEYMARKET_TOKEN                                                                            \
    HEADER "eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9." \
           "sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0"

enum { ISSUED_AT = 1713225600 };

/* What JWT_TOKEN_LEN says when it compiles is what this array has without its zero. */
typedef char token_len_is_known
    [JWT_TOKEN_LEN(JWT_HEADER_LEN, JWT_ISS_IAT_LEN(sizeof HEYMARKET_ID - 1)) == sizeof HEYMARKET_TOKEN - 1 ? 1 : -1];

struct vector {
    const char *name;
    unsigned char key_byte; /* repeated, or 0: the key is `key_text`; 1: the bytes 1, 2, 3 and so on */
    size_t key_len;
    const char *key_text;
    const char *kid, *iss, *sub, *aud, *jti;
    uint64_t exp, nbf, iat;
    const char *token;
};

static const struct vector VECTORS[] = {
    {"Heymarket", 0, 70, HEYMARKET_ID "||" HEYMARKET_KEY, NULL, HEYMARKET_ID, NULL, NULL, NULL, JWT_ABSENT,
     JWT_ABSENT, ISSUED_AT, HEYMARKET_TOKEN},
    {"RFC 4231 case 1", 0x0b, 20, NULL, NULL, NULL, "Hi There", NULL, NULL, JWT_ABSENT, JWT_ABSENT, ISSUED_AT,
     HEADER "eyJzdWIiOiJIaSBUaGVyZSIsImlhdCI6MTcxMzIyNTYwMH0."
            "diP6HB9Lq5ZJGemrZFNyFnLa_kXxFWlSWPbtJOssvxI"},
    {"RFC 4231 case 2", 0, 4, "Jefe", NULL, NULL, "what do ya want for nothing?", NULL, NULL, JWT_ABSENT, JWT_ABSENT,
     ISSUED_AT,
     HEADER "eyJzdWIiOiJ3aGF0IGRvIHlhIHdhbnQgZm9yIG5vdGhpbmc_IiwiaWF0IjoxNzEzMjI1NjAwfQ."
            "xnOfhl2Hd1cumA6UOO-8jw90o70qLTpH_BUeDFsz-_M"},
    {"RFC 4231 case 3", 0xaa, 20, NULL, NULL, NULL, NULL, NULL, NULL, JWT_ABSENT, JWT_ABSENT, ISSUED_AT,
     HEADER "eyJpYXQiOjE3MTMyMjU2MDB9.zYxcDld3n-Rqt8W8s2KiF8x6yEMIB66doMyGDz3GO-s"},
    {"RFC 4231 case 4", 1, 25, NULL, NULL, NULL, NULL, NULL, "rfc4231-4", ISSUED_AT + 300, JWT_ABSENT, JWT_ABSENT,
     HEADER "eyJqdGkiOiJyZmM0MjMxLTQiLCJleHAiOjE3MTMyMjU5MDB9."
            "Fq3s_9uR_ZCQK3I-k_jN4QdFUl3drvpQkNLsMQWPeio"},
    {"RFC 4231 case 6", 0xaa, 131, NULL, NULL, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", NULL,
     NULL, JWT_ABSENT, JWT_ABSENT, ISSUED_AT,
     HEADER "eyJzdWIiOiJUZXN0IFVzaW5nIExhcmdlciBUaGFuIEJsb2NrLVNpemUgS2V5IC0gSGFzaCBLZXkgRmlyc3QiLCJpYXQiOjE3MTMyMjU2"
            "MDB9.9Yvuc4-Jtczq8c14apuBWA6iQCk50SPqFNVL48KUXH4"},
    {"all members, escapes, UTF-8", 0xaa, 131, NULL, "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "gateway 7",
     "pump \"3\"\n", "https://api.example", "\xc3\xa9-1", ISSUED_AT + 300, ISSUED_AT - 60, ISSUED_AT,
     "eyJhbGciOiJIUzI1NiIsImtpZCI6IjNmMjUwNGUwLTRmODktNDFkMy05YTBjLTAzMDVlODJjMzMwMSIsInR5cCI6IkpXVCJ9."
     "eyJpc3MiOiJnYXRld2F5IDciLCJzdWIiOiJwdW1wIFwiM1wiXG4iLCJhdWQiOiJodHRwczovL2FwaS5leGFtcGxlIiwianRpIjoiw6ktMSIs"
     "ImV4cCI6MTcxMzIyNTkwMCwibmJmIjoxNzEzMjI1NTQwLCJpYXQiOjE3MTMyMjU2MDB9."
     "fNHPf5QLG92pMC6H0hm9FqP6SGjCxWoUiq55C6TsZao"},
    {"Key-ID", 0, 35, "a key of the Key-ID API, 35 bytes..", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", NULL, NULL, NULL,
     NULL, ISSUED_AT + 3600, JWT_ABSENT, JWT_ABSENT,
     "eyJhbGciOiJIUzI1NiIsImtpZCI6IjNmMjUwNGUwLTRmODktNDFkMy05YTBjLTAzMDVlODJjMzMwMSIsInR5cCI6IkpXVCJ9."
     "eyJleHAiOjE3MTMyMjkyMDB9.tX08zqZIuS1ZotNGd_h4GuwuOLuG3qeMm0r6OtImidM"},
};

/* Signs a vector in a buffer of `size` bytes, with and without a template, and looks at all that may change. */
static void sign_in(const struct vector *vector, jwt_key *key, const jwt_claims *claims, const jwt_times *times,
                    size_t size) {
    const size_t expected_len = strlen(vector->token);
    jwt_template template;
    int with_template;
    CHECK(jwt_template_init(&template, sizeof template, key, claims) == JWT_OK);
    for (with_template = 0; with_template < 2; with_template++) {
        char memory[GUARD + 512 + GUARD];
        char *const buffer = memory + GUARD;
        size_t len = 12345;
        jwt_status status;
        memset(memory, GUARD_BYTE, sizeof memory);
        status = with_template ? jwt_template_sign(&template, times, buffer, size, &len)
                               : jwt_sign(key, claims, times, buffer, size, &len);
        CHECK(len == expected_len);
        CHECK(all_are(memory, GUARD, GUARD_BYTE));
        CHECK(all_are(buffer + size, sizeof memory - GUARD - size, GUARD_BYTE));
        if (size > expected_len) {
            CHECK(status == JWT_OK);
            CHECK_TEXT(buffer, vector->token);
        } else {
            CHECK(status == JWT_ERROR_BUFFER_TOO_SMALL);
            CHECK(all_are(buffer, size, GUARD_BYTE));
        }
    }
    CHECK(jwt_template_token_len(&template, times) == expected_len);
    CHECK(jwt_template_wipe(&template) == JWT_OK);
    CHECK(all_are(&template, sizeof template, 0));
}

static void vectors(void) {
    size_t i;
    for (i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        const struct vector *vector = &VECTORS[i];
        const size_t expected_len = strlen(vector->token);
        unsigned char key_bytes[131];
        jwt_bytes parts[3];
        jwt_claims claims;
        jwt_times times;
        jwt_key key;
        size_t split;

        for (split = 0; split < vector->key_len; split++) {
            key_bytes[split] = vector->key_text        ? (unsigned char)vector->key_text[split]
                               : vector->key_byte == 1 ? (unsigned char)(split + 1)
                                                       : vector->key_byte;
        }
        claims.kid = jwt_text_of(vector->kid);
        claims.iss = jwt_text_of(vector->iss);
        claims.sub = jwt_text_of(vector->sub);
        claims.aud = jwt_text_of(vector->aud);
        claims.jti = jwt_text_of(vector->jti);
        times.exp = vector->exp;
        times.nbf = vector->nbf;
        times.iat = vector->iat;
        CHECK(jwt_token_len(&claims, &times) == expected_len);

        /* However the key is cut into parts, an empty one among them, it is the same key. */
        for (split = 0; split <= vector->key_len; split++) {
            parts[0].data = key_bytes;
            parts[0].len = split;
            parts[1].data = NULL;
            parts[1].len = 0;
            parts[2].data = key_bytes + split;
            parts[2].len = vector->key_len - split;
            CHECK(jwt_key_from_weak_parts(&key, sizeof key, parts, 3) == JWT_OK);
            sign_in(vector, &key, &claims, &times, expected_len + 1);
        }
        sign_in(vector, &key, &claims, &times, expected_len);
        sign_in(vector, &key, &claims, &times, expected_len + 2);
        sign_in(vector, &key, &claims, &times, 512);
        sign_in(vector, &key, &claims, &times, 1);
        sign_in(vector, &key, &claims, &times, 0);
        CHECK(jwt_key_from_parts(&key, sizeof key, parts, 3) ==
              (vector->key_len < JWT_KEY_MIN_LEN ? JWT_ERROR_KEY_TOO_SHORT : JWT_OK));
        CHECK(jwt_key_wipe(&key) == JWT_OK);
        CHECK(all_are(&key, sizeof key, 0));
    }
}

/* The line of a request at every size of its buffer. */
static void bearer_lines(void) {
    static const char LINE[] = "Authorization: Bearer " HEYMARKET_TOKEN;
    const jwt_bytes parts[] = {JWT_BYTES(HEYMARKET_ID), JWT_BYTES("||"), JWT_BYTES(HEYMARKET_KEY)};
    jwt_claims claims = {{NULL, 0}, JWT_TEXT(HEYMARKET_ID), {NULL, 0}, {NULL, 0}, {NULL, 0}};
    jwt_times times = jwt_times_iat(ISSUED_AT);
    jwt_template template;
    jwt_key key;
    size_t size;
    CHECK(jwt_key_from_parts(&key, sizeof key, parts, 3) == JWT_OK);
    CHECK(jwt_template_init(&template, sizeof template, &key, &claims) == JWT_OK);
    CHECK(JWT_BEARER_LINE_LEN(165) == sizeof LINE - 1);
    for (size = 0; size <= sizeof LINE + 1; size++) {
        char memory[GUARD + sizeof LINE + 1 + GUARD];
        char *const line = memory + GUARD;
        size_t len = 0;
        jwt_status status;
        memset(memory, GUARD_BYTE, sizeof memory);
        status = jwt_template_bearer_line(&template, &times, line, size, &len);
        CHECK(len == sizeof LINE - 1);
        CHECK(all_are(memory, GUARD, GUARD_BYTE));
        CHECK(all_are(line + size, sizeof memory - GUARD - size, GUARD_BYTE));
        if (size < sizeof LINE) {
            CHECK(status == JWT_ERROR_BUFFER_TOO_SMALL);
            CHECK(all_are(line, size, GUARD_BYTE));
        } else {
            CHECK(status == JWT_OK);
            CHECK_TEXT(line, LINE);
        }
    }
}

/* An engine that knows one answer: the MAC of Heymarket's example, in hexadecimal that of the token. */
static int32_t canned(void *context, const uint8_t *message, size_t message_len, uint8_t *mac) {
    static const uint8_t MAC[JWT_MAC_LEN] = {0xb1, 0x62, 0xd1, 0x83, 0xe6, 0x25, 0x16, 0x73, 0xe9, 0x3f, 0xdf,
                                             0x69, 0xad, 0x34, 0xff, 0x22, 0x98, 0x2f, 0x30, 0x02, 0xf2, 0x16,
                                             0x68, 0xd8, 0xb6, 0x59, 0xdf, 0x18, 0x47, 0x9a, 0x85, 0x2d};
    const size_t input_len = strlen(HEYMARKET_TOKEN) - 44;
    ++*(int *)context;
    if (message_len != input_len || memcmp(message, HEYMARKET_TOKEN, input_len) != 0) {
        return -5;
    }
    memcpy(mac, MAC, sizeof MAC);
    return 0;
}

static void engines(void) {
    int calls = 0;
    jwt_engine engine = {&calls, canned};
    jwt_claims claims = {{NULL, 0}, JWT_TEXT(HEYMARKET_ID), {NULL, 0}, {NULL, 0}, {NULL, 0}};
    jwt_times times = jwt_times_iat(ISSUED_AT);
    jwt_template template;
    jwt_key key;
    char token[200];
    size_t len = 0;

    CHECK(jwt_key_from_engine(&key, sizeof key, &engine) == JWT_OK);
    CHECK(jwt_sign(&key, &claims, &times, token, sizeof token, &len) == JWT_OK);
    CHECK_TEXT(token, HEYMARKET_TOKEN);
    CHECK(jwt_template_init(&template, sizeof template, &key, &claims) == JWT_OK);
    CHECK(calls == 1);
    memset(token, 0, sizeof token);
    CHECK(jwt_template_sign(&template, &times, token, sizeof token, NULL) == JWT_OK);
    CHECK_TEXT(token, HEYMARKET_TOKEN);
    CHECK(calls == 2);

    /* Another second, which the engine refuses: nothing of the token stays. */
    memset(token, GUARD_BYTE, sizeof token);
    times.iat++;
    CHECK(jwt_template_sign(&template, &times, token, sizeof token, &len) == JWT_ERROR_ENGINE);
    CHECK(len == 0);
    CHECK(all_are(token, 165, 0));
    CHECK(all_are(token + 165, sizeof token - 165, GUARD_BYTE));
}

int main(void) {
    vectors();
    bearer_lines();
    engines();
    return check_end("tokens");
}
