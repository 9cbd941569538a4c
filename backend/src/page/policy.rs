//! The page's Content-Security-Policy: nothing but what the server itself holds, and of inline
//! scripts the ones that stand in `index.html`, each by its hash.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// The policy for this `index.html`. Its `base-uri` is `'self'` and not `'none'`, since Trunk writes
/// a `<base href="/">` into the page.
pub(super) fn of(index: &[u8]) -> String {
    let html = String::from_utf8_lossy(index);
    let hashes: String = inline_scripts(&html)
        .map(|script| {
            let hash = BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()));
            format!(" 'sha256-{hash}'")
        })
        .collect();
    format!(
        "default-src 'self'; script-src 'self'{hashes} 'wasm-unsafe-eval'; \
         img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
}

/// The text of each script element that has no `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_inline_scripts_that_stand_in_the_page_may_run() {
        let html = "<script type=\"module\">\nlet a;\n</script><script src=\"/x.js\"></script>";
        let scripts: Vec<&str> = inline_scripts(html).collect();
        assert_eq!(scripts, ["\nlet a;\n"]);
        let policy = of(b"<script>alert(1)</script>");
        let hash = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        assert!(policy.contains(&format!("script-src 'self' {hash} 'wasm-unsafe-eval';")));
        assert!(!policy.contains("unsafe-inline"));
    }
}
