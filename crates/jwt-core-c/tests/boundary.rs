//! The boundary as an interpreter sees it: `cargo miri test -p jwt-core-c` looks for undefined behaviour in what C's
//! pointers become. The C tests say what the functions do.
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "one contract covers them all: C's"
)]

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use jwt_core_c::*;

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const NOW: u64 = 1_713_225_600;
const NO_TEXT: jwt_text = jwt_text {
    data: ptr::null(),
    len: 0,
};

fn text(text: &str) -> jwt_text {
    jwt_text {
        data: text.as_ptr().cast(),
        len: text.len(),
    }
}

fn bytes(bytes: &[u8]) -> jwt_bytes {
    jwt_bytes {
        data: bytes.as_ptr(),
        len: bytes.len(),
    }
}

fn claims() -> jwt_claims {
    jwt_claims {
        kid: NO_TEXT,
        iss: text(ID),
        sub: NO_TEXT,
        aud: NO_TEXT,
        jti: NO_TEXT,
    }
}

const TIMES: jwt_times = jwt_times {
    exp: JWT_ABSENT,
    nbf: JWT_ABSENT,
    iat: NOW,
};

/// Everything is uninitialised before, as it is on C's stack.
#[test]
fn a_template_lives_in_memory_that_was_uninitialised() {
    let mut key = MaybeUninit::<jwt_key>::uninit();
    let mut template = MaybeUninit::<jwt_template>::uninit();
    let mut line = [MaybeUninit::<c_char>::uninit(); 188];
    let parts = [
        bytes(ID.as_bytes()),
        bytes(b"||"),
        bytes(b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"),
    ];
    let claims = claims();
    let mut len = MaybeUninit::uninit();
    // SAFETY: every pointer is to a variable of its type, or null.
    unsafe {
        let size = size_of::<jwt_key>();
        let status = jwt_key_from_parts(key.as_mut_ptr(), size, parts.as_ptr(), 3);
        assert_eq!(status, jwt_status::JWT_OK);
        let size = size_of::<jwt_template>();
        let status = jwt_template_init(template.as_mut_ptr(), size, key.as_ptr(), &claims);
        assert_eq!(status, jwt_status::JWT_OK);
        assert_eq!(jwt_key_wipe(key.as_mut_ptr()), jwt_status::JWT_OK);
        // A copy, as by memcpy.
        let mut copy = MaybeUninit::<jwt_template>::uninit();
        ptr::copy_nonoverlapping(template.as_ptr(), copy.as_mut_ptr(), 1);
        let status = jwt_template_bearer_line(
            copy.as_mut_ptr(),
            &TIMES,
            line.as_mut_ptr().cast(),
            line.len(),
            len.as_mut_ptr(),
        );
        assert_eq!(status, jwt_status::JWT_OK);
        assert_eq!(len.assume_init(), 187);
        let line = line.map(|char| char.assume_init() as u8);
        assert!(line.ends_with(b".sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0\0"));
        assert_eq!(jwt_template_wipe(copy.as_mut_ptr()), jwt_status::JWT_OK);
        assert_eq!(copy.assume_init().opaque, [0; JWT_TEMPLATE_WORDS]);
    }
}

/// Signs, and uses the template that it signs for.
unsafe extern "C" fn recursive(context: *mut c_void, _: *const u8, _: usize, mac: *mut u8) -> i32 {
    let mut token = [0; 200];
    // SAFETY: the context is the template, and a MAC has 32 bytes.
    unsafe {
        let status = jwt_template_sign(
            context.cast(),
            &TIMES,
            token.as_mut_ptr(),
            token.len(),
            ptr::null_mut(),
        );
        assert_eq!(status, jwt_status::JWT_ERROR_BUSY);
        mac.write_bytes(7, JWT_MAC_LEN);
    }
    0
}

#[test]
fn an_engine_may_look_at_the_object_that_calls_it() {
    let mut key = MaybeUninit::<jwt_key>::uninit();
    let mut template = MaybeUninit::<jwt_template>::uninit();
    let object = template.as_mut_ptr();
    let engine = jwt_engine {
        context: object.cast(),
        hmac: Some(recursive),
    };
    let claims = claims();
    let mut token = [0; 200];
    // SAFETY: every pointer is to a variable of its type, or null.
    unsafe {
        let size = size_of::<jwt_key>();
        jwt_key_from_engine(key.as_mut_ptr(), size, &engine);
        jwt_template_init(object, size_of::<jwt_template>(), key.as_ptr(), &claims);
        let signed = jwt_template_sign(object, &TIMES, token.as_mut_ptr(), 200, ptr::null_mut());
        assert_eq!(signed, jwt_status::JWT_OK);
    }
}

#[test]
fn a_session_lives_in_memory_that_was_uninitialised() {
    let credential = jwt_credential {
        id: NO_TEXT,
        key: text("hey_3f9c01aa"),
        engine: ptr::null(),
        policy: JWT_POLICY_FIELD,
    };
    let config = jwt_session_config {
        api: text("heyoo"),
        build_secs: NOW - 1000,
        floor_secs: 0,
        slots: ptr::null(),
        a: &credential,
        b: &credential,
    };
    let answer = jwt_answer {
        status: 401,
        repeatable: 0,
        secure: 1,
        rate_exhausted: 0,
        body: JWT_BODY_OTHER,
        date_secs: 0,
        rate_reset_secs: 0,
        retry_after_secs: 0,
    };
    let mut session = MaybeUninit::<jwt_session>::uninit();
    let object = session.as_mut_ptr();
    let mut decision = MaybeUninit::<jwt_decision>::uninit();
    let mut record = [MaybeUninit::<u8>::uninit(); JWT_SLOTS_LEN];
    let mut line = [0; 64];
    // SAFETY: every pointer is to a variable of its type, or null.
    unsafe {
        let begun = jwt_session_init(object, size_of::<jwt_session>(), &config);
        assert_eq!(begun, jwt_status::JWT_OK);
        let set = jwt_session_set_clock(object, NOW, JWT_SOURCE_RTC, 0, 0);
        assert_eq!(set, jwt_status::JWT_OK);
        jwt_session_authorize(object, 0, line.as_mut_ptr(), line.len(), ptr::null_mut());
        assert!(
            line.map(|char| char as u8)
                .starts_with(b"Authorization: Bearer hey_3f9c01aa\0")
        );
        let learnt = jwt_session_answered(object, &answer, 0, decision.as_mut_ptr());
        assert_eq!(learnt, jwt_status::JWT_OK);
        let decision = decision.assume_init();
        assert_eq!(decision.action, jwt_action::JWT_ACTION_SWITCH_SECRET);
        assert_eq!(decision.slot, JWT_SLOT_B);
        jwt_session_slots(object, record.as_mut_ptr().cast());
        assert_eq!(record.map(|byte| byte.assume_init())[1], 1);
        assert_eq!(jwt_session_wipe(object), jwt_status::JWT_OK);
    }
}

#[test]
fn a_token_is_read_in_scratch_memory() {
    let token = "eyJhbGciOiJub25lIn0.eyJpYXQiOjF9.";
    let mut scratch = [0; 64];
    let mut said = MaybeUninit::<jwt_token>::uninit();
    // SAFETY: every pointer is to a variable of its type, or null.
    unsafe {
        let read = jwt_inspect(text(token), scratch.as_mut_ptr(), 64, said.as_mut_ptr());
        assert_eq!(read, jwt_status::JWT_OK);
        let alg = said.assume_init().alg;
        let alg = core::slice::from_raw_parts(alg.data.cast::<u8>(), alg.len);
        assert_eq!(alg, b"none");
    }
}
