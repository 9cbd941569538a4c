//! What a lease's holder shows to speak for it.

use std::{fmt, str::FromStr};

/// Names one lease of one job, for ever. On the wire it is a text like `42-9f3c0a11d2e4b567`: the
/// fence in decimal and the key in sixteen hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// A counter of the store that rises from 1 with each lease of any job. A consumer hands it on to what
    /// it writes to elsewhere, where a lower one is to be refused.
    pub fence: u64,
    /// Drawn at random by the driver: nobody guesses another's token, and a store that was set back
    /// to a copy gives none out that it has given before.
    pub key: u64,
}

/// Why a text is not a token. It can be no lease's, so it is answered as one of another lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token: expected a number, a hyphen and sixteen hexadecimal digits")]
pub struct BadToken;

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.fence, self.key)
    }
}

impl FromStr for Token {
    type Err = BadToken;

    /// Reads the one text that a token has, and no other way to write the same numbers.
    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (fence, key) = text.split_once('-').ok_or(BadToken)?;
        let fence = fence.parse().map_err(|_| BadToken)?;
        let key = u64::from_str_radix(key, 16).map_err(|_| BadToken)?;
        let token = Self { fence, key };
        if token.to_string() == text { Ok(token) } else { Err(BadToken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_text_and_is_read_back_from_it() {
        let token = Token { fence: 42, key: 0x0f3c_0a11_d2e4_b567 };
        assert_eq!(token.to_string(), "42-0f3c0a11d2e4b567");
        assert_eq!("42-0f3c0a11d2e4b567".parse(), Ok(token));
        let most = Token { fence: u64::MAX, key: u64::MAX };
        assert_eq!(most.to_string().parse(), Ok(most));
    }

    #[test]
    fn any_other_text_is_no_token() {
        for text in [
            "",
            "-",
            "42",
            "42-",
            "-0f3c0a11d2e4b567",
            "042-0f3c0a11d2e4b567",
            "+42-0f3c0a11d2e4b567",
            "42-+f3c0a11d2e4b567",
            "42-f3c0a11d2e4b567",
            "42-0F3C0A11D2E4B567",
            "42-0f3c0a11d2e4b567 ",
            "42-00f3c0a11d2e4b567",
            "42-1-0f3c0a11d2e4b567",
            "18446744073709551616-0f3c0a11d2e4b567",
            "zweiundvierzig-0f3c0a11d2e4b567",
        ] {
            assert_eq!(text.parse::<Token>(), Err(BadToken), "{text:?}");
        }
    }
}
