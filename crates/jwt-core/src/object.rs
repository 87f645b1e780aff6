//! Any `serde` value as a JSON object (RFC 8259) in a caller's buffer.
//!
//! Text is escaped as that of the typed claims is, numbers are those of `serde_json`, byte for byte.
//! What no JSON text can say, or no object, is refused by name: nothing is left out or rounded.

use core::fmt::{self, Display, Write};

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::json::{self, Sink};
use crate::json_error::JsonError;
use crate::scan::MAX_DEPTH;

/// Writes `value`, which must become a JSON object, to the start of `out` and returns its text.
///
/// ```
/// # fn main() -> Result<(), jwt_core::JsonError> {
/// #[derive(serde::Serialize)]
/// struct Alarm<'a> {
///     site: &'a str,
///     level: f32,
/// }
///
/// let mut out = [0; 40];
/// let text = jwt_core::write_object(&Alarm { site: "pump \"3\"", level: 0.1 }, &mut out)?;
/// assert_eq!(text, r#"{"site":"pump \"3\"","level":0.1}"#);
/// # Ok(()) }
/// ```
///
/// # Errors
/// Every [`JsonError`]; `out` is then untouched, unless a value becomes another text the second time it is
/// serialised, by interior mutability.
pub fn write_object<'o, T: Serialize + ?Sized>(
    value: &T,
    out: &'o mut [u8],
) -> Result<&'o str, JsonError> {
    let needed = serialize(value, &mut [])?;
    let out = out
        .get_mut(..needed)
        .ok_or(JsonError::BufferTooSmall { needed })?;
    // A value may become another text the second time, by interior mutability alone.
    let needed = serialize(value, out)?;
    let text = out
        .get(..needed)
        .ok_or(JsonError::BufferTooSmall { needed })?;
    Ok(core::str::from_utf8(text).unwrap_or_default())
}

/// Writes as much of `value` as `out` holds, and returns the length of all of it.
fn serialize<T: Serialize + ?Sized>(value: &T, out: &mut [u8]) -> Result<usize, JsonError> {
    let mut serializer = Serializer {
        out,
        len: 0,
        depth: 0,
        expected: Expected::Object,
    };
    value.serialize(&mut serializer)?;
    Ok(serializer.len)
}

struct Serializer<'o> {
    out: &'o mut [u8],
    len: usize,
    depth: u32,
    expected: Expected,
}

/// What may be written next.
#[derive(Clone, Copy)]
enum Expected {
    Object,
    Name,
    Value,
}

/// What is about to be written.
#[derive(Clone, Copy)]
enum Shape {
    Object,
    Text,
    Other,
}

impl Sink for Serializer<'_> {
    fn write(&mut self, bytes: &[u8]) {
        let free = self.out.get_mut(self.len..).unwrap_or_default();
        for (slot, byte) in free.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.len = self.len.saturating_add(bytes.len());
    }
}

impl<'o> Serializer<'o> {
    fn begin(&mut self, shape: Shape) -> Result<(), JsonError> {
        match (self.expected, shape) {
            (Expected::Object, Shape::Object)
            | (Expected::Name, Shape::Text)
            | (Expected::Value, _) => {
                self.expected = Expected::Value;
                Ok(())
            }
            (Expected::Object, _) => Err(JsonError::NotAnObject),
            (Expected::Name, _) => Err(JsonError::NameNotText),
        }
    }

    fn scalar(&mut self, text: &[u8]) -> Result<(), JsonError> {
        self.begin(Shape::Other)?;
        self.write(text);
        Ok(())
    }

    fn number(&mut self, negative: bool, magnitude: u64) -> Result<(), JsonError> {
        self.begin(Shape::Other)?;
        if negative {
            self.write(b"-");
        }
        let digits = json::digits(magnitude);
        let zeros = digits.len() - json::digits_len(magnitude);
        self.write(digits.get(zeros..).unwrap_or_default());
        Ok(())
    }

    fn open(&mut self, shape: Shape, bracket: &[u8]) -> Result<(), JsonError> {
        self.begin(shape)?;
        if self.depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.depth += 1;
        self.write(bracket);
        Ok(())
    }

    fn object(&mut self) -> Result<Members<'_, 'o>, JsonError> {
        self.open(Shape::Object, b"{")?;
        Ok(self.members(b"}"))
    }

    fn array(&mut self) -> Result<Members<'_, 'o>, JsonError> {
        self.open(Shape::Other, b"[")?;
        Ok(self.members(b"]"))
    }

    /// Opens an object whose one member is named after an enum's variant.
    fn variant(&mut self, name: &str) -> Result<(), JsonError> {
        self.open(Shape::Object, b"{")?;
        json::write_string(self, name);
        self.write(b":");
        Ok(())
    }

    fn members(&mut self, close: &'static [u8]) -> Members<'_, 'o> {
        Members {
            serializer: self,
            close,
            empty: true,
        }
    }
}

/// The members of an object or the elements of an array, and the brackets to be written after them.
struct Members<'s, 'o> {
    serializer: &'s mut Serializer<'o>,
    close: &'static [u8],
    empty: bool,
}

impl Members<'_, '_> {
    fn next(&mut self) {
        if !self.empty {
            self.serializer.write(b",");
        }
        self.empty = false;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.next();
        value.serialize(&mut *self.serializer)
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), JsonError> {
        self.next();
        json::write_string(self.serializer, name);
        self.serializer.write(b":");
        value.serialize(&mut *self.serializer)
    }

    fn close(self) -> Result<(), JsonError> {
        self.serializer.depth -= self.close.len() as u32;
        self.serializer.write(self.close);
        Ok(())
    }
}

impl<'s, 'o> ser::Serializer for &'s mut Serializer<'o> {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Members<'s, 'o>;
    type SerializeTuple = Members<'s, 'o>;
    type SerializeTupleStruct = Members<'s, 'o>;
    type SerializeTupleVariant = Members<'s, 'o>;
    type SerializeMap = Members<'s, 'o>;
    type SerializeStruct = Members<'s, 'o>;
    type SerializeStructVariant = Members<'s, 'o>;

    fn serialize_bool(self, value: bool) -> Result<(), JsonError> {
        self.scalar(if value { b"true" } else { b"false" })
    }

    fn serialize_i8(self, value: i8) -> Result<(), JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), JsonError> {
        self.number(value < 0, value.unsigned_abs())
    }

    fn serialize_u8(self, value: u8) -> Result<(), JsonError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), JsonError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), JsonError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), JsonError> {
        self.number(false, value)
    }

    /// The shortest text that reads back as the same `f32`.
    fn serialize_f32(self, value: f32) -> Result<(), JsonError> {
        if !value.is_finite() {
            return Err(JsonError::NotFinite);
        }
        self.scalar(zmij::Buffer::new().format_finite(value).as_bytes())
    }

    /// The shortest text that reads back as the same `f64`.
    fn serialize_f64(self, value: f64) -> Result<(), JsonError> {
        if !value.is_finite() {
            return Err(JsonError::NotFinite);
        }
        self.scalar(zmij::Buffer::new().format_finite(value).as_bytes())
    }

    fn serialize_char(self, value: char) -> Result<(), JsonError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), JsonError> {
        self.begin(Shape::Text)?;
        json::write_string(self, value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), JsonError> {
        self.begin(Shape::Text)?;
        self.write(b"\"");
        write!(Escaped(self), "{value}").map_err(|fmt::Error| JsonError::Refused)?;
        self.write(b"\"");
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), JsonError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), JsonError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), JsonError> {
        self.scalar(b"null")
    }

    fn serialize_unit_struct(self, _type: &'static str) -> Result<(), JsonError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _type: &'static str,
        _index: u32,
        name: &'static str,
    ) -> Result<(), JsonError> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _type: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _type: &'static str,
        _index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        self.variant(name)?;
        value.serialize(&mut *self)?;
        self.members(b"}").close()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Members<'s, 'o>, JsonError> {
        self.array()
    }

    fn serialize_tuple(self, _len: usize) -> Result<Members<'s, 'o>, JsonError> {
        self.array()
    }

    fn serialize_tuple_struct(
        self,
        _type: &'static str,
        _len: usize,
    ) -> Result<Members<'s, 'o>, JsonError> {
        self.array()
    }

    fn serialize_tuple_variant(
        self,
        _type: &'static str,
        _index: u32,
        name: &'static str,
        _len: usize,
    ) -> Result<Members<'s, 'o>, JsonError> {
        self.variant(name)?;
        self.open(Shape::Other, b"[")?;
        Ok(self.members(b"]}"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members<'s, 'o>, JsonError> {
        self.object()
    }

    fn serialize_struct(
        self,
        _type: &'static str,
        _len: usize,
    ) -> Result<Members<'s, 'o>, JsonError> {
        self.object()
    }

    fn serialize_struct_variant(
        self,
        _type: &'static str,
        _index: u32,
        name: &'static str,
        _len: usize,
    ) -> Result<Members<'s, 'o>, JsonError> {
        self.variant(name)?;
        self.open(Shape::Object, b"{")?;
        Ok(self.members(b"}}"))
    }
}

/// Escapes what is formatted into it.
struct Escaped<'s, 'o>(&'s mut Serializer<'o>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        json::write_escaped(self.0, text);
        Ok(())
    }
}

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = JsonError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), JsonError> {
        self.next();
        self.serializer.expected = Expected::Name;
        name.serialize(&mut *self.serializer)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.serializer.write(b":");
        value.serialize(&mut *self.serializer)
    }

    fn end(self) -> Result<(), JsonError> {
        self.close()
    }
}

macro_rules! elements {
    ($($kind:ident, $method:ident;)*) => {$(
        impl $kind for Members<'_, '_> {
            type Ok = ();
            type Error = JsonError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
                self.element(value)
            }

            fn end(self) -> Result<(), JsonError> {
                self.close()
            }
        }
    )*};
}

elements! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

macro_rules! members {
    ($($kind:ident;)*) => {$(
        impl $kind for Members<'_, '_> {
            type Ok = ();
            type Error = JsonError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), JsonError> {
                self.member(name, value)
            }

            fn end(self) -> Result<(), JsonError> {
                self.close()
            }
        }
    )*};
}

members! {
    SerializeStruct;
    SerializeStructVariant;
}
