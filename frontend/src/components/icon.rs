//! The page's pictures, all drawn inline.

use leptos::prelude::*;

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// Waiting.
    Clock,
    /// Under way.
    Sent,
    /// Durable.
    Check,
    /// Refused, or a trouble.
    Alert,
    /// Add.
    Plus,
    /// Change.
    Pencil,
    /// Delete.
    Bin,
    /// A place's address.
    Link,
    /// Again.
    Again,
    /// Close.
    Cross,
    /// The list of rooms.
    Menu,
    /// People.
    People,
    /// Downwards.
    Down,
    /// Upwards.
    Up,
    /// Send.
    Send,
    /// A room's beginning.
    Flag,
    /// A tear in the log.
    Gap,
}

impl Glyph {
    /// Its lines, on a field of 24 by 24.
    fn path(self) -> &'static str {
        match self {
            Self::Clock => "M12 7v5l3 2M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
            Self::Sent => "M12 19V6M6.5 11.5 12 6l5.5 5.5",
            Self::Check => "m5 12.5 4.5 4.5L19 7.5",
            Self::Alert => "M12 8v5m0 3.2v.1M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Pencil => "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
            Self::Bin => "M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13M10.5 11v5.5m3-5.5v5.5",
            Self::Link => {
                "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"
            }
            Self::Again => {
                "M4 12a8 8 0 0 1 13.7-5.6L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.6L4 15.5M4 20v-4.5h4.5"
            }
            Self::Cross => "m6 6 12 12M18 6 6 18",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::People => {
                "M9 11a3.5 3.5 0 1 0 0-7a3.5 3.5 0 0 0 0 7M2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.3M18 14.4a6.5 6.5 0 0 1 3.5 5.6"
            }
            Self::Down => "M12 5v14m-6-6 6 6 6-6",
            Self::Up => "M12 19V5m6 6-6-6-6 6",
            Self::Send => "M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4",
            Self::Flag => "M6 21V4m0 1h11l-2 4 2 4H6",
            Self::Gap => "M4 9c3-3 5 3 8 0s5 3 8 0M4 15c3-3 5 3 8 0s5 3 8 0",
        }
    }
}

/// A picture beside a text, or in a button that has a name.
#[component]
pub fn Icon(
    /// Which one.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            stroke-width="2"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=glyph.path() />
        </svg>
    }
    .into_any()
}

/// The product's mark.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <rect class="mark-field" width="32" height="32" rx="7" />
            <g
                class="mark-lines"
                fill="none"
                stroke-width="2.6"
                stroke-linecap="round"
                stroke-linejoin="round"
            >
                <circle cx="16" cy="8.2" r="2.7" />
                <path d="M16 11v14.5M11 15h10M6.5 18.5c0 4.6 4 7.6 9.5 7.6s9.5-3 9.5-7.6M6.5 18.5l-1.8 2.9M6.5 18.5l3 1.9M25.5 18.5l1.8 2.9M25.5 18.5l-3 1.9" />
            </g>
        </svg>
    }
    .into_any()
}
