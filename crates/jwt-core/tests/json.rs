//! Any value becomes the JSON that other writers make of it, or is refused by name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jwt_core::{Header, HmacKey, Json, JsonError, Times, inspect, sign, write_object};
use proptest::prelude::*;
use serde::ser::{
    Error, SerializeMap, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

/// A value that calls every function of a serializer.
#[derive(Clone, Debug)]
enum Tree {
    Unit,
    UnitStruct,
    UnitVariant,
    Bool(bool),
    Signed(i64, u8),
    Unsigned(u64, u8),
    F32(f32),
    F64(f64),
    Char(char),
    Text(String),
    Shown(Vec<String>),
    Bytes(Vec<u8>),
    Optional(Option<Box<Tree>>),
    Newtype(Box<Tree>),
    NewtypeVariant(Box<Tree>),
    Seq(Vec<Tree>),
    Tuple(Vec<Tree>),
    TupleStruct(Vec<Tree>),
    TupleVariant(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    CharMap(BTreeMap<char, Tree>),
    Struct(Box<[Tree; 2]>),
    StructVariant(Box<[Tree; 2]>),
}

const NAME: &str = "a \"name\"\n";

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => s.serialize_unit(),
            Self::UnitStruct => s.serialize_unit_struct(NAME),
            Self::UnitVariant => s.serialize_unit_variant("Tree", 0, NAME),
            Self::Bool(value) => s.serialize_bool(*value),
            Self::Signed(value, 0) => s.serialize_i8(*value as i8),
            Self::Signed(value, 1) => s.serialize_i16(*value as i16),
            Self::Signed(value, 2) => s.serialize_i32(*value as i32),
            Self::Signed(value, _) => s.serialize_i64(*value),
            Self::Unsigned(value, 0) => s.serialize_u8(*value as u8),
            Self::Unsigned(value, 1) => s.serialize_u16(*value as u16),
            Self::Unsigned(value, 2) => s.serialize_u32(*value as u32),
            Self::Unsigned(value, _) => s.serialize_u64(*value),
            Self::F32(value) => s.serialize_f32(*value),
            Self::F64(value) => s.serialize_f64(*value),
            Self::Char(value) => s.serialize_char(*value),
            Self::Text(value) => s.serialize_str(value),
            Self::Shown(pieces) => s.collect_str(&Shown(pieces)),
            Self::Bytes(value) => s.serialize_bytes(value),
            Self::Optional(None) => s.serialize_none(),
            Self::Optional(Some(value)) => s.serialize_some(value),
            Self::Newtype(value) => s.serialize_newtype_struct(NAME, value),
            Self::NewtypeVariant(value) => s.serialize_newtype_variant("Tree", 1, NAME, value),
            Self::Seq(values) => s.collect_seq(values),
            Self::Tuple(values) => {
                let mut out = s.serialize_tuple(values.len())?;
                for value in values {
                    out.serialize_element(value)?;
                }
                out.end()
            }
            Self::TupleStruct(values) => {
                let mut out = s.serialize_tuple_struct(NAME, values.len())?;
                for value in values {
                    out.serialize_field(value)?;
                }
                out.end()
            }
            Self::TupleVariant(values) => {
                let mut out = s.serialize_tuple_variant("Tree", 2, NAME, values.len())?;
                for value in values {
                    out.serialize_field(value)?;
                }
                out.end()
            }
            Self::Map(members) => s.collect_map(members),
            Self::CharMap(members) => s.collect_map(members),
            Self::Struct(values) => {
                let mut out = s.serialize_struct("Tree", 2)?;
                out.serialize_field("first", &values[0])?;
                out.skip_field("skipped")?;
                out.serialize_field(NAME, &values[1])?;
                out.end()
            }
            Self::StructVariant(values) => {
                let mut out = s.serialize_struct_variant("Tree", 3, NAME, 2)?;
                out.serialize_field("first", &values[0])?;
                out.serialize_field("second", &values[1])?;
                out.end()
            }
        }
    }
}

struct Shown<'a>(&'a [String]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

fn finite32() -> impl Strategy<Value = f32> {
    any::<u32>()
        .prop_map(f32::from_bits)
        .prop_filter("finite", |value| value.is_finite())
}

fn finite64() -> impl Strategy<Value = f64> {
    let bits = any::<u64>().prop_map(f64::from_bits);
    let short = (any::<i32>(), -30..30i32).prop_map(|(a, b)| f64::from(a) * 10f64.powi(b));
    prop_oneof![bits, short].prop_filter("finite", |value| value.is_finite())
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Unit),
        Just(Tree::UnitStruct),
        Just(Tree::UnitVariant),
        Just(Tree::Optional(None)),
        any::<bool>().prop_map(Tree::Bool),
        (any::<i64>(), 0..4u8).prop_map(|(value, size)| Tree::Signed(value, size)),
        (any::<u64>(), 0..64u32, 0..4u8)
            .prop_map(|(value, shift, size)| Tree::Unsigned(value >> shift, size)),
        finite32().prop_map(Tree::F32),
        finite64().prop_map(Tree::F64),
        any::<char>().prop_map(Tree::Char),
        any::<String>().prop_map(Tree::Text),
        prop::collection::vec(any::<String>(), 0..3).prop_map(Tree::Shown),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Tree::Bytes),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4);
        let boxed = || inner.clone().prop_map(Box::new);
        let pair = || [inner.clone(), inner.clone()].prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(|value| Tree::Optional(Some(value))),
            boxed().prop_map(Tree::Newtype),
            boxed().prop_map(Tree::NewtypeVariant),
            list().prop_map(Tree::Seq),
            list().prop_map(Tree::Tuple),
            list().prop_map(Tree::TupleStruct),
            list().prop_map(Tree::TupleVariant),
            prop::collection::btree_map(any::<String>(), inner.clone(), 0..4).prop_map(Tree::Map),
            prop::collection::btree_map(any::<char>(), inner.clone(), 0..4).prop_map(Tree::CharMap),
            pair().prop_map(Tree::Struct),
            pair().prop_map(Tree::StructVariant),
        ]
    })
}

fn written(value: &(impl Serialize + ?Sized)) -> Result<String, JsonError> {
    let mut out = vec![0; 1 << 16];
    write_object(value, &mut out).map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn is_what_serde_json_writes(tree in tree()) {
        let expected = serde_json::to_string(&tree).unwrap();
        prop_assert_eq!(written(&BTreeMap::from([("a", &tree)])).unwrap(), format!("{{\"a\":{expected}}}"));
        // Alone it is written if it is an object.
        let alone = written(&tree);
        if expected.starts_with('{') {
            prop_assert_eq!(alone.unwrap(), expected);
        } else {
            prop_assert_eq!(alone, Err(JsonError::NotAnObject));
        }
    }

    #[test]
    fn claims_are_what_serde_json_core_writes(
        text in any::<String>(),
        list in prop::collection::vec((any::<i64>(), any::<Option<bool>>()), 0..4),
        members in prop::collection::btree_map(any::<String>(), any::<u64>(), 0..4),
    ) {
        let claims = BTreeMap::from([("a", (&text, &list, &members))]);
        let expected = serde_json_core::to_vec::<_, { 1 << 16 }>(&claims).unwrap();
        prop_assert_eq!(written(&claims).unwrap(), str::from_utf8(&expected).unwrap());
    }

    /// What is written can be signed and read again, with every name and value.
    #[test]
    fn is_read_back_out_of_a_token(members in prop::collection::btree_map("[a-d]", tree(), 0..4)) {
        let claims = Json::<{ 1 << 14 }>::new(&members);
        prop_assume!(claims.is_ok());
        let key = HmacKey::new(&[1; 32]).unwrap();
        let mut token = vec![0; 1 << 15];
        let token = sign(&key, &Header::new(), &claims.unwrap(), &Times::NONE, &mut token).unwrap();
        prop_assume!(token.len() <= jwt_core::MAX_TOKEN_LEN);
        let mut scratch = vec![0; 1 << 15];
        let payload = inspect(token, &mut scratch).unwrap().payload();
        prop_assert_eq!(payload, serde_json::to_string(&members).unwrap());
    }

    #[test]
    fn every_shorter_buffer_is_untouched(members in prop::collection::btree_map("[a-d]", any::<(u16, String)>(), 0..3)) {
        let expected = serde_json::to_string(&members).unwrap();
        let needed = expected.len();
        for len in 0..=needed + 1 {
            let mut out = vec![0xa5; len];
            let result = write_object(&members, &mut out).map(str::to_owned);
            if len < needed {
                prop_assert_eq!(result, Err(JsonError::BufferTooSmall { needed }));
                prop_assert!(out.iter().all(|byte| *byte == 0xa5));
            } else {
                prop_assert_eq!(result.as_ref(), Ok(&expected));
                prop_assert!(out[needed..].iter().all(|byte| *byte == 0xa5));
            }
        }
    }
}

#[test]
fn claims_tell_the_capacity_that_they_need() {
    let members = HashMap::from([("site", "pump 3")]);
    assert_eq!(
        Json::<17>::new(&members).unwrap().as_str(),
        r#"{"site":"pump 3"}"#
    );
    let too_small = JsonError::BufferTooSmall { needed: 17 };
    assert_eq!(Json::<16>::new(&members).unwrap_err(), too_small);
    assert_eq!(Json::<0>::new(&members).unwrap_err(), too_small);
}

/// JSON has no word for these; `serde_json` writes `null`.
#[test]
fn infinite_numbers_are_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let members = BTreeMap::from([("a", value)]);
        assert_eq!(written(&members), Err(JsonError::NotFinite));
        let members = BTreeMap::from([("a", [value as f32])]);
        assert_eq!(written(&members), Err(JsonError::NotFinite));
    }
}

#[test]
fn names_that_are_not_text_are_refused() {
    let names: [Tree; 6] = [
        Tree::Unit,
        Tree::Unsigned(1, 3),
        Tree::Bool(true),
        Tree::F32(1.0),
        Tree::Seq(vec![]),
        Tree::Map(BTreeMap::new()),
    ];
    for name in names {
        assert_eq!(
            written(&Named(name.clone())),
            Err(JsonError::NameNotText),
            "{name:?}"
        );
    }
    for name in [
        Tree::Text(NAME.into()),
        Tree::UnitVariant,
        Tree::Newtype(Box::new(Tree::Shown(vec![NAME.into()]))),
    ] {
        assert_eq!(written(&Named(name)).unwrap(), r#"{"a \"name\"\n":1}"#);
    }
}

/// A map with one member, of any name.
struct Named(Tree);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.0, &1)?;
        map.end()
    }
}

/// As deep as a token is read, and not a level deeper.
#[test]
fn nesting_is_capped() {
    for wrap in [
        (|inner| Tree::Seq(vec![inner])) as fn(Tree) -> Tree,
        |inner| Tree::NewtypeVariant(Box::new(inner)),
        |inner| Tree::Map(BTreeMap::from([("a".into(), inner)])),
    ] {
        let nested = |levels: usize| {
            let inner = (0..levels).fold(Tree::Unit, |inner, _| wrap(inner));
            written(&BTreeMap::from([("a", inner)]))
        };
        assert!(nested(32).is_ok());
        assert_eq!(nested(33), Err(JsonError::TooDeep));
    }
    // Containers side by side are not nested.
    let pairs = Tree::TupleVariant(vec![
        Tree::StructVariant(Box::new([Tree::Unit, Tree::Unit]));
        40
    ]);
    assert!(written(&pairs).is_ok());
}

#[test]
fn what_a_value_refuses_is_refused() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }
    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    struct Unprintable;
    impl Serialize for Unprintable {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&Broken)
        }
    }
    assert_eq!(
        written(&BTreeMap::from([("a", Broken)])),
        Err(JsonError::Refused)
    );
    assert_eq!(
        written(&BTreeMap::from([("a", Unprintable)])),
        Err(JsonError::Refused)
    );
    assert_eq!(
        written(&BTreeMap::from([("a", 1u128)])),
        Err(JsonError::Refused)
    );
}
