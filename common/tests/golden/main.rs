//! The bytes of `holdfast.v1`, and of what browsers keep in their databases, held fast: what was
//! sent or stored once stays readable, and today's code still writes it the same way.
//!
//! Each file holds one frame or one stored value, exactly, without a line break at its end.
//! `HOLDFAST_GOLDEN=add cargo test -p holdfast-common --test golden` adds the files and the lines
//! of the manifest that are missing. Nothing changes one that is there.

#![allow(unreachable_pub, reason = "a test has no outside")]

/// Names each variant. The `match` has no arm for the rest, so that a new variant does not compile
/// before it has its name here, and is then missed among the files.
macro_rules! names {
    ($all:ident, $of:ident, $type:ident: $($variant:ident = $name:literal)*) => {
        pub const $all: &[&str] = &[$($name),*];

        fn $of(value: &$type) -> &'static str {
            match value { $($type::$variant { .. } => $name,)* }
        }
    };
}

mod document;
mod files;
mod frames;
mod rows;
mod samples;
mod unknown;
mod work;
mod work_samples;
