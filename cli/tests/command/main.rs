//! The built command, run as a user runs it: in a folder with nothing in it, judged by exit code, stdout, stderr and
//! what lies in the folder afterwards.

mod common;
mod cosim;
mod figures;
mod guide;
mod keys;
mod papers;
mod refusals;
mod results;
mod rtl;
mod slurm;
mod sweeps;
