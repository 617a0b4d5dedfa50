//! Reads scripts, and tells which could not be read.
fn main() {
    let mut bad = 0;
    for path in std::env::args().skip(1) {
        let source = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if let Err(error) = handclasp_drill::script::Script::parse(&source) {
            println!("{path}: {error}");
            bad += 1;
        }
    }
    println!("{bad} could not be read");
}
