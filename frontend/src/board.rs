//! The page of a queue: its jobs as cards, for people who do them and for those who see that they are
//! done.
//!
//! Like the rooms' page it is a machine without a browser, here [`Machine`], that the
//! [link](crate::link::BoardLink) drives, and a [view](view::Board) that shows what it says.

pub mod machine;
pub mod place;
pub mod store;
pub mod view;
pub mod words;

pub use machine::{Input, Machine, Output, Shelf, Wish};
