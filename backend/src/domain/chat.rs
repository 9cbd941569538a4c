//! The chat's rules: what may be said, and who may take it back.

use holdfast_common::{
    chat::{Delete, Edit, Message, RoomCreated, RoomNamed, Rules, TextRefused},
    event::{Decision, EventType, Facts, No},
    limits::Limits,
    text::steers,
};

/// The rules of namespace `chat`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChatRules;

impl Rules for ChatRules {
    fn message(&self, event: &Message, _: &Facts, limits: &Limits) -> Decision<Message> {
        text(&event.text, limits.text_chars, Place::Message)
    }

    fn edit(&self, event: &Edit, facts: &Facts, limits: &Limits) -> Decision<Edit> {
        own_message(facts)?;
        text(&event.text, limits.text_chars, Place::Message)
    }

    fn delete(&self, _: &Delete, facts: &Facts, _: &Limits) -> Decision<Delete> {
        own_message(facts)
    }

    fn room_created(
        &self,
        event: &RoomCreated,
        facts: &Facts,
        limits: &Limits,
    ) -> Decision<RoomCreated> {
        text(&event.name, limits.name_chars, Place::Name)?;
        let name = facts.free_name.as_ref().unwrap_or(&event.name).clone();
        Ok(RoomNamed { name })
    }
}

/// Where a text stands: a message has its own place on the page, a name stands among others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Message,
    Name,
}

fn text(text: &str, max: u32, place: Place) -> Result<(), No<TextRefused>> {
    let no = |why| Err(No::Because(why));
    // One more than the limit is enough to know.
    if text.chars().take(max as usize + 1).count() > max as usize {
        return no(TextRefused::TooLong { max });
    }
    if !text.chars().any(is_visible) {
        return no(TextRefused::Empty);
    }
    let refused = |c: char| match place {
        Place::Message => c.is_control() && !matches!(c, '\n' | '\r' | '\t'),
        Place::Name => c.is_control() || steers(c),
    };
    if text.chars().any(refused) {
        return no(TextRefused::ControlCharacters);
    }
    Ok(())
}

/// White space, zero-width characters and the byte order mark show nothing.
fn is_visible(c: char) -> bool {
    let shows_nothing = matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}');
    !(c.is_whitespace() || c.is_control() || steers(c) || shows_nothing)
}

fn own_message(facts: &Facts) -> Result<(), No<TextRefused>> {
    // The shared checks have seen to it that there is a target.
    match &facts.target {
        Some(target) if target.kind != Message::NAME => Err(No::Because(TextRefused::NotMessage)),
        Some(target) if target.author != facts.person => Err(No::Because(TextRefused::NotAuthor)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{
        event::{TargetFacts, Versions},
        id::{EventId, PersonId},
    };

    const ME: PersonId = PersonId::NIL;

    fn facts(target: Option<(&str, PersonId)>) -> Facts {
        Facts {
            person: ME,
            room: None,
            member: true,
            target: target.map(|(kind, author)| TargetFacts {
                id: EventId::NIL,
                kind: kind.to_owned(),
                author,
                hollow: false,
            }),
            free_name: Some("Ward-2".to_owned()),
            versions: Versions::default(),
        }
    }

    fn say(text: &str) -> Decision<Message> {
        let text = text.to_owned();
        let limits = Limits { text_chars: 5, ..Limits::default() };
        ChatRules.message(&Message { text }, &facts(None), &limits)
    }

    #[test]
    fn a_text_is_counted_in_characters() {
        assert_eq!(say("äöüßé"), Ok(()));
        let too_long = No::Because(TextRefused::TooLong { max: 5 });
        assert_eq!(say("äöüßé!"), Err(too_long));
    }

    #[test]
    fn a_text_with_nothing_to_see_is_empty() {
        for text in ["", " ", "\n\t", "\u{200B}\u{FEFF}", "\u{a0}\u{2003}"] {
            assert_eq!(say(text), Err(No::Because(TextRefused::Empty)), "{text:?}");
        }
    }

    #[test]
    fn line_breaks_are_text_and_other_control_characters_are_not() {
        assert_eq!(say("a\r\n\tb"), Ok(()));
        // Texts that run from right to left need these.
        assert_eq!(say("\u{2067}a\u{2069}"), Ok(()));
        for text in ["a\0", "\u{1b}[1m", "a\u{7f}", "\u{85}x"] {
            let refused = No::Because(TextRefused::ControlCharacters);
            assert_eq!(say(text), Err(refused), "{text:?}");
        }
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(say("<b>x"), Ok(()));
    }

    #[test]
    fn only_the_author_changes_a_message_and_only_a_message_is_changed() {
        let other = PersonId::from_bytes([1; 16]);
        let target = EventId::NIL;
        let text = "new".to_owned();
        let edit = Edit { target, text };
        let rules = ChatRules;
        let limits = Limits::default();
        let mine = facts(Some(("message", ME)));
        assert_eq!(rules.edit(&edit, &mine, &limits), Ok(()));
        assert_eq!(rules.delete(&Delete { target }, &mine, &limits), Ok(()));
        let others = facts(Some(("message", other)));
        let refused = Err(No::Because(TextRefused::NotAuthor));
        assert_eq!(rules.edit(&edit, &others, &limits), refused);
        assert_eq!(rules.delete(&Delete { target }, &others, &limits), refused);
        let beginning = facts(Some(("room_created", ME)));
        let refused = Err(No::Because(TextRefused::NotMessage));
        assert_eq!(rules.edit(&edit, &beginning, &limits), refused);
    }

    #[test]
    fn a_room_gets_the_name_that_is_free() {
        let create = |name: &str| {
            let name = name.to_owned();
            ChatRules.room_created(&RoomCreated { name }, &facts(None), &Limits::default())
        };
        let name = "Ward-2".to_owned();
        assert_eq!(create("Ward"), Ok(RoomNamed { name }));
        let refused = No::Because(TextRefused::ControlCharacters);
        assert_eq!(create("Ward\n2"), Err(refused));
        let refused = No::Because(TextRefused::ControlCharacters);
        assert_eq!(create("a\u{202e}b"), Err(refused));
        assert_eq!(create("  "), Err(No::Because(TextRefused::Empty)));
    }
}
