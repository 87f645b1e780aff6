/* Runs what is in examples/: the published line by the template, and a session from an unset clock to a revoked secret. */
#include "../examples/session.h"
#include "../examples/template.h"

#include "check.h"

#define ID "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
#define SECRET "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
#define LINE                                                                                       \
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                  \
    "eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9."        \
    "sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0"

enum { NOW = 1713225600 };

static int writes;
static uint8_t written[JWT_SLOTS_LEN];

void changed(const uint8_t slots[JWT_SLOTS_LEN]) {
    writes++;
    memcpy(written, slots, JWT_SLOTS_LEN);
}

static void template_once(void) {
    char line[AUTHORIZATION_SIZE];
    CHECK(sizeof line == 188);
    CHECK(sizeof(jwt_template) == 432);
    CHECK(authorization(NOW, line, sizeof line) == JWT_ERROR_NOT_INITIALIZED);
    CHECK(start(ID, "short") == JWT_OK); /* 43 bytes with the ID: only the sum counts */
    CHECK(start("", "short") == JWT_ERROR_KEY_TOO_SHORT);
    CHECK(authorization(NOW, line, sizeof line) == JWT_ERROR_NOT_INITIALIZED);
    CHECK(start(ID, SECRET) == JWT_OK);
    CHECK(authorization(NOW, line, sizeof line - 1) == JWT_ERROR_BUFFER_TOO_SMALL);
    CHECK(authorization(NOW, line, sizeof line) == JWT_OK);
    CHECK_TEXT(line, LINE);
    stop();
    CHECK(authorization(NOW, line, sizeof line) == JWT_ERROR_NOT_INITIALIZED);
}

static void session_through_a_bad_day(void) {
    jwt_credential a = {{NULL, 0}, {NULL, 0}, NULL, JWT_POLICY_FIELD};
    jwt_credential b = a;
    char line[JWT_LINE_SIZE];
    uint32_t wait_secs = 0;
    a.id = JWT_TEXT(ID);
    a.key = JWT_TEXT(SECRET);
    b.id = JWT_TEXT("b7c8d9e0-1111-4222-8333-444455556666");
    b.key = JWT_TEXT("Zk3Qn8WvT5rYp2LxJ6mHc9Gd4FbSa7Ue");

    CHECK(begin(&a, &b, NOW - 1000000, NULL) == JWT_OK);
    CHECK(writes == 1);
    CHECK(before_request(10, line, sizeof line) == JWT_ERROR_CLOCK_UNSET);
    CHECK(set_time(NOW + 1, 1000) == JWT_OK);
    CHECK(before_request(1000, line, sizeof line) == JWT_OK);
    CHECK_TEXT(line, LINE);
    CHECK(after_request(200, JWT_TEXT("Tue, 16 Apr 2024 00:00:01 GMT"), 0, 2000, &wait_secs) == NEXT_DONE);
    CHECK(writes == 2); /* the first secret is known to be good */
    CHECK(after_request(429, jwt_text_of(NULL), 60, 3000, &wait_secs) == NEXT_LATER);
    CHECK(wait_secs == 60);
    CHECK(after_request(JWT_ANSWER_LOST, jwt_text_of(NULL), 0, 4000, &wait_secs) == NEXT_HOLD);
    CHECK(after_request(403, jwt_text_of(NULL), 0, 5000, &wait_secs) == NEXT_NEVER);
    CHECK(after_request(12, jwt_text_of(NULL), 0, 5000, &wait_secs) == NEXT_NEVER);

    /* The server's clock is an hour ahead, then the first secret is revoked. */
    CHECK(after_request(401, JWT_TEXT("Tue, 16 Apr 2024 01:00:05 GMT"), 0, 6000, &wait_secs) == NEXT_AGAIN);
    CHECK(before_request(6000, line, sizeof line) == JWT_OK);
    CHECK(strcmp(line, LINE) != 0);
    CHECK(writes == 2);
    CHECK(after_request(401, JWT_TEXT("Tue, 16 Apr 2024 01:00:05 GMT"), 0, 7000, &wait_secs) == NEXT_AGAIN);
    CHECK(writes == 3 && written[1] == JWT_SLOT_B);
    CHECK(after_request(401, JWT_TEXT("Tue, 16 Apr 2024 01:00:05 GMT"), 0, 8000, &wait_secs) == NEXT_LATER);
    CHECK(wait_secs == 299);
}

int main(void) {
    template_once();
    session_through_a_bad_day();
    return check_end("examples");
}
