//! What each optimisation is worth: the same run without any of them, then with one more at a time.
//!
//! Every row is a run of its own on programs of its own, simulated to the cycle; nothing is scaled from another row.

use compiler::{Optimisation, Optimisations, Switch};
use reports::ablation_report::{AblationReport, AblationRow};
use reports::bars::{Bars, Limit, Panel};
use reports::figure::style::ColumnWidth;

use crate::report::board_bytes_per_s;
use crate::timing::{self, Progress};
use crate::{Phase, Runner, SessionError, Setup};

/// The tokens of each row's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt of each sequence.
    pub prefill: u32,
    /// Generated of each sequence; at least 1.
    pub decode: u32,
}

/// Runs the ladder. `progress` is told each step of all rows. A row that the compiler refuses is left out with its reason: dense
/// weights take more room than those with a pattern, and not all groups have a dense form.
///
/// # Errors
/// What the compiler refuses with all optimisations, and a run without decode.
pub fn run(
    mut setup: Setup,
    tokens: Tokens,
    mut progress: impl FnMut(Progress),
) -> Result<AblationReport, SessionError> {
    if tokens.decode == 0 {
        let line = "--ablation compares times of generated tokens: --decode is 0, expected 1 or more; raise it";
        return Err(SessionError::Input(line.to_owned()));
    }
    let ladder = Optimisations::ladder();
    setup.optimisations = Optimisations::ALL;
    setup.compiler(&setup.model.name).map_err(SessionError::Compile)?;
    let (mut rows, mut left_out): (Vec<AblationRow>, Vec<String>) = (Vec::new(), Vec::new());
    for (number, set) in ladder.iter().enumerate() {
        setup.optimisations = *set;
        let ran = timing::run(&setup, tokens.prefill, tokens.decode, |Progress { done, total }| {
            progress(Progress { done: number as u64 * total + done, total: ladder.len() as u64 * total });
        });
        match ran {
            Ok(runner) => {
                let row = row(&setup, &runner, tokens, number, &rows);
                rows.push(row);
            }
            Err(SessionError::Compile(why)) if *set != Optimisations::ALL => {
                left_out.push(format!("{}: {why}", name(number)))
            }
            Err(error) => return Err(error),
        }
    }
    let machine = &setup.machine;
    Ok(AblationReport {
        machine: machine.name.clone(),
        model: setup.model.name.clone(),
        format: setup.profile.name().to_owned(),
        attention: setup.attention_name().to_string(),
        prefill_tokens: tokens.prefill.into(),
        decode_tokens: tokens.decode.into(),
        batch: setup.options.batch.into(),
        cores: machine.core.count.into(),
        memory: machine.memory.standard.name.clone(),
        board_peak_gb_per_s: board_bytes_per_s(machine) / 1e9,
        rows,
        left_out,
        notes: vec![
            "every row computes the same bits; times are those of the cycle engine".to_owned(),
            "without on-chip decode a prompt's vectors stay on chip all the same: only decode differs".to_owned(),
        ],
    })
}

fn row(setup: &Setup, runner: &Runner<'_>, tokens: Tokens, number: usize, above: &[AblationRow]) -> AblationRow {
    let totals = &runner.totals;
    let seconds = |phase| setup.machine.seconds(totals.cycles_of(phase));
    let decode_s = seconds(Phase::Decode);
    let generated = f64::from(tokens.decode) * f64::from(setup.options.batch);
    let decode = totals.operators.iter().filter(|((phase, _), _)| *phase == Phase::Decode);
    let bytes = decode.map(|(_, operator)| operator.bytes()).sum::<u64>() as f64;
    let tokens_per_s = generated / decode_s;
    let over = |row: &AblationRow| tokens_per_s / row.tokens_per_s;
    let naive = above.first().filter(|row| row.optimisations.is_empty());
    let set = setup.optimisations;
    let used = Optimisation::ALL.into_iter().filter(|optimisation| set.switch(*optimisation) == Switch::On);
    AblationRow {
        name: name(number),
        optimisations: used.map(|optimisation| optimisation.name().to_owned()).collect(),
        prefill_ms: seconds(Phase::Prefill) * 1e3,
        decode_ms_per_token: decode_s * 1e3 / f64::from(tokens.decode),
        tokens_per_s,
        bytes_per_token: bytes / generated,
        achieved_gb_per_s: bytes / decode_s / 1e9,
        peak_percent: 100.0 * bytes / decode_s / board_bytes_per_s(&setup.machine),
        program_bytes: runner.program_bytes(),
        speedup_over_row_above: above.last().map_or(1.0, over),
        speedup_over_naive: if number == 0 { Some(1.0) } else { naive.map(over) },
        note: adds(number).and_then(|adds| note(setup, adds)),
    }
}

/// What a row has that the row above has not; nothing in the first.
fn adds(number: usize) -> Option<Optimisation> {
    number.checked_sub(1).map(|place| Optimisation::ALL[place])
}

fn name(number: usize) -> String {
    adds(number).map_or_else(|| "naive".to_owned(), |adds| format!("+ {}", words(adds)))
}

/// What is added, as a figure names it.
fn words(adds: Optimisation) -> &'static str {
    match adds {
        Optimisation::SparseChain => "sparse chain",
        Optimisation::OnChipDecode => "on-chip decode",
        Optimisation::MergedTransfers => "merged transfers",
        Optimisation::Prefetch => "prefetch (ours)",
    }
}

fn note(setup: &Setup, adds: Optimisation) -> Option<String> {
    match adds {
        Optimisation::SparseChain if !setup.formats.has_patterns() => {
            let format = setup.profile.name();
            Some(format!("changes nothing, since format `{format}` stores every weight of this model"))
        }
        Optimisation::SparseChain
        | Optimisation::OnChipDecode
        | Optimisation::MergedTransfers
        | Optimisation::Prefetch => None,
    }
}

/// The ladder as a figure: time a token, and what is used of the memory's bandwidth.
pub fn figure(report: &AblationReport, width: ColumnWidth) -> Bars {
    let values = |of: fn(&AblationRow) -> f64| report.rows.iter().map(of).collect();
    Bars {
        title: format!("{} in {} on {}", report.model, report.format, report.machine),
        rows: report.rows.iter().map(|row| row.name.clone()).collect(),
        panels: vec![
            Panel { label: "Time (ms/token)".into(), values: values(|row| row.decode_ms_per_token), limit: None },
            Panel {
                label: "Bandwidth (GB/s)".into(),
                values: values(|row| row.achieved_gb_per_s),
                limit: Some(Limit {
                    label: format!("peak {}", report.board_peak_gb_per_s),
                    value: report.board_peak_gb_per_s,
                }),
            },
        ],
        width,
    }
}
