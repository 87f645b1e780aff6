//! The count of messages beside another implementation, and at the edges that the standard sets.

use proptest::prelude::*;
use sms_alert::{Encoding, Segments};
use sms_splitter::SplitSms;

fn text() -> impl Strategy<Value = String> {
    let gsm = "[ -_a-~\n€^{}\\[\\]£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà]{0,480}";
    let mixed = "[a-z`°çЖ漢🚨]{0,220}";
    prop_oneof![gsm, mixed, any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn counts_as_sms_splitter_does(text in text()) {
        prop_assume!(!text.is_empty());
        let segments = Segments::of(&text);
        let other = SplitSms::default().split(text.clone());
        let (encoding, unit) = match other.character_set.as_str() {
            "GSM" => (Encoding::Gsm7, 1),
            _ => (Encoding::Ucs2, 2),
        };
        prop_assert_eq!(segments.encoding, encoding);
        prop_assert_eq!(segments.units, other.bytes / unit);
        prop_assert_eq!(segments.count, other.parts.len());
    }
}

#[test]
fn the_limits_of_3gpp_ts_23_040() {
    let count = |text: &str| Segments::of(text).count;
    for (length, gsm, ucs) in [
        (70, 1, 1),
        (71, 1, 2),
        (134, 1, 2),
        (135, 1, 3),
        (160, 1, 3),
        (161, 2, 3),
    ] {
        assert_eq!(count(&"a".repeat(length)), gsm, "{length} septets");
        assert_eq!(count(&"Ж".repeat(length)), ucs, "{length} code units");
    }
    // An extended character does not straddle two parts: 152 septets, then 2 in the next part.
    let straddling = format!("{}{{{}", "a".repeat(152), "a".repeat(151));
    assert_eq!((straddling.len(), count(&straddling)), (304, 2));
    assert_eq!(count(&format!("{straddling}a")), 3);
    // Nor does a surrogate pair: 66 units, then 2.
    assert_eq!(count(&format!("{}🚨{}", "Ж".repeat(66), "Ж".repeat(65))), 2);
    assert_eq!(count(&format!("{}🚨{}", "Ж".repeat(66), "Ж".repeat(66))), 3);
}
