//! The name server behind the measured sign-ups: knows `mail.example`.
//!
//! Writes its port into `names.port`, then listens on 9053, so that who waits
//! for that knows it is up.

use std::net::Ipv4Addr;

use tuskgate::stand_in::dns::{StandInDns, Zone};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut zone = Zone::new();
    zone.mx("mail.example.", 10, "mx.mail.example.");
    zone.ip("mx.mail.example.", Ipv4Addr::new(5, 45, 96, 1));
    let names = StandInDns::start(zone).await?;
    std::fs::write("names.port", names.address().port().to_string())?;
    let _up = tokio::net::TcpListener::bind("127.0.0.1:9053").await?;
    std::future::pending().await
}
