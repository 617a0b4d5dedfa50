//! Bytes between a connection and standard input and output.

use std::io;

use handclasp::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that are taken at once.
const BUFFER: usize = 64 * 1024;

/// Passes bytes both ways until both directions have ended. The end of the input closes our
/// direction, and the peer may go on; so may we when the peer has closed.
pub(super) async fn pump(stream: &mut TcpStream) -> io::Result<()> {
    let (mut read, mut write) = tokio::io::split(stream);
    let up = async {
        let (mut input, mut buffer) = (tokio::io::stdin(), vec![0; BUFFER]);
        loop {
            match input.read(&mut buffer).await? {
                0 => return write.shutdown().await,
                count => write.write_all(&buffer[..count]).await?,
            }
        }
    };
    let down = async {
        let (mut output, mut buffer) = (tokio::io::stdout(), vec![0; BUFFER]);
        loop {
            match read.read(&mut buffer).await? {
                0 => return Ok(()),
                count => {
                    output.write_all(&buffer[..count]).await?;
                    output.flush().await?;
                }
            }
        }
    };
    tokio::try_join!(up, down).map(|((), ())| ())
}
