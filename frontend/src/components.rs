//! The page's parts.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

mod avatar;
mod blank;
mod composer;
mod dialog;
mod entry;
mod forms;
mod icon;
mod log;
mod name_field;
mod notices;
mod people;
mod pieces;
mod region;
mod sidebar;
mod status;
mod storage;

pub use avatar::Avatar;
pub use blank::{Blank, to_lobby};
pub use composer::Composer;
pub use dialog::NameDialog;
pub use entry::EntryView;
pub use forms::is_long;
pub use icon::{Glyph, Icon, Mark};
pub use log::Log;
pub use name_field::NameField;
pub use notices::Notices;
pub use people::{People, PeopleButton};
pub use pieces::{Press, either, flag, fresh, pill, press, row, text, tool, when};
pub use region::Region;
pub use sidebar::{MenuButton, Sidebar, sign};
pub use status::Status;
pub use storage::StorageNotice;
