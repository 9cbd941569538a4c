//! JSON to typed values, by `serde_json`: with one rule more, and in less code.
//!
//! Derived readers take a struct from an object and from a list of its members, too. Nothing here
//! is ever written as such a list, so a list is refused where an object is meant; and the code that
//! would read it, made anew for each type, stays out of the page.
//!
//! It is done by a layer between the derived readers and `serde_json` that passes everything on as
//! it is, but asks for a map wherever a struct is asked for.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt;

/// Reads a value of which nothing but white space may stand behind it.
///
/// # Errors
/// It is no JSON, or none of this type.
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Objects(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// Whatever it is in between, it passes on.
struct Objects<T>(T);

macro_rules! pass_on {
    ($($ask:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $ask<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$ask($($name,)* Objects(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Objects(visitor))
    }

    pass_on! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! hand_over {
    ($($visit:ident($type:ty);)*) => {$(
        fn $visit<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$visit(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(text)
    }

    hand_over! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(value))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(value))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(Objects(seed))?;
        Ok((value, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Members(visitor))
    }
}

/// The members of a variant, as a map.
struct Members<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Members<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        value.deserialize_map(Objects(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        a: u8,
        #[serde(default)]
        b: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Unit,
        One(Inner),
        Two(u8, u8),
        Members { inner: Inner },
    }

    #[test]
    fn a_struct_is_an_object_and_never_a_list_wherever_it_stands() {
        assert_eq!(read::<Inner>(r#"{"a":1,"b":"x"}"#).unwrap().b.as_deref(), Some("x"));
        assert!(read::<Inner>(r#"[1,"x"]"#).is_err());
        assert!(read::<Vec<Inner>>(r#"[[1,"x"]]"#).is_err());
        assert!(read::<Option<Inner>>(r#"[1,"x"]"#).is_err());
        assert!(read::<BTreeMap<String, Inner>>(r#"{"k":[1,"x"]}"#).is_err());
        assert!(read::<Kind>(r#"{"one":[1,"x"]}"#).is_err());
        assert!(read::<Kind>(r#"{"members":[{"a":1}]}"#).is_err());
        assert!(read::<Kind>(r#"{"members":{"inner":[1]}}"#).is_err());
    }

    #[test]
    fn everything_else_is_read_as_ever() {
        let one = || Inner { a: 1, b: None };
        assert_eq!(read::<Kind>(r#""unit""#).unwrap(), Kind::Unit);
        assert_eq!(read::<Kind>(r#"{"one":{"a":1,"more":[{}]}}"#).unwrap(), Kind::One(one()));
        assert_eq!(read::<Kind>(r#"{"two":[1,2]}"#).unwrap(), Kind::Two(1, 2));
        let members = Kind::Members { inner: one() };
        assert_eq!(read::<Kind>(r#"{"members":{"inner":{"a":1}}}"#).unwrap(), members);
        assert_eq!(read::<Vec<Inner>>(r#" [{"a":1}] "#).unwrap(), [one()]);
        assert_eq!(read::<Option<Inner>>("null").unwrap(), None);
        assert_eq!(read::<(i64, f64, bool)>("[-1,0.5,true]").unwrap(), (-1, 0.5, true));
        assert_eq!(read::<String>(r#""a\u00e4\n""#).unwrap(), "aä\n");
        let raw: BTreeMap<&str, &RawValue> = read(r#"{"k": [1,  {"x":2}]}"#).unwrap();
        assert_eq!(raw["k"].get(), r#"[1,  {"x":2}]"#);
    }

    #[test]
    fn what_is_not_whole_or_has_more_behind_it_is_refused() {
        for text in ["", "{", r#"{"a":1"#, r#"{"a":1}x"#, r#"{"a":1}{}"#, r#"{"a":1,"a":1}"#] {
            assert!(read::<Inner>(text).is_err(), "{text}");
        }
        assert!(read::<Inner>(r#"{"a":256}"#).is_err());
        assert!(read::<Inner>(r#"{"b":"x"}"#).is_err());
    }
}
