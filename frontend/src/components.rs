//! The page's parts.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

mod avatar;
mod blank;
mod composer;
mod dialog;
mod entry;
mod icon;
mod log;
mod name_dialog;
mod notices;
mod people;
mod region;
mod room_dialog;
mod sidebar;
mod status;
mod storage;

pub use avatar::Avatar;
pub use blank::Blank;
pub use composer::Composer;
pub use dialog::Dialog;
pub use entry::EntryView;
pub use icon::{Glyph, Icon, Mark};
pub use log::Log;
pub use name_dialog::NameDialog;
pub use notices::Notices;
pub use people::{People, PeopleButton};
pub use region::Region;
pub use room_dialog::RoomDialog;
pub use sidebar::{MenuButton, Sidebar};
pub use status::Status;
pub use storage::StorageNotice;
