//! The page's headers. The page itself may be built or not.

use crate::rig::Rig;

fn is_built(rig_answer: &crate::rig::Answer) -> bool {
    rig_answer.header("content-type").starts_with("text/html")
}

#[tokio::test]
async fn the_page_or_how_to_build_it_stands_at_the_root() {
    let rig = Rig::memory().await;
    let root = rig.get("/").await;
    assert_eq!(root.status, 200);
    if is_built(&root) {
        assert_eq!(root.header("cache-control"), "no-cache");
        let policy = root.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'; script-src 'self' 'sha256-"), "{policy}");
        for weak in ["unsafe-inline", "'unsafe-eval'", "http:", "*"] {
            assert!(!policy.contains(weak), "{policy}");
        }
        assert!(policy.contains("'wasm-unsafe-eval'; img-src 'self' data: blob:;"), "{policy}");
    } else {
        assert!(root.text().contains("cargo xtask serve"));
    }
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
    {
        assert_eq!(root.header(name), value);
    }
}

#[tokio::test]
async fn the_views_addresses_give_the_page_and_others_are_not_found() {
    let rig = Rig::memory().await;
    let root = rig.get("/").await;
    for path in ["/rooms/lobby", "/rooms/a%20b?at=7", "/inbox?at=7", "/inbox/"] {
        assert_eq!(rig.get(path).await.body, root.body, "{path}");
    }
    for path in ["/nonsense", "/index.html.br", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/api/v1"] {
        rig.get(path).await.is(404, "not_found");
    }
}

#[tokio::test]
async fn the_addresses_of_queues_give_a_page_of_their_own_with_its_own_policy() {
    let rig = Rig::memory().await;
    let root = rig.get("/").await;
    let board = rig.get("/queues/inbox").await;
    for path in ["/queues", "/queues/", "/queues/inbox/", "/queues/holdfast/webhooks"] {
        assert_eq!(rig.get(path).await.body, board.body, "{path}");
    }
    if !is_built(&root) {
        return;
    }
    assert!(board.text().contains("\"/board/"), "{}", board.text());
    assert_eq!(board.header("cache-control"), "no-cache");
    let policy = board.header("content-security-policy");
    assert!(policy.starts_with("default-src 'self'; script-src 'self' 'sha256-"), "{policy}");
    assert_ne!(policy, root.header("content-security-policy"), "each page has its own script");
}

#[tokio::test]
async fn a_wrong_address_shows_the_page_to_a_browser_and_a_problem_to_a_program() {
    let rig = Rig::memory().await;
    let root = rig.get("/").await;
    if !is_built(&root) {
        return;
    }
    let get = async |path: &str, accept: &str| {
        let more = format!("accept: {accept}\r\nif-none-match: {}\r\n", root.header("etag"));
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{more}", rig.address);
        rig.ask(&head, b"").await
    };
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for path in ["/foo", "/rooms", "/foo/bar.js", "/index.html.br"] {
        let page = get(path, browser).await;
        assert_eq!(page.status, 404, "{path}");
        assert_eq!(page.body, root.body, "{path}");
        assert_eq!(page.header("etag"), "", "{path}");
        assert_eq!(page.header("content-security-policy"), root.header("content-security-policy"));
        for accept in ["*/*", "application/json", "text/html;q=0"] {
            get(path, accept).await.is(404, "not_found");
        }
        let accept = format!("accept: {browser}\r\n");
        rig.post(path, &accept, "{}").await.is(404, "not_found");
    }
    for path in ["/api", "/api/v1/x", "/ws/x", "/metrics/x", "/healthz/x", "/readyz/x"] {
        get(path, browser).await.is(404, "not_found");
    }
}

#[tokio::test]
async fn what_the_page_names_is_cached_for_good_and_the_page_is_asked_for_anew() {
    let rig = Rig::memory().await;
    let root = rig.get("/").await;
    if !is_built(&root) {
        return;
    }
    let etag = root.header("etag").to_owned();
    let head =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{more}", rig.address);
    let same = rig.ask(&head("/", &format!("if-none-match: {etag}\r\n")), b"").await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    let text = root.text();
    let wasm = text.split('\'').find(|part| part.ends_with(".wasm")).expect("the page's program");
    let plain = rig.get(wasm).await;
    assert_eq!(plain.header("content-type"), "application/wasm");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    let packed = rig.ask(&head(wasm, "accept-encoding: gzip, br\r\n"), b"").await;
    assert_eq!(packed.header("vary"), "accept-encoding");
    if packed.header("content-encoding") == "br" {
        assert!(packed.body.len() < plain.body.len());
    }
}
