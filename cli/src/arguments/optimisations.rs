//! What programs are made with: the optimisations, the schedule, and how much the load unit is given at a time.

use clap::Args;
use compiler::{Loads, Optimisation, Optimisations, Schedule, Switch};
use hw_config::fault::suggest;

use crate::failure::Failure;

/// Which optimisations programs are made with, and how much the load unit is given at a time.
#[derive(Args)]
pub(crate) struct OptimisationArgs {
    /// Leave an optimisation out: sparse-chain, on-chip-decode, merged-transfers or prefetch; may be given several times.
    /// What is computed stays the same, bit for bit.
    #[arg(long = "without", value_name = "NAME", value_parser = optimisation)]
    without: Vec<Optimisation>,
    /// How far ahead programs load: prefetch (as far as the buffers reach), layer-barriers or operator-barriers (the first
    /// load of each layer or operator waits for everything before it, as without prefetch).
    #[arg(long, value_name = "NAME", value_parser = schedule)]
    schedule: Option<Schedule>,
    /// Cut loads so that one moves at most so many bytes of each memory channel.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    load_bytes: Option<u32>,
    /// Let at most so many loads be under way together, each waiting for the one so many before it; without it as many as the
    /// load unit takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(Loads::MOST_IN_FLIGHT)))]
    loads_in_flight: Option<u32>,
}

impl OptimisationArgs {
    /// The set.
    pub(crate) fn set(&self) -> Result<Optimisations, Failure> {
        let out = |set: Optimisations, optimisation: &Optimisation| set.with(*optimisation, Switch::Off);
        let set = self.without.iter().fold(Optimisations::ALL, out);
        let loads =
            Loads { channel_bytes: self.load_bytes, in_flight: self.loads_in_flight.unwrap_or(Loads::ALL.in_flight) };
        let schedule = self.schedule.unwrap_or(set.schedule);
        if self.without.contains(&Optimisation::Prefetch) && schedule != set.schedule {
            let (asked, without) = (schedule.name(), set.schedule.name());
            return Err(Failure::input(format!(
                "--schedule: got {asked}, expected {without} with --without prefetch; leave one of the two out"
            )));
        }
        Ok(Optimisations { schedule, loads, ..set })
    }

    /// What a report says of all that was asked for.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = String> {
        let without =
            self.without.iter().map(|optimisation| format!("{} was left out on the command line", optimisation.name()));
        let schedule =
            self.schedule.map(|schedule| format!("schedule {} was asked for on the command line", schedule.name()));
        let bytes = self
            .load_bytes
            .map(|bytes| format!("loads of at most {bytes} bytes of each channel were asked for on the command line"));
        let in_flight = self
            .loads_in_flight
            .map(|loads| format!("at most {loads} loads in flight were asked for on the command line"));
        without.chain(schedule).chain(bytes).chain(in_flight)
    }
}

fn optimisation(text: &str) -> Result<Optimisation, String> {
    let known = Optimisation::ALL.map(Optimisation::name);
    Optimisation::by_name(text).ok_or_else(|| {
        let advice = suggest(text, known, "leave --without out for all of them");
        format!("expected one of: {}; {advice}", known.join(", "))
    })
}

fn schedule(text: &str) -> Result<Schedule, String> {
    let known = Schedule::ALL.map(Schedule::name);
    Schedule::by_name(text).ok_or_else(|| {
        let advice = suggest(text, known, "leave --schedule out for prefetch");
        format!("expected one of: {}; {advice}", known.join(", "))
    })
}
