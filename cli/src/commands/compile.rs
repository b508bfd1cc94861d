//! `compile`: one step of a model as a program file.

use compiler::Options;
use compiler::step::{Logits, StepKind};
use session::{Setup, resolve};

use super::program::{Form, form, put_cores};
use crate::arguments::{CompileArgs, Step};
use crate::failure::Failure;
use crate::host::Host;

/// Runs the command.
pub(crate) fn run(args: &CompileArgs, host: Host) -> Result<(), Failure> {
    let form: Form = form(&args.output)?;
    let machine = super::machine(&args.machine)?;
    let profile = super::profile(&args.format)?;
    let context = args.context.unwrap_or(args.end);
    if context < args.end {
        let end = args.end;
        return Err(Failure::input(format!(
            "--context: got {context}, expected at least --end, which is {end}; raise it"
        )));
    }
    let options = Options { batch: args.batch, context };
    let attention = resolve::attention(&args.attention)?;
    let setup = resolve::timing_setup(machine, &args.model, profile, options)?;
    let setup = Setup { optimisations: args.optimisations.set()?, ..setup };
    let mask = attention.mask(&setup.model, args.end as usize)?;
    let setup = setup.with_attention(mask).map_err(Failure::input)?;
    let name = format!("{} {}", setup.model.name, setup.profile.name());
    let compiler = setup.compiler(&name).map_err(Failure::input)?;
    let kind = match args.step {
        Step::Decode => StepKind::Decode,
        Step::Prefill => StepKind::Prefill { logits: Logits::Last },
        Step::PrefillBody => StepKind::Prefill { logits: Logits::Skip },
    };
    let programs = compiler.compile_cores(kind, compiler.bucket(kind, args.end)).map_err(Failure::input)?;
    let paths = put_cores(&args.output, form, &setup.machine, &programs)?;
    for (path, program) in paths.iter().zip(&programs) {
        let (instructions, end) = (program.instructions.len(), program.max_end);
        host.note(format!("{}: {instructions} instructions, for ends up to {end}", path.display()));
    }
    Ok(())
}
