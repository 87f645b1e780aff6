//! The requests that send an alert, read back by other implementations.

use serde_json::{Value, json};
use sms_alert::{
    Account, Alert, DeviceName, HeaderValue, Host, MessageError, NewApiKey, Outbox, PhoneNumber,
    RamStore, Recipient, Request, Rules, Target, json_body,
};

const HEYMARKET: Account<'_> = Account::Heymarket {
    inbox_id: 21,
    creator_id: 42,
};
const HOOK_MESH: Account<'_> = Account::HookMesh {
    application_id: "app_1",
    event_type: "gateway.alert",
};

fn body(account: Account<'_>, to: Recipient, text: &str) -> Result<Value, MessageError> {
    let local_id = "gw-7-0000000100000000".try_into().unwrap();
    let mut buffer = [0; 2048];
    let body = account.body(&Alert::new(to, text).unwrap(), &local_id, &mut buffer)?;
    Ok(serde_json::from_slice(body).unwrap())
}

fn phone(digits: &str) -> PhoneNumber {
    PhoneNumber::new(digits).unwrap()
}

#[test]
fn heymarket_gets_exactly_one_target() {
    let phones = [phone("15551234567"), phone("441632960000")];
    let both = Recipient::Phones(phones.into_iter().collect());
    for (to, name, value) in [
        (
            Recipient::Phone(phones[0]),
            "phone_number",
            json!("15551234567"),
        ),
        (both, "targets", json!(["15551234567", "441632960000"])),
        (Recipient::Chat(7), "chat_id", json!(7)),
        (Recipient::List(8), "list_id", json!(8)),
    ] {
        let mut expected = json!({
            "inbox_id": 21, "creator_id": 42, "text": "Door open",
            "local_id": "gw-7-0000000100000000",
        });
        expected[name] = value;
        assert_eq!(body(HEYMARKET, to, "Door open"), Ok(expected));
    }
    for to in [
        Recipient::Subscribers,
        Recipient::Phones(Default::default()),
    ] {
        assert_eq!(body(HEYMARKET, to, "x"), Err(MessageError::NoRecipient));
    }
}

#[test]
fn hook_mesh_gets_an_event() {
    let expected = json!({
        "application_id": "app_1", "event_type": "gateway.alert", "event_id": "gw-7-0000000100000000",
        "payload": {"text": "Door open", "phones": ["15551234567"]},
    });
    let to = Recipient::Phone(phone("15551234567"));
    assert_eq!(body(HOOK_MESH, to, "Door open"), Ok(expected));
    assert_eq!(
        body(HOOK_MESH, Recipient::Chat(7), "x"),
        Err(MessageError::NoRecipient)
    );
}

#[test]
fn any_text_survives_the_way() {
    for text in [
        "\"\\/\u{8}\u{c}\n\r\t\u{1}\0\u{7f}",
        "🚨 Kühlraum 3: +9 °C",
        "\u{2028}</script>",
    ] {
        let body = body(HEYMARKET, Recipient::Chat(7), text).unwrap();
        assert_eq!(body["text"], text);
    }
}

#[test]
fn a_request_is_what_httparse_reads() {
    let mut body = [0; 128];
    let scopes = ["applications:read", "webhooks:write"];
    let body = json_body(
        &NewApiKey {
            name: "site \"7\"",
            scopes: &scopes,
        },
        &mut body,
    )
    .unwrap();
    let request = Request::post(
        Host::new("127.0.0.1:8080").unwrap(),
        Target::new("/v1/api-keys")
            .unwrap()
            .with_segment("key_abc123")
            .unwrap(),
        Some(HeaderValue::new("Bearer sk_test_1").unwrap()),
        body,
    );
    let mut buffer = [0; 512];
    let bytes = request.write(&mut buffer).unwrap();

    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_len = parsed.parse(bytes).unwrap().unwrap();
    assert_eq!(
        (parsed.method, parsed.path),
        (Some("POST"), Some("/v1/api-keys/key_abc123"))
    );
    let value = |name: &str| {
        let mut values = parsed
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        let value = values
            .next()
            .map(|header| str::from_utf8(header.value).unwrap());
        assert!(values.next().is_none(), "{name} once");
        value
    };
    assert_eq!(value("Host"), Some("127.0.0.1:8080"));
    assert_eq!(value("Authorization"), Some("Bearer sk_test_1"));
    assert_eq!(value("Content-Type"), Some("application/json"));
    assert_eq!(
        value("Content-Length"),
        Some(body.len().to_string().as_str())
    );
    let json: Value = serde_json::from_slice(&bytes[head_len..]).unwrap();
    assert_eq!(json, json!({"name": "site \"7\"", "scopes": scopes}));
    assert!(!format!("{request:?}").contains("sk_test_1"));
}

#[test]
fn a_local_id_is_never_used_twice() {
    let mut store = RamStore::<4, 1024>::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let device = DeviceName::new("gw-7").unwrap();
        let mut outbox = Outbox::<_, 3>::open(&mut store, device, Rules::default(), 5).unwrap();
        for _ in 0..20 {
            let alert = Alert::new(Recipient::Chat(7), "x").unwrap();
            let id = outbox.push(&alert).unwrap().id;
            assert!(seen.insert(outbox.local_id(id)));
            outbox.discard(id).unwrap();
        }
    }
}
