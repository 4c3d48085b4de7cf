//! A line to a server that takes its time: every byte arrives late.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// A unix socket in front of another; the delay can be changed while it runs.
pub(super) struct Slow {
    folder: tempfile::TempDir,
    delay: watch::Sender<Duration>,
}

impl Slow {
    pub(super) fn start(url: &str, delay: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (sender, delay) = watch::channel(delay);
        let listener = UnixListener::bind(folder.path().join("socket")).expect("bound");
        let to = PathBuf::from(url.strip_prefix("unix://").expect("a unix socket"));
        tokio::spawn(accept(listener, to, delay));
        Self {
            folder,
            delay: sender,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    pub(super) fn delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }
}

async fn accept(listener: UnixListener, to: PathBuf, delay: watch::Receiver<Duration>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(join(near, to.clone(), delay.clone()));
    }
}

async fn join(near: UnixStream, to: impl AsRef<Path>, delay: watch::Receiver<Duration>) {
    let Ok(far) = UnixStream::connect(to).await else {
        return;
    };
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_near, &mut to_far).await;
        let _ = to_far.shutdown().await;
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_far.read(&mut buffer).await {
        let pause = *delay.borrow();
        tokio::time::sleep(pause).await;
        if to_near.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
