//! Tells cargo when the page that is embedded has changed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A debug build reads the page from disk at run time and need not be built again for it, unless
    // there was no such folder when it was built.
    let debug = std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    if !debug || !std::path::Path::new("../dist").exists() {
        println!("cargo::rerun-if-changed=../dist");
    }
}
