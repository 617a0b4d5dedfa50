//! What nobody outside may guess.

use std::net::Ipv4Addr;
use std::time::Duration;

use handclasp::Stack;
use handclasp::device::channel;
use handclasp::wire::frame::Medium;
use handclasp::wire::packet::{Packet, Transport};

/// The port and initial sequence number of the first connection of a new stack, which always
/// goes to the same place.
async fn first_numbers(secret: Option<[u8; 32]>) -> (u16, u32) {
    let (device, mut port) = channel::port(16, 1500, Medium::Ip);
    let builder = Stack::builder(device).address("10.0.0.1/24".parse().unwrap());
    let builder = match secret {
        Some(secret) => builder.secret(secret),
        None => builder,
    };
    let stack = builder.spawn().unwrap();
    let connecting = stack.connect((Ipv4Addr::new(10, 0, 0, 2), 80).into());
    let _ = tokio::time::timeout(Duration::from_millis(50), connecting).await;
    let syn = port.recv().await.unwrap();
    let Transport::Tcp(view) = Packet::parse(Medium::Ip, &syn).unwrap().transport else {
        panic!("no segment")
    };
    (view.src_port(), view.seq().0)
}

/// Requirement: RFC6528-R04, RFC6528-P03
#[tokio::test(start_paused = true)]
async fn each_stack_draws_a_secret_of_its_own() {
    let told = [first_numbers(Some([7; 32])).await, first_numbers(Some([7; 32])).await];
    assert_eq!(told[0].0, told[1].0, "the same secret chooses alike");
    let mut ports = Vec::new();
    for _ in 0..8 {
        ports.push(first_numbers(None).await.0);
    }
    ports.sort_unstable();
    ports.dedup();
    assert!(ports.len() > 4, "{ports:?}");
}
