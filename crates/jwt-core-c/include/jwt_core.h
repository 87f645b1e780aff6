/*
 * HS256 JSON Web Tokens and the Authorization header of four APIs, in fixed buffers: the C interface of a library
 * without heap, for C99 and later and for C++.
 *
 * Made of crates/jwt-core-c/src by cbindgen: change it there.
 *
 * Lengths and sizes are in bytes. The length of a text does not count the zero behind it, the size of a buffer does:
 * a text of length N needs a buffer of size N + 1. Times are in Unix seconds, without leap seconds.
 *
 * Objects (jwt_key, jwt_template, jwt_session) live in memory of the caller's, on the stack, in static storage or on a
 * heap. They hold what signs: wipe them when they are no longer needed. Copies that the compiler leaves in registers or
 * on the stack are not covered by that.
 *
 * Every function that returns a jwt_status returns JWT_OK or says what is wrong, besides what is named with it:
 *   JWT_ERROR_NULL_POINTER, JWT_ERROR_MISALIGNED  a pointer that must not be so
 *   JWT_ERROR_LENGTH                              a length or size that no memory has
 *   JWT_ERROR_OVERLAP                             memory that is written to and read
 *   JWT_ERROR_NOT_INITIALIZED, JWT_ERROR_BUSY     an object that is not ready, or in use
 *
 * What can't be told is the caller's to keep: pointers point to as much memory as is said; an object is used from one
 * thread or interrupt at a time; a function that is called back returns, without an exception or longjmp.
 */


#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * In the place of a status: the request's last byte was never handed to the network.
 */
#define JWT_ANSWER_NOT_SENT -1

/**
 * In the place of a status: the request was sent, and the answer's head never came whole.
 */
#define JWT_ANSWER_LOST -2

/**
 * In the place of a status: the request was sent, and what came back is not HTTP.
 */
#define JWT_ANSWER_MALFORMED -3

/**
 * The error's body says nothing that changes the decision.
 */
#define JWT_BODY_OTHER 0

/**
 * The error's body says that the token's header has no `kid` (Key-ID).
 */
#define JWT_BODY_MISSING_KID 1

/**
 * The error's body names a permission that the key lacks.
 */
#define JWT_BODY_PERMISSION 2

/**
 * A time that a token does not have.
 */
#define JWT_ABSENT UINT64_MAX

/**
 * The age of a reading whose source was set right nobody knows when.
 */
#define JWT_AGE_UNKNOWN UINT32_MAX

/**
 * Bytes of the longest value of an `Authorization` header that a session makes, its name not counted.
 *
 * Every token fits, every bearer key, and a key of up to 191 bytes of HTTP Basic.
 */
#define JWT_AUTHORIZATION_CAPACITY 263

/**
 * Length of an HMAC-SHA256 in bytes.
 */
#define JWT_MAC_LEN 32

/**
 * Fewest bytes of an HMAC key that is not weak (RFC 7518 section 3.2).
 */
#define JWT_KEY_MIN_LEN 32

/**
 * Words of 8 bytes in a `jwt_key`.
 */
#define JWT_KEY_WORDS 12

/**
 * Bytes of the record of the slots.
 */
#define JWT_SLOTS_LEN 4

/**
 * Words of 8 bytes in a `jwt_session`.
 */
#define JWT_SESSION_WORDS 216

/**
 * Most characters of base64url that a template holds: of the header, of the claims, and the dot.
 *
 * An issuer that is a UUID takes 97.
 */
#define JWT_TEMPLATE_CAPACITY 256

/**
 * Words of 8 bytes in a `jwt_template`.
 */
#define JWT_TEMPLATE_WORDS 54

/**
 * What a call came to: `JWT_OK`, or what was wrong.
 */
enum jwt_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    JWT_OK = 0,
    /**
     * A pointer is null that must not be.
     */
    JWT_ERROR_NULL_POINTER,
    /**
     * An object or structure is not aligned as its type wants.
     */
    JWT_ERROR_MISALIGNED,
    /**
     * A length or size is larger than memory behind its pointer can be.
     */
    JWT_ERROR_LENGTH,
    /**
     * The memory that is written to overlaps with what is read.
     */
    JWT_ERROR_OVERLAP,
    /**
     * The storage for an object is smaller than its type: header and library differ, or `sizeof` is of a pointer.
     */
    JWT_ERROR_STORAGE_TOO_SMALL,
    /**
     * The object has not been initialised, its initialisation failed, or it was wiped.
     */
    JWT_ERROR_NOT_INITIALIZED,
    /**
     * The object is in use by a call that has not returned: from an interrupt, another thread or a callback.
     */
    JWT_ERROR_BUSY,
    /**
     * Text is not UTF-8.
     */
    JWT_ERROR_NOT_UTF8,
    /**
     * The buffer does not hold the text and the zero behind it; the length that it needs is reported.
     */
    JWT_ERROR_BUFFER_TOO_SMALL,
    /**
     * Header and claims take more than `JWT_TEMPLATE_CAPACITY` characters: sign them without a template.
     */
    JWT_ERROR_CLAIMS_TOO_LONG,
    /**
     * The key has no bytes.
     */
    JWT_ERROR_KEY_EMPTY,
    /**
     * The key has fewer than `JWT_KEY_MIN_LEN` bytes (RFC 7518 section 3.2).
     */
    JWT_ERROR_KEY_TOO_SHORT,
    /**
     * The engine has returned anything but 0.
     */
    JWT_ERROR_ENGINE,
    /**
     * A time is larger than 2^53 - 1 seconds: it may be in milliseconds or less.
     */
    JWT_ERROR_TIME_OUT_OF_RANGE,
    /**
     * A number is none of its enumeration, or what is given contradicts itself.
     */
    JWT_ERROR_ARGUMENT,
    /**
     * The session's API is none that the library knows.
     */
    JWT_ERROR_UNKNOWN_API,
    /**
     * The API's credentials have an ID.
     */
    JWT_ERROR_ID_MISSING,
    /**
     * The API's credentials have no ID.
     */
    JWT_ERROR_ID_UNEXPECTED,
    /**
     * The ID is too long, has a character that no ID has, or is not the UUID that it has to be.
     */
    JWT_ERROR_ID_MALFORMED,
    /**
     * The key has a space, a control or a non-ASCII character, or for HTTP Basic a colon.
     */
    JWT_ERROR_KEY_CHARACTER,
    /**
     * The key doesn't begin like one of this API.
     */
    JWT_ERROR_KEY_PREFIX,
    /**
     * The key is shorter than any that the API issues.
     */
    JWT_ERROR_KEY_INCOMPLETE,
    /**
     * The key is longer than any that the API issues, or than a session holds.
     */
    JWT_ERROR_KEY_TOO_LONG,
    /**
     * A test key, where the policy takes none.
     */
    JWT_ERROR_KEY_IS_TEST,
    /**
     * A production key, where the policy takes none.
     */
    JWT_ERROR_KEY_IS_LIVE,
    /**
     * An engine, or a key to sign with, for an API that is sent the key itself.
     */
    JWT_ERROR_KEY_IS_SENT,
    /**
     * The slot has no credential.
     */
    JWT_ERROR_NO_CREDENTIAL,
    /**
     * No source has told the time yet, and a token needs it.
     */
    JWT_ERROR_CLOCK_UNSET,
    /**
     * The time is before the firmware was built.
     */
    JWT_ERROR_CLOCK_BEFORE_BUILD,
    /**
     * The time is behind one that a server has confirmed.
     */
    JWT_ERROR_CLOCK_BEHIND_FLOOR,
    /**
     * The time is more than 50 years after the firmware's build.
     */
    JWT_ERROR_CLOCK_TOO_FAR_AHEAD,
    /**
     * The server's time is more than a day away from the last other reading.
     */
    JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE,
    /**
     * The uptime is smaller than it has been: a tick that wrapped.
     */
    JWT_ERROR_CLOCK_UPTIME_BACKWARDS,
    /**
     * The slot holds a credential.
     */
    JWT_ERROR_SLOT_OCCUPIED,
    /**
     * The server hasn't accepted the standby's credential yet.
     */
    JWT_ERROR_SLOT_NOT_VERIFIED,
    /**
     * The bytes are not a record of the slots.
     */
    JWT_ERROR_SLOT_RECORD,
    /**
     * The token has more than 16384 bytes.
     */
    JWT_ERROR_TOKEN_TOO_LONG,
    /**
     * The token is not three parts of canonical base64url, of which two are JSON objects as a JWT has them.
     */
    JWT_ERROR_TOKEN_MALFORMED,
    /**
     * The token is not signed with HS256.
     */
    JWT_ERROR_TOKEN_ALGORITHM,
    /**
     * The token's header wants extensions to be understood (`crit`), and none is.
     */
    JWT_ERROR_TOKEN_CRITICAL,
    /**
     * The token's signature is not this key's.
     */
    JWT_ERROR_TOKEN_SIGNATURE,
    /**
     * The token has expired.
     */
    JWT_ERROR_TOKEN_EXPIRED,
    /**
     * The token is not valid yet.
     */
    JWT_ERROR_TOKEN_NOT_YET_VALID,
    /**
     * The token was issued in the future.
     */
    JWT_ERROR_TOKEN_FROM_FUTURE,
    /**
     * The token's age is limited, but it does not say when it was issued.
     */
    JWT_ERROR_TOKEN_WITHOUT_IAT,
    /**
     * The token is older than allowed.
     */
    JWT_ERROR_TOKEN_TOO_OLD,
    /**
     * An error that this interface has no name for.
     */
    JWT_ERROR_UNNAMED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_status jwt_status;
#else
typedef int32_t jwt_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What to do next.
 */
enum jwt_action
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The server took the request; begin no other one for `after_secs`.
     */
    JWT_ACTION_ACCEPTED,
    /**
     * The request was not acted on: send it again, after a backoff of your own and at least `after_secs`.
     */
    JWT_ACTION_RETRY,
    /**
     * The server may have acted on the request: sending it again may do it twice.
     */
    JWT_ACTION_MAYBE_SENT,
    /**
     * The server can't be satisfied by sending the same again: `rejection` says why.
     */
    JWT_ACTION_REJECTED,
    /**
     * The session's clock took over the server's time: ask for a line and send again at once.
     */
    JWT_ACTION_CORRECT_CLOCK,
    /**
     * The clock, or the server's, is wrong by more than a server may correct: tell, and send again when somebody has
     * set it, or after `after_secs`.
     */
    JWT_ACTION_CLOCK_WRONG,
    /**
     * The other slot's credential, of `slot`, is now the active one: ask for a line and send again at once.
     */
    JWT_ACTION_SWITCH_SECRET,
    /**
     * No credential is accepted: tell, and send again after `after_secs`.
     */
    JWT_ACTION_REFUSED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_action jwt_action;
#else
typedef int32_t jwt_action;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a request is not to be sent again.
 */
enum jwt_rejection
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It was not rejected.
     */
    JWT_REJECTION_NONE,
    /**
     * The request is wrong in itself.
     */
    JWT_REJECTION_INVALID,
    /**
     * The credential is valid but may not do this; another of the same owner's could not either.
     */
    JWT_REJECTION_FORBIDDEN,
    /**
     * There is no such path or object.
     */
    JWT_REJECTION_NOT_FOUND,
    /**
     * It contradicts what is there.
     */
    JWT_REJECTION_CONFLICT,
    /**
     * The server points elsewhere, where the credential is not sent to.
     */
    JWT_REJECTION_REDIRECTED,
    /**
     * The token has no `kid`.
     */
    JWT_REJECTION_MISSING_KID,
    /**
     * The server has no such method or version.
     */
    JWT_REJECTION_UNSUPPORTED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_rejection jwt_rejection;
#else
typedef int32_t jwt_rejection;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What the API's check says about the credential in the standby slot.
 */
enum jwt_check
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It was accepted; keep the slots.
     */
    JWT_CHECK_WORKS,
    /**
     * It was recognised, but may not do what the check asks: see to its permissions.
     */
    JWT_CHECK_FORBIDDEN,
    /**
     * It was refused: retire it, and deploy another.
     */
    JWT_CHECK_REFUSED,
    /**
     * The clock was wrong and is corrected: check again at once.
     */
    JWT_CHECK_CLOCK_CORRECTED,
    /**
     * The answer says nothing about it: check again after the seconds told, or a backoff of your own.
     */
    JWT_CHECK_UNCLEAR,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_check jwt_check;
#else
typedef int32_t jwt_check;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What comes next in a rotation.
 */
enum jwt_step
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Store a credential in the slot and deploy it.
     */
    JWT_STEP_DEPLOY,
    /**
     * Send the API's check with the slot's credential.
     */
    JWT_STEP_CHECK,
    /**
     * Promote the standby.
     */
    JWT_STEP_PROMOTE,
    /**
     * Revoke the slot's credential at the server, retire it, keep the slots, erase what is stored.
     */
    JWT_STEP_REVOKE,
    /**
     * Nothing until the next rotation.
     */
    JWT_STEP_REST,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum jwt_step jwt_step;
#else
typedef int32_t jwt_step;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Clock, two slots of credentials and their tokens for one API, in storage of the caller's; opaque.
 *
 * It holds what authorizes: wipe it. It may be copied and moved, and every copy is to be wiped.
 */
typedef struct jwt_session {
    /**
     * Not to be looked at.
     */
    uint64_t opaque[JWT_SESSION_WORDS];
} jwt_session;

/**
 * What is known of one request and its answer: all zeros but the status and what came.
 */
typedef struct jwt_answer {
    /**
     * The HTTP status, or one of `JWT_ANSWER_NOT_SENT`, `JWT_ANSWER_LOST` and `JWT_ANSWER_MALFORMED`.
     */
    int32_t status;
    /**
     * Not 0 if the request may reach the server twice: a `GET`, but not an alert.
     */
    uint8_t repeatable;
    /**
     * Not 0 if the connection was TLS with a verified certificate; a `Date` that came otherwise is not looked at.
     */
    uint8_t secure;
    /**
     * Not 0 if `X-RateLimit-Remaining` is 0.
     */
    uint8_t rate_exhausted;
    /**
     * What the error's body says: one of the `JWT_BODY_` numbers.
     */
    uint8_t body;
    /**
     * The `Date` header in Unix seconds, see `jwt_http_date_secs`; 0 if there is none.
     */
    uint64_t date_secs;
    /**
     * `X-RateLimit-Reset` in Unix seconds; 0 if there is none.
     */
    uint64_t rate_reset_secs;
    /**
     * The seconds to wait of `Retry-After` or of an error's `retry_after`; 0 if there are none.
     */
    uint32_t retry_after_secs;
} jwt_answer;

/**
 * One of the two places for a credential: `JWT_SLOT_A` or `JWT_SLOT_B`.
 */
typedef int32_t jwt_slot;

/**
 * What an answer leads to.
 */
typedef struct jwt_decision {
    /**
     * What to do.
     */
    jwt_action action;
    /**
     * Seconds, where the action names them; 0 otherwise.
     */
    uint32_t after_secs;
    /**
     * The active slot after this.
     */
    jwt_slot slot;
    /**
     * Why the request was rejected.
     */
    jwt_rejection rejection;
} jwt_decision;

/**
 * Where a reading of the time comes from: one of the `JWT_SOURCE_` numbers.
 */
typedef int32_t jwt_source;

/**
 * Text that is read, in UTF-8, with or without a zero behind it.
 */
typedef struct jwt_text {
    /**
     * The first byte; null for text that there is none of.
     */
    const char *data;
    /**
     * How many bytes, a zero behind them not counted.
     */
    size_t len;
} jwt_text;

/**
 * An HMAC-SHA256 key, in storage of the caller's; opaque.
 *
 * It holds the key's two SHA-256 states, which sign whatever the key signs, or an engine. It may be
 * copied and moved. Every copy is to be wiped.
 */
typedef struct jwt_key {
    /**
     * Not to be looked at.
     */
    uint64_t opaque[JWT_KEY_WORDS];
} jwt_key;

/**
 * Bytes that are read.
 */
typedef struct jwt_bytes {
    /**
     * The first byte; may be null if there are none.
     */
    const uint8_t *data;
    /**
     * How many bytes.
     */
    size_t len;
} jwt_bytes;

/**
 * A key in hardware, a peripheral's or a secure element's, that a function of the firmware's computes with.
 */
typedef struct jwt_engine {
    /**
     * Given to the function as it is; may be null.
     */
    void *context;
    /**
     * Computes the HMAC-SHA256 of a message, writes its `JWT_MAC_LEN` bytes to `mac` and returns 0.
     *
     * The message comes whole. Anything but 0 becomes `JWT_ERROR_ENGINE`, and nothing is signed. The
     * function must not use the object that calls it.
     */
    int32_t (*hmac)(void *context, const uint8_t *message, size_t message_len, uint8_t *mac);
} jwt_engine;

/**
 * Which keys a credential may have: `JWT_POLICY_FIELD`, or a sum of the others.
 */
typedef uint32_t jwt_policy;

/**
 * What a device is authorized with, checked against what its API issues; all zeros but what the API needs.
 */
typedef struct jwt_credential {
    /**
     * The secret's ID or the `kid` of a token; none for a key that is sent as it is.
     */
    struct jwt_text id;
    /**
     * The key; none if there is an engine.
     */
    struct jwt_text key;
    /**
     * The hardware that holds the key of a token, or null; it is copied, what its context points to has to stay.
     */
    const struct jwt_engine *engine;
    /**
     * Which keys are taken.
     */
    jwt_policy policy;
} jwt_credential;

/**
 * What a session begins with.
 */
typedef struct jwt_session_config {
    /**
     * `heymarket`, `heymarket-bearer`, `heymarket-basic`, `heyoo`, `key-id`, `key-id-static` or `hookmesh`.
     */
    struct jwt_text api;
    /**
     * When the firmware was built, in Unix seconds: no earlier time is believed, nor one 50 years later.
     */
    uint64_t build_secs;
    /**
     * What `jwt_session_floor_secs` returned when it was last kept in flash, or 0.
     */
    uint64_t floor_secs;
    /**
     * The `JWT_SLOTS_LEN` bytes that `jwt_session_slots` gave when they were last kept in flash; null on a new
     * device, which takes each credential below as one that the server has yet to see.
     */
    const uint8_t *slots;
    /**
     * The credential in slot A, or null. One that the slots don't know is not used.
     */
    const struct jwt_credential *a;
    /**
     * The credential in slot B, or null.
     */
    const struct jwt_credential *b;
} jwt_session_config;

/**
 * What a token says besides its times: text without data is left out, so all zeros is nothing.
 *
 * The header is `{"alg":"HS256","kid":"...","typ":"JWT"}`; the claims follow each other in the order of
 * the fields. Text is escaped as JSON wants it.
 */
typedef struct jwt_claims {
    /**
     * Key ID, in the header.
     */
    struct jwt_text kid;
    /**
     * Issuer.
     */
    struct jwt_text iss;
    /**
     * Subject.
     */
    struct jwt_text sub;
    /**
     * Audience, a single one.
     */
    struct jwt_text aud;
    /**
     * Token ID.
     */
    struct jwt_text jti;
} jwt_claims;

/**
 * When a token is valid, in Unix seconds; `JWT_ABSENT` leaves a time out.
 *
 * They follow the other claims, in the order of the fields.
 */
typedef struct jwt_times {
    /**
     * The token is not accepted from this second on.
     */
    uint64_t exp;
    /**
     * The token is not accepted before.
     */
    uint64_t nbf;
    /**
     * When the token was issued.
     */
    uint64_t iat;
} jwt_times;

/**
 * A token of which everything but the times is encoded and absorbed once, in storage of the caller's; opaque.
 *
 * It holds the key, so it signs whatever the key signs. It may be copied and moved. Every copy is to be wiped.
 */
typedef struct jwt_template {
    /**
     * Not to be looked at.
     */
    uint64_t opaque[JWT_TEMPLATE_WORDS];
} jwt_template;

/**
 * What a token says; its texts lie in the scratch buffer that it was read with.
 */
typedef struct jwt_token {
    /**
     * The header's JSON.
     */
    struct jwt_text header;
    /**
     * The payload's JSON.
     */
    struct jwt_text payload;
    /**
     * The `alg` of the header, escapes not decoded.
     */
    struct jwt_text alg;
    /**
     * The `kid` of the header, escapes not decoded; no data if there is none.
     */
    struct jwt_text kid;
    /**
     * The times that the token has.
     */
    struct jwt_times times;
} jwt_token;

/**
 * What a token's times are held against.
 */
typedef struct jwt_validation {
    /**
     * The present, in Unix seconds.
     */
    uint64_t now;
    /**
     * By how many seconds the two clocks may differ.
     */
    uint64_t leeway_secs;
    /**
     * For how many seconds after `iat`, which it then must have, a token is accepted; `JWT_ABSENT` for any.
     */
    uint64_t max_age_secs;
} jwt_validation;

/**
 * A battery-backed real-time clock.
 */
#define JWT_SOURCE_RTC 1

/**
 * An operating system that keeps its own clock right.
 */
#define JWT_SOURCE_HOST 2

/**
 * SNTP (RFC 4330), unauthenticated.
 */
#define JWT_SOURCE_SNTP 3

/**
 * The `Date` of an HTTP response that came over TLS; over plain HTTP it is no source.
 */
#define JWT_SOURCE_HTTP_DATE 4

/**
 * The `time` member of Key-ID's health check, over TLS.
 */
#define JWT_SOURCE_KEY_ID_TIME 5

/**
 * Production keys, and those of APIs that don't tell; at least 32 bytes to sign with.
 */
#define JWT_POLICY_FIELD 0

/**
 * Test keys instead of production keys.
 */
#define JWT_POLICY_TEST 1

/**
 * Also keys of fewer than 32 bytes to sign with, against RFC 7518 section 3.2.
 */
#define JWT_POLICY_WEAK 2

/**
 * The first place for a credential.
 */
#define JWT_SLOT_A 0

/**
 * The second place for a credential.
 */
#define JWT_SLOT_B 1

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Learns from the answer to a request with the active slot's credential, and says what to do.
 *
 * What concerns the clock and the slots has been done when it returns; keep `jwt_session_slots` when they have
 * changed. `uptime_ms`: milliseconds since the start. On failure nothing is learnt, and `decision` is untouched.
 *
 * Errors: `JWT_ERROR_ARGUMENT` for a status or body that is none.
 */
jwt_status jwt_session_answered(struct jwt_session *session,
                                const struct jwt_answer *answer,
                                uint64_t uptime_ms,
                                struct jwt_decision *decision);

/**
 * Learns from the answer to the API's check with the standby slot's credential; the active slot is none the worse for it.
 *
 * What the check says goes to `check`, the seconds to wait, 0 mostly, to `after_secs`, unless that is null. On failure
 * nothing is learnt, and both are untouched.
 *
 * Errors: `JWT_ERROR_ARGUMENT` for a status or body that is none.
 */
jwt_status jwt_session_standby_answered(struct jwt_session *session,
                                        const struct jwt_answer *answer,
                                        uint64_t uptime_ms,
                                        jwt_check *check,
                                        uint32_t *after_secs);

/**
 * Takes a reading of the time, if it is plausible, and goes on from it if it is better than what there is.
 *
 * `unix_secs`: the present in Unix seconds, without leap seconds. `age_secs`: how many seconds ago the source was last
 * set right, or `JWT_AGE_UNKNOWN`. `uptime_ms`: milliseconds since the start.
 *
 * Errors: `JWT_ERROR_CLOCK_BEFORE_BUILD`, `JWT_ERROR_CLOCK_BEHIND_FLOOR`, `JWT_ERROR_CLOCK_TOO_FAR_AHEAD`,
 * `JWT_ERROR_CLOCK_CORRECTION_TOO_LARGE`, `JWT_ERROR_ARGUMENT` for an unknown source; the clock goes on as before.
 */
jwt_status jwt_session_set_clock(struct jwt_session *session,
                                 uint64_t unix_secs,
                                 jwt_source source,
                                 uint32_t age_secs,
                                 uint64_t uptime_ms);

/**
 * Tells the time that tokens are signed with, at an uptime in milliseconds.
 *
 * The present goes to `unix_secs`, in Unix seconds, and by how many seconds it may be wrong, either way, to
 * `error_secs`; each may be null. On failure nothing is written.
 *
 * Errors: `JWT_ERROR_CLOCK_UNSET`, `JWT_ERROR_CLOCK_UPTIME_BACKWARDS`, and what makes the time implausible.
 */
jwt_status jwt_session_now(struct jwt_session *session,
                           uint64_t uptime_ms,
                           uint64_t *unix_secs,
                           uint32_t *error_secs);

/**
 * Returns the Unix seconds that no reading may be behind of, to be kept in flash about once a day; 0 on failure.
 */
uint64_t jwt_session_floor_secs(struct jwt_session *session);

/**
 * Returns the Unix seconds of an HTTP-date in any of its forms (RFC 9110 section 5.6.7), 0 if it is none.
 */
uint64_t jwt_http_date_secs(struct jwt_text text);

/**
 * Returns the Unix seconds of an RFC 3339 timestamp, a fraction of a second cut off, 0 if it is none.
 */
uint64_t jwt_rfc3339_secs(struct jwt_text text);

/**
 * Prepares the HMAC key that is the concatenation of parts, together at least `JWT_KEY_MIN_LEN` bytes.
 *
 * Heymarket's key is three parts: the secret's ID, `||` and the secret's key.
 *
 * `key_size`: `sizeof(jwt_key)`. `parts_count`: 1 to 4. On failure the key is zeroed, so that using it
 * is an error, unless it can't be written to: then it is untouched.
 *
 * Errors: `JWT_ERROR_KEY_EMPTY`, `JWT_ERROR_KEY_TOO_SHORT`, `JWT_ERROR_STORAGE_TOO_SMALL`,
 * `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`, `JWT_ERROR_LENGTH`.
 */
jwt_status jwt_key_from_parts(struct jwt_key *key,
                              size_t key_size,
                              const struct jwt_bytes *parts,
                              size_t parts_count);

/**
 * Prepares a key as `jwt_key_from_parts` does, but of any length, against RFC 7518's advice.
 *
 * For peers that issue keys under 32 bytes, and for test vectors.
 *
 * Errors: those of `jwt_key_from_parts` but `JWT_ERROR_KEY_TOO_SHORT`.
 */
jwt_status jwt_key_from_weak_parts(struct jwt_key *key,
                                   size_t key_size,
                                   const struct jwt_bytes *parts,
                                   size_t parts_count);

/**
 * Makes a key of an engine, which is copied; what its context points to has to stay.
 *
 * `key_size`: `sizeof(jwt_key)`. On failure the key is zeroed, unless it can't be written to.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, also for an engine without function, `JWT_ERROR_STORAGE_TOO_SMALL`,
 * `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_key_from_engine(struct jwt_key *key,
                               size_t key_size,
                               const struct jwt_engine *engine);

/**
 * Zeroes a key, initialised or not.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_key_wipe(struct jwt_key *key);

/**
 * Takes a new credential, already stored, into an empty slot: keep the slots after it.
 *
 * On failure the session is as before.
 *
 * Errors: `JWT_ERROR_SLOT_OCCUPIED`, `JWT_ERROR_ARGUMENT` for a slot that is none, those about IDs and keys.
 */
jwt_status jwt_session_deploy(struct jwt_session *session,
                              jwt_slot slot,
                              const struct jwt_credential *credential);

/**
 * Makes the standby the active slot: keep the slots after it.
 *
 * Errors: `JWT_ERROR_SLOT_NOT_VERIFIED`.
 */
jwt_status jwt_session_promote(struct jwt_session *session);

/**
 * Drops the standby's credential: keep the slots after it, then erase what is stored.
 */
jwt_status jwt_session_retire(struct jwt_session *session);

/**
 * Writes the record of the slots, to be kept in flash when it has changed: `JWT_SLOTS_LEN` bytes, untouched on failure.
 */
jwt_status jwt_session_slots(struct jwt_session *session,
                             uint8_t *record);

/**
 * Tells what comes next in a rotation, and in which slot, unless `slot` is null; untouched on failure.
 *
 * Where a step has no slot of its own it is the standby.
 */
jwt_status jwt_session_next_step(struct jwt_session *session,
                                 jwt_step *step,
                                 jwt_slot *slot);

/**
 * Begins a session.
 *
 * `session_size`: `sizeof(jwt_session)`. The clock is unset. What the configuration points to is not needed
 * afterwards, but for the context of an engine. On failure the session is zeroed, so that using it is an error,
 * unless it can't be written to: then it is untouched.
 *
 * Errors: `JWT_ERROR_UNKNOWN_API`, those about IDs and keys, `JWT_ERROR_SLOT_RECORD`, `JWT_ERROR_ARGUMENT` for an
 * unknown policy or a key beside an engine, `JWT_ERROR_STORAGE_TOO_SMALL`.
 */
jwt_status jwt_session_init(struct jwt_session *session,
                            size_t session_size,
                            const struct jwt_session_config *config);

/**
 * Writes the line of a request that starts now: `Authorization: ` and what the API wants, without CRLF.
 *
 * `uptime_ms` is milliseconds since the start, in 64 bits; see `jwt_uptime_ms`. A token serves many requests, and is
 * signed anew shortly before it expires.
 *
 * Writes the line and a zero to `line`, a buffer of `line_size` bytes, and its length without that zero to
 * `line_len`, unless that is null. On `JWT_ERROR_BUFFER_TOO_SMALL` nothing is written but the length that the line
 * has; on any other error the buffer is untouched. `JWT_LINE_SIZE` bytes are always enough.
 *
 * Errors: `JWT_ERROR_NO_CREDENTIAL`; for a token, those about the clock, first of all `JWT_ERROR_CLOCK_UNSET`, and
 * `JWT_ERROR_ENGINE`; `JWT_ERROR_BUFFER_TOO_SMALL`.
 */
jwt_status jwt_session_authorize(struct jwt_session *session,
                                 uint64_t uptime_ms,
                                 char *line,
                                 size_t line_size,
                                 size_t *line_len);

/**
 * Writes the line of the API's check of the standby slot's credential, as `jwt_session_authorize` does of the active's.
 */
jwt_status jwt_session_authorize_standby(struct jwt_session *session,
                                         uint64_t uptime_ms,
                                         char *line,
                                         size_t line_size,
                                         size_t *line_len);

/**
 * Zeroes a session, initialised or not.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_session_wipe(struct jwt_session *session);

/**
 * Signs a token of claims of any length.
 *
 * Writes the token and a zero to `token`, a buffer of `token_size` bytes, and its length without that
 * zero to `token_len`, unless that is null. On `JWT_ERROR_BUFFER_TOO_SMALL` nothing is written but the
 * length that the token has; `token` may be null if `token_size` is 0. On `JWT_ERROR_ENGINE` the bytes
 * of the token are zeroed; on any other error the buffer is untouched.
 *
 * Errors: `JWT_ERROR_BUFFER_TOO_SMALL`, `JWT_ERROR_TIME_OUT_OF_RANGE`, `JWT_ERROR_ENGINE`,
 * `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED`, and those about pointers.
 */
jwt_status jwt_sign(const struct jwt_key *key,
                    const struct jwt_claims *claims,
                    const struct jwt_times *times,
                    char *token,
                    size_t token_size,
                    size_t *token_len);

/**
 * Returns the length in bytes of the token that `jwt_sign` makes, without the zero; 0 if it can't make it.
 */
size_t jwt_token_len(const struct jwt_claims *claims,
                     const struct jwt_times *times);

/**
 * Returns what a status means as a sentence that says what to do: static, in English, ended by a zero.
 *
 * A number that is no status has a sentence too.
 */
const char *jwt_status_text(int32_t status);

/**
 * Encodes and absorbs everything of a token but its times.
 *
 * `template_size`: `sizeof(jwt_template)`. Key and claims are not needed afterwards; the key may be wiped.
 * On failure the template is zeroed, so that using it is an error, unless it can't be written to:
 * then it is untouched.
 *
 * Errors: `JWT_ERROR_CLAIMS_TOO_LONG`, `JWT_ERROR_NOT_UTF8`, `JWT_ERROR_NOT_INITIALIZED` for the key,
 * `JWT_ERROR_STORAGE_TOO_SMALL`, and those about pointers.
 */
jwt_status jwt_template_init(struct jwt_template *template_,
                             size_t template_size,
                             const struct jwt_key *key,
                             const struct jwt_claims *claims);

/**
 * Signs with new times, at the cost of 3 SHA-256 compressions for a token of Heymarket's.
 *
 * The token is byte for byte the one of `jwt_sign`, as are the buffer, the length and the errors.
 */
jwt_status jwt_template_sign(struct jwt_template *template_,
                             const struct jwt_times *times,
                             char *token,
                             size_t token_size,
                             size_t *token_len);

/**
 * Signs with new times, and writes the line of an HTTP request: `Authorization: Bearer ` and the token, without CRLF.
 *
 * Buffer, length and errors are as of `jwt_sign`, with the line in the place of the token: its length is
 * `JWT_BEARER_LINE_LEN` of the token's.
 */
jwt_status jwt_template_bearer_line(struct jwt_template *template_,
                                    const struct jwt_times *times,
                                    char *line,
                                    size_t line_size,
                                    size_t *line_len);

/**
 * Returns the length in bytes of the token with these times, without the zero; 0 if it can't be signed.
 */
size_t jwt_template_token_len(struct jwt_template *template_,
                              const struct jwt_times *times);

/**
 * Zeroes a template, initialised or not.
 *
 * Errors: `JWT_ERROR_NULL_POINTER`, `JWT_ERROR_MISALIGNED`.
 */
jwt_status jwt_template_wipe(struct jwt_template *template_);

/**
 * Reads a compact token without trusting it: it may be a lie.
 *
 * The token is decoded into `scratch`, of which `JWT_SCRATCH_SIZE` of the token's length is enough; what it says goes
 * to `said`, whose texts point there. On failure `said` is untouched, and `scratch` holds a part of the token, or what
 * it held.
 *
 * Errors: `JWT_ERROR_TOKEN_TOO_LONG`, `JWT_ERROR_TOKEN_MALFORMED`, `JWT_ERROR_BUFFER_TOO_SMALL`, `JWT_ERROR_NOT_UTF8`.
 */
jwt_status jwt_inspect(struct jwt_text token,
                       uint8_t *scratch,
                       size_t scratch_size,
                       struct jwt_token *said);

/**
 * Checks that a token is signed by a key with HS256 and valid in time, and reads it as `jwt_inspect` does.
 *
 * Signatures are compared in constant time; `none`, any other `alg` and any `crit` are refused. Times that are absent are
 * not checked, but for `iat` where there is a maximum age. Who may issue the token, and for whom, is for the caller to
 * check in what it says. `said` may be null; on failure it is untouched.
 *
 * Errors: those of `jwt_inspect`; `JWT_ERROR_TOKEN_ALGORITHM`, `JWT_ERROR_TOKEN_CRITICAL`, `JWT_ERROR_TOKEN_SIGNATURE`,
 * `JWT_ERROR_TOKEN_EXPIRED`, `JWT_ERROR_TOKEN_NOT_YET_VALID`, `JWT_ERROR_TOKEN_FROM_FUTURE`,
 * `JWT_ERROR_TOKEN_WITHOUT_IAT`, `JWT_ERROR_TOKEN_TOO_OLD`; `JWT_ERROR_ENGINE`, `JWT_ERROR_NOT_INITIALIZED` for the key.
 */
jwt_status jwt_verify(const struct jwt_key *key,
                      struct jwt_text token,
                      const struct jwt_validation *validation,
                      uint8_t *scratch,
                      size_t scratch_size,
                      struct jwt_token *said);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The bytes of a string literal, or of an array without its last one: a jwt_text or a jwt_bytes. */
#ifdef __cplusplus
#define JWT_TEXT(literal) (jwt_text{(literal), sizeof(literal) - 1})
#define JWT_BYTES(literal) (jwt_bytes{reinterpret_cast<const uint8_t *>(literal), sizeof(literal) - 1})
#else
#define JWT_TEXT(literal) ((jwt_text){(literal), sizeof(literal) - 1})
#define JWT_BYTES(literal) ((jwt_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#endif

/* Text that is ended by a zero; none for a null pointer. */
static inline jwt_text jwt_text_of(const char *text) {
    jwt_text result = {text, 0};
    while (text && text[result.len]) {
        result.len++;
    }
    return result;
}

/* The bytes of text that is ended by a zero; none for a null pointer. */
static inline jwt_bytes jwt_bytes_of(const char *text) {
    jwt_bytes result = {(const uint8_t *)text, jwt_text_of(text).len};
    return result;
}

/* The time of issue alone, as Heymarket wants it. */
static inline jwt_times jwt_times_iat(uint64_t iat) {
    jwt_times result = {JWT_ABSENT, JWT_ABSENT, iat};
    return result;
}

/* The time of expiry alone, the least that the Key-ID JWT API wants. */
static inline jwt_times jwt_times_exp(uint64_t exp) {
    jwt_times result = {exp, JWT_ABSENT, JWT_ABSENT};
    return result;
}

/* Widens a tick of milliseconds that wraps after 49.7 days; last_ms begins as 0. Call it at least that often. */
static inline uint64_t jwt_uptime_ms(uint64_t *last_ms, uint32_t tick_ms) {
    *last_ms += (uint32_t)(tick_ms - (uint32_t)*last_ms);
    return *last_ms;
}

/* Bytes of scratch that reading a token of this length takes at most. */
#define JWT_SCRATCH_SIZE(token_len) ((token_len) / 4 * 3 + 2)

/* Bytes of any line that a session writes, and its zero. */
#define JWT_LINE_SIZE (15 + JWT_AUTHORIZATION_CAPACITY + 1)

/*
 * Lengths for the compiler, for text that JSON needs not escape and seconds of ten digits (2001 to 2286).
 * JWT_TOKEN_LEN is of a header and a payload of these lengths as JSON; JWT_TOKEN_LEN(JWT_HEADER_LEN,
 * JWT_ISS_IAT_LEN(36)) is 165, the length of Heymarket's token.
 */
#define JWT_BASE64URL_LEN(len) (((len) * 4 + 2) / 3)
#define JWT_TOKEN_LEN(header_len, payload_len) \
    (JWT_BASE64URL_LEN(header_len) + 1 + JWT_BASE64URL_LEN(payload_len) + 44)
#define JWT_HEADER_LEN 27
#define JWT_HEADER_KID_LEN(kid_len) (JWT_HEADER_LEN + 9 + (kid_len))
#define JWT_ISS_IAT_LEN(iss_len) (27 + (iss_len))
#define JWT_EXP_LEN 18

/* The length of an Authorization line with a bearer token of this length, without CRLF. */
#define JWT_BEARER_LINE_LEN(token_len) (22 + (token_len))
