//! The admin socket: a unix socket, mode 0600, one JSON line in, one out.
//!
//! Whoever may open it may ban and reload, so the filesystem is its only lock.
//! A line is at most [`LONGEST_LINE`] bytes; a connection that stays silent for
//! [`PATIENCE`] is closed.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::admin::Control;
use crate::admin::ask::{Answer, Ask};

/// The longest request or answer.
pub const LONGEST_LINE: u64 = 64 << 20;
/// How long either side waits for the other.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Binds the socket, replacing one that nobody answers on.
///
/// # Errors
/// If another gate answers there, or the path cannot be bound.
pub async fn bind(path: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(path).await.is_ok() {
        let text = format!("another gate is running on {}", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
    }
    match std::fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the process ends.
pub async fn serve(listener: UnixListener, control: Arc<Control>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let control = Arc::clone(&control);
                tokio::spawn(async move {
                    let done = tokio::time::timeout(PATIENCE, converse(stream, &control)).await;
                    if let Ok(Err(fault)) = done {
                        tracing::debug!(%fault, "admin socket");
                    }
                });
            }
            Err(fault) => {
                tracing::warn!(%fault, "the admin socket cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(mut stream: UnixStream, control: &Control) -> io::Result<()> {
    let mut line = String::new();
    let (read, mut write) = stream.split();
    BufReader::new(read)
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => control.answer(ask).await,
        Err(fault) => Answer::Fault(format!("not understood: {fault}")),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

/// Asks the gate that listens at `path`.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` if none does.
pub async fn ask(path: &Path, ask: &Ask) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path).await?;
    let mut text = serde_json::to_string(ask)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    let mut line = String::new();
    let reading = BufReader::new(stream)
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .await;
    reading?;
    Ok(serde_json::from_str(&line)?)
}
