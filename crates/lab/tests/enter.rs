//! A program that enters a network of its own, as the command does: no harness, no threads.

#[cfg(target_os = "linux")]
fn main() {
    use std::net::{IpAddr, TcpListener, TcpStream};

    use handclasp_lab::enter::enter;
    use handclasp_lab::error::Error;
    use handclasp_lab::isolated::skip;
    use handclasp_lab::lab::{Lab, LabConfig, PEER_IPV4};
    use handclasp_lab::server::{ListenOptions, listen};

    // `cargo test` hands the names of tests to every test program.
    if std::env::args().skip(1).any(|arg| !arg.starts_with('-') && !"enter".contains(&arg)) {
        return;
    }
    match enter() {
        Ok(()) => {}
        Err(error @ Error::NotPermitted { .. }) => return skip("enter", error),
        Err(error) => panic!("{error}"),
    }
    // The port is privileged, and nobody else's here.
    let loopback = TcpListener::bind("127.0.0.1:80").expect("a port of our own");
    TcpStream::connect(loopback.local_addr().expect("an address")).expect("loopback is up");

    let lab = Lab::veth(&LabConfig::default()).expect("a lab");
    let kernel = (IpAddr::from(PEER_IPV4), 80).into();
    listen(lab.peer(), kernel, &ListenOptions::default()).expect("the kernel's address");
    let here = TcpListener::bind(kernel);
    here.expect_err("the kernel's address is not ours");

    let inherited = std::thread::spawn(|| TcpStream::connect("127.0.0.1:80"));
    inherited.join().expect("a thread").expect("threads start in the same network");
    println!("enter: ok");
}

#[cfg(not(target_os = "linux"))]
fn main() {}
