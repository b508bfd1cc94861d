//! The scripts of `sweep --slurm` on a real Slurm: a controller and one node that this test starts for itself. What the jobs
//! leave must be, byte for byte, what one run on one machine leaves.
//!
//! Needs slurmctld, slurmd, sbatch and munged (Debian: `slurm-wlm` and `munge`); `./test` sees to them.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Folder, project};
use crate::guide::blocks;

/// 44 points, of which 11 have a machine that there is not.
const SWEEP: &str = r#"
machine = "./machine.toml"
model = "tiny-llama"
constraints = ["machine.clock.kernel_mhz < 290"]
[workload]
prefill = 0
decode = 1
[axes]
"machine.core.vector.lanes" = [4, 7, 8, 16]
"machine.clock.kernel_mhz" = { from = 100, to = 300, step = 20 }
"#;
const RESULTS: [&str; 3] = ["points.csv", "points.jsonl", "sweep.json"];
/// A name that a script must quote.
const PLACE: &str = "the lab's folder";
/// After this long without an end something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of this machine alone, gone when dropped.
struct Cluster<'f> {
    folder: &'f Folder,
    /// Beside the folder's own files: a socket's path has at most 107 bytes.
    socket: PathBuf,
    daemons: Vec<Child>,
}

impl<'f> Cluster<'f> {
    fn start(folder: &'f Folder) -> Self {
        let socket = std::env::temp_dir().join(format!("lapwing-{}.sock", std::process::id()));
        for name in ["state", "spool"] {
            std::fs::create_dir(folder.at(name)).expect("a folder");
        }
        let mut key = [0; 1024];
        std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key)).expect("random bytes");
        folder.write("munge.key", key);
        let mut cluster = Self { folder, socket, daemons: Vec::new() };
        cluster.configure();
        // Its key and its folder need not be closed to others.
        let files = ["key", "pid", "log", "seed"].map(|what| {
            let path = folder.at(&format!("munge.{what}"));
            format!("--{what}-file={}", path.display())
        });
        let socket = format!("--socket={}", cluster.socket.display());
        let options = ["--foreground", "--force", &socket].into_iter();
        let munge: Vec<&str> = options.chain(files.iter().map(String::as_str)).collect();
        cluster.daemon("munged", &munge);
        let socket = cluster.socket.clone();
        wait("munged", || socket.exists());
        cluster.daemon("slurmctld", &["-D"]);
        cluster.daemon("slurmd", &["-D", "-N", "localhost"]);
        wait("the node", || cluster.ask("sinfo", &["-h", "-o", "%T"]).is_ok_and(|state| state.trim() == "idle"));
        cluster
    }

    fn configure(&self) {
        // Free while both are held; the daemons take them at once.
        let free = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let ports = [free(), free()];
        let [control, node] = ports.map(|port| port.local_addr().expect("an address").port());
        let user = output(Command::new("id").arg("-un")).expect("a user");
        let (user, folder, socket) = (user.trim(), self.folder.at("").display().to_string(), self.socket.display());
        let folder = folder.trim_end_matches('/');
        self.folder.write(
            "slurm.conf",
            format!(
                "ClusterName=lapwing
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={socket}
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=4096 State=UNKNOWN
PartitionName=all Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"
            ),
        );
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.at("slurm.conf")).current_dir(self.folder.at("")).stdin(Stdio::null());
        command
    }

    fn daemon(&mut self, program: &str, arguments: &[&str]) {
        let log = std::fs::File::create(self.folder.at(&format!("{program}.log"))).expect("a log");
        let both = log.try_clone().expect("a log");
        let child = self.command(program).args(arguments).stdout(log).stderr(both).spawn();
        self.daemons.push(child.unwrap_or_else(|error| panic!("{program}: {error}: install slurm-wlm and munge")));
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        output(self.command(program).args(arguments))
    }

    /// Submits the scripts in a folder, and gives the job numbers of the parts and of the merger.
    fn submit(&self, folder: &str, options: &[&str]) -> [String; 2] {
        let said = output(self.command("sh").arg(format!("{folder}/submit.sh")).args(options)).expect("submitted");
        let numbers: Vec<String> =
            said.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        numbers.try_into().unwrap_or_else(|numbers| panic!("expected two jobs in {said:?}, got {numbers:?}"))
    }

    fn wait_for_the_queue(&self) {
        wait("the jobs", || self.ask("squeue", &["-h"]).is_ok_and(|queue| queue.trim().is_empty()));
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            // A daemon that has ended already is as good.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(self.socket.with_extension("sock.lock"));
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok(out) } else { Err(format!("{command:?}: {err}")) }
}

fn wait(what: &str, mut is_done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not there after {PATIENCE:?}");
        sleep(Duration::from_millis(100));
    }
}

/// How many bytes of results are equal in two folders: all, or this fails.
fn equal_bytes(folder: &Folder, a: &str, b: &str) -> usize {
    let read = |place: &str, name: &str| folder.read(&format!("{place}/{name}"));
    let compare = |name: &&str| {
        let (a, b) = (read(a, name), read(b, name));
        assert!(!a.is_empty() && a == b, "{name}: the bytes of one run and of the jobs differ");
        a.len()
    };
    RESULTS.iter().map(compare).sum()
}

#[test]
#[ignore = "needs Slurm: ./test installs it and runs this"]
fn an_array_of_jobs_leaves_the_bytes_of_one_run() {
    let folder = Folder::new("slurm");
    folder.write("sweep.toml", SWEEP);
    // Named from the folder in which the command is given.
    let machine = std::fs::read(project("hw-configs/machines/tiny.toml")).expect("a shipped machine");
    folder.write("machine.toml", machine);
    folder.must(&["sweep", "sweep.toml", "-o", "one"]);
    let cluster = Cluster::start(&folder);

    folder.must(&["sweep", "sweep.toml", "-o", PLACE, "--slurm", "4"]);
    cluster.submit(PLACE, &[]);
    cluster.wait_for_the_queue();
    let bytes = equal_bytes(&folder, "one", PLACE);
    println!("compared {bytes} bytes of one run with those of 4 jobs");

    // A part that is cancelled takes the merger with it; the same script goes on from there.
    folder.must(&["sweep", "sweep.toml", "-o", "again", "--slurm", "3"]);
    let [array, merger] = cluster.submit("again", &["--hold"]);
    let part = format!("{array}_2");
    let steps = [["scancel", "--quiet", &part], ["scontrol", "release", &array], ["scontrol", "release", &merger]];
    for [program, verb, job] in steps {
        cluster.ask(program, &[verb, job]).unwrap_or_else(|error| panic!("{error}"));
    }
    cluster.wait_for_the_queue();
    let left = folder.names("again");
    assert!(!left.iter().any(|name| RESULTS.contains(&name.as_str()) || name == "part-2"), "{left:?}");
    assert!(left.contains(&"part-1".to_owned()) && left.contains(&"part-3".to_owned()), "{left:?}");
    cluster.submit("again", &[]);
    cluster.wait_for_the_queue();
    let log = String::from_utf8(folder.read("again/part-1.log")).expect("UTF-8");
    assert!(log.contains("points were in"), "part 1 was run from its beginning again:\n{log}");
    let bytes = equal_bytes(&folder, "one", "again");
    println!("compared {bytes} bytes of one run with those of 3 jobs, one of them cancelled at first");

    // The page's own commands.
    let page = std::fs::read_to_string(project("docs/src/cluster.md")).expect("the page");
    let program = Path::new(env!("CARGO_BIN_EXE_lapwing")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a PATH"));
    let is_needed = |block: &String| block.contains("cat >") || block.contains("submit.sh");
    let blocks: Vec<String> = blocks(&page).into_iter().filter(is_needed).collect();
    assert_eq!(blocks.len(), 2, "{blocks:?}");
    let run = |block: &str| output(cluster.command("sh").args(["-ec", block]).env("PATH", &path));
    blocks.iter().for_each(|block| drop(run(block).unwrap_or_else(|error| panic!("{error}"))));
    cluster.wait_for_the_queue();
    run("lapwing sweep sweep.toml -o page").unwrap_or_else(|error| panic!("{error}"));
    println!("compared {} bytes of one run with those of the page's jobs", equal_bytes(&folder, "page", "cluster"));
}
