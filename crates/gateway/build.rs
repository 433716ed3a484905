//! The web page is built by its own tools; where it was not, an empty folder stands in for it.

fn main() {
    let built = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    if let Err(error) = std::fs::create_dir_all(&built) {
        println!("cargo:warning=the folder of the built web page cannot be made: {error}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../web/dist");
}
