//! Scripts that run a sweep on a cluster under Slurm: an array of parts, and a job behind it that puts them together. It only
//! writes text.

use crate::table::Tables;

/// A file of the scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// What the scripts run, all as absolute paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job<'j> {
    /// The program.
    pub program: &'j str,
    /// The sweep file.
    pub sweep: &'j str,
    /// The folder of the results, and of the scripts.
    pub folder: &'j str,
    /// The folder that names of files in the sweep file begin in.
    pub directory: &'j str,
    /// Parts of the sweep, a task each.
    pub parts: u32,
    /// Tables of the whole.
    pub tables: Tables,
}

/// The scripts: `submit.sh` starts the other two.
pub fn scripts(job: &Job<'_>) -> [Script; 3] {
    let [program, sweep, folder, directory] = [job.program, job.sweep, job.folder, job.directory].map(quoted);
    let parts = job.parts;
    let tables = match job.tables {
        Tables::Csv => "",
        #[cfg(feature = "parquet")]
        Tables::CsvAndParquet => " --parquet",
    };
    let part = format!(
        "#!/bin/sh
# One part of the sweep a task. A task that is started again goes on where it was stopped.
#SBATCH --job-name=lapwing-sweep
#SBATCH --array=1-{parts}
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --output=part-%a.log
#SBATCH --requeue
cd {directory} || exit
part=\"$SLURM_ARRAY_TASK_ID\"
exec {program} sweep {sweep} -o {folder}/\"part-$part\" \\
    --shard \"$part/{parts}\" --threads \"${{SLURM_CPUS_PER_TASK:-1}}\"
"
    );
    let merge = format!(
        "#!/bin/sh
# The parts put together: the same bytes as one run on one machine.
#SBATCH --job-name=lapwing-merge
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --output=merge.log
set --
part=1
while [ \"$part\" -le {parts} ]; do
    set -- \"$@\" {folder}/\"part-$part\"
    part=$((part + 1))
done
exec {program} merge \"$@\" -o {folder}{tables}
"
    );
    let submit = format!(
        "#!/bin/sh
# Starts the parts, and their merger once all have ended well; where one has not, the merger is cancelled, and this script
# once more runs what is missing. Its arguments are handed to sbatch, as in `sh submit.sh --partition=long --account=lab`.
set -eu
cd {folder}
array=$(sbatch --parsable \"$@\" part.sbatch)
array=\"${{array%%;*}}\"
merge=$(sbatch --parsable \"$@\" --kill-on-invalid-dep=yes --dependency=\"afterok:$array\" merge.sbatch)
echo \"jobs: $array (the parts), ${{merge%%;*}} (the merger)\"
"
    );
    [
        Script { name: "part.sbatch", text: part },
        Script { name: "merge.sbatch", text: merge },
        Script { name: "submit.sh", text: submit },
    ]
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}
