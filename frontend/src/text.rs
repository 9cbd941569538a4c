//! A message's text in parts: words, and addresses that become links. Nothing else in it is
//! interpreted.

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Shown as it is.
    Plain(&'a str),
    /// A web address.
    Link(&'a str),
}

/// Divides a text. The parts together are the text again.
#[must_use]
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((start, end)) = next_link(rest) {
        if start > 0 {
            parts.push(Part::Plain(&rest[..start]));
        }
        parts.push(Part::Link(&rest[start..end]));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(Part::Plain(rest));
    }
    parts
}

/// Where the next address begins and ends.
fn next_link(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("http")?;
        if let Some(length) = link_length(&text[..start], &text[start..]) {
            return Some((start, start + length));
        }
        from = start + "http".len();
    }
}

fn link_length(before: &str, text: &str) -> Option<usize> {
    let inside = before.chars().next_back().is_some_and(char::is_alphanumeric);
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    // Such as end it within a quotation, or within a text of JSON.
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"`\\“”".contains(c);
    let address = trim(&text[..text.find(ends).unwrap_or(text.len())]);
    // What is left of one that was cut would lead elsewhere.
    let cut = address.ends_with('…');
    let host = address.strip_prefix(scheme)?.chars().next()?;
    (!inside && !cut && (host.is_alphanumeric() || host == '[')).then_some(address.len())
}

/// Leaves out what ends the sentence, and a bracket that was opened before the address.
fn trim(mut address: &str) -> &str {
    loop {
        let Some(last) = address.chars().next_back() else {
            return address;
        };
        let opened = match last {
            ')' => Some('('),
            ']' => Some('['),
            _ => None,
        };
        let count = |c: char| address.matches(c).count();
        let cut = match opened {
            Some(opened) => count(last) > count(opened),
            None => ".,;:!?'*_~".contains(last),
        };
        if !cut {
            return address;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
}

#[cfg(test)]
mod tests {
    use super::{Part::*, *};

    #[test]
    fn an_address_becomes_a_link_without_the_end_of_the_sentence() {
        assert_eq!(
            parts("see https://a.example/x?y=1, or (http://b.example/c_(d))."),
            [
                Plain("see "),
                Link("https://a.example/x?y=1"),
                Plain(", or ("),
                Link("http://b.example/c_(d)"),
                Plain(")."),
            ]
        );
    }

    #[test]
    fn only_web_addresses_become_links() {
        for text in [
            "javascript:alert(1)",
            "ftp://a.example",
            "http://",
            "https:// a",
            "xhttps://a.example",
            "http",
            "httpx://a",
            "https://a.example/cu…",
            "https://a.example/cu…).",
        ] {
            assert_eq!(parts(text), [Plain(text)], "{text}");
        }
    }

    #[test]
    fn an_address_ends_with_what_it_is_quoted_in() {
        let link = Link("https://a.example/x");
        assert_eq!(parts("“https://a.example/x” is"), [Plain("“"), link, Plain("” is")]);
        let json = [Plain("{\"at\":\""), link, Plain("\\nis it\"}")];
        assert_eq!(parts("{\"at\":\"https://a.example/x\\nis it\"}"), json);
    }

    #[test]
    fn html_is_text() {
        assert_eq!(
            parts("<a href=\"https://a.example\">x</a>"),
            [Plain("<a href=\""), Link("https://a.example"), Plain("\">x</a>"),]
        );
    }

    #[test]
    fn the_parts_are_the_whole_text() {
        for text in ["", "ä http://ö.example/ü… ßhttps://x", "http http://[::1]:3000/a]"] {
            let whole: String = parts(text)
                .iter()
                .map(|part| match part {
                    Plain(text) | Link(text) => *text,
                })
                .collect();
            assert_eq!(whole, text);
        }
    }
}
