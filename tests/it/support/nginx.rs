//! A real nginx, from Debian's package, in the foreground with one worker.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use super::process::Process;

/// Starts one that keeps its files in `folder`. `http` is what stands in its
/// http block and has to make it listen at `entry`.
pub(crate) fn start(
    folder: &Path,
    entry: SocketAddr,
    connections: usize,
    http: &str,
) -> io::Result<Process> {
    let at = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {at}/nginx-{kind};\n"))
        .concat();
    let text = format!(
        "user root;\nworker_processes 1;\ndaemon off;\npid {at}/nginx.pid;\nerror_log stderr warn;\n\
         events {{ worker_connections {connections}; }}\n\
         http {{\n  access_log off;\n{temporary}  {http}\n}}\n"
    );
    let (config, pid) = (folder.join("nginx.conf"), folder.join("nginx.pid"));
    fs::write(&config, text)?;
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(config).args(["-e", "stderr"]);
    // Of one that was here before.
    let _ = fs::remove_file(&pid);
    let nginx = Process::start("nginx", &mut command, folder.join("nginx.log"))?;
    // It writes this file once it has all its ports: what takes connections is it.
    nginx.until(|_| {
        fs::read(&pid).is_ok_and(|pid| !pid.is_empty()) && TcpStream::connect(entry).is_ok()
    })
}
