//! Signatures as the Standard Webhooks specification 1.0.0 says: the receiver knows by them that a
//! message is ours, whole, and new.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, Mac as _};
use holdfast_common::{storage::Fault, time::Timestamp};
use sha2::Sha256;
use std::{fmt, ops::RangeInclusive};

const PREFIX: &str = "whsec_";

/// Bytes of a secret, as the specification has it.
const BYTES: RangeInclusive<usize> = 24..=64;

/// Bytes of those that are made here: as many as of a signature.
const OURS: usize = 32;

/// Some give out secrets without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a webhook and its receiver know. It is never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    pub(crate) fn fresh() -> Result<Self, Fault> {
        let mut bytes = vec![0; OURS];
        getrandom::fill(&mut bytes)
            .map_err(|error| Fault::Failed(format!("no randomness: {error}")))?;
        Ok(Self(bytes))
    }

    /// Reads one that the receiver has made: `whsec_` and base64.
    pub(crate) fn parse(text: &str) -> Result<Self, BadSecret> {
        let coded = text.trim().strip_prefix(PREFIX).ok_or(BadSecret::Prefix)?;
        Self::of(BASE64.decode(coded).map_err(|_| BadSecret::Base64)?)
    }

    /// Takes one from where it is stored.
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self, BadSecret> {
        if BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(BadSecret::Length(bytes.len()))
        }
    }

    /// For where it is stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The form that receivers' libraries take. For whoever made the webhook, once.
    pub(crate) fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text is no secret. What it was is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSecret {
    #[error("a webhook's secret begins with {PREFIX}")]
    Prefix,
    #[error("a webhook's secret is base64 after its {PREFIX}")]
    Base64,
    #[error("a webhook's secret has {least} to {most} bytes, and this one has {0}", least = BYTES.start(), most = BYTES.end())]
    Length(usize),
}

/// A moment as a signature has it: seconds since 1970.
pub(super) fn seconds(at: Timestamp) -> u64 {
    at.0 / 1_000
}

/// The header's value: a signature for each secret, so that a receiver finds the one it knows while they
/// are being changed.
pub(super) fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let each = secrets.iter().map(|secret| {
        let mac = Hmac::<Sha256>::new_from_slice(&secret.0);
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{}.", seconds(at)).as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    });
    each.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text).unwrap()
    }

    /// What the specification's own libraries are tested with.
    #[test]
    fn a_signature_is_the_specifications() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        let signed = signatures(&[secret], id, Timestamp(1_614_265_330_999), body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// As signed by the package `standardwebhooks` 1.1.0 of PyPI.
    #[test]
    fn two_secrets_are_two_signatures_with_a_space_between() {
        let ours = secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let longest = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw";
        let secrets = [ours, secret(&format!("whsec_{longest}"))];
        let id = "0199aa00-0000-7000-8000-000000000001";
        let body = r#"{"type":"chat.message","data":{"text":"grüß dich"}}"#;
        let signed = signatures(&secrets, id, Timestamp(1_763_768_400_000), body.as_bytes());
        let first = "v1,e9nCXi3yHnYGloK5hT97P71MbOjvoZTJWO/RsORD1u0=";
        let second = "v1,EBDPyjdNR1vK3PNoMpszxH0orQ6KEJb1A2p230YvJFs=";
        assert_eq!(signed, format!("{first} {second}"));
    }

    #[test]
    fn a_secret_that_is_made_can_be_read_and_is_another_each_time() {
        let made = Secret::fresh().unwrap();
        assert_eq!(made.bytes().len(), 32);
        assert_eq!(secret(&made.reveal()), made);
        assert_eq!(Secret::of(made.bytes().to_vec()).unwrap(), made);
        assert_ne!(Secret::fresh().unwrap(), made);
    }

    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let made = Secret::fresh().unwrap();
        assert_eq!(format!("{made:?}"), "Secret(…)");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_in_base64() {
        let coded =
            |bytes: usize| Secret::parse(&format!("whsec_{}", BASE64.encode(vec![7; bytes])));
        assert_eq!(coded(23), Err(BadSecret::Length(23)));
        assert!(coded(24).is_ok() && coded(64).is_ok());
        assert_eq!(coded(65), Err(BadSecret::Length(65)));
        assert_eq!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Err(BadSecret::Prefix));
        assert_eq!(Secret::parse("whsec_not base64"), Err(BadSecret::Base64));
        assert_eq!(
            BadSecret::Length(3).to_string(),
            "a webhook's secret has 24 to 64 bytes, and this one has 3"
        );
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "(whsec_)?\\PC{0,100}") {
            let _ = Secret::parse(&text);
        }
    }
}
