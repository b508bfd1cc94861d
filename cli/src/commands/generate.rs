//! `generate`: text from the simulated machine, then the report.

use models::attention::AttentionMask;
use models::compress::{FLOAT, Format, Profile};
use models::reference::argmax;
use models::tokenizer::SMOLLM2_SYSTEM;
use models::{Model, Reference, chat_prompt};
use serde_json::json;
use session::generate::Generation;
use session::report::{Facts, run_report};
use session::{Setup, resolve};

use super::timing::{name_overrides, print_report};
use crate::arguments::GenerateArgs;
use crate::failure::Failure;
use crate::host::{Host, Stopwatch};
use crate::output::{Live, TextStream, print, print_json};

/// Runs the command.
pub(crate) fn run(args: &GenerateArgs, host: Host) -> Result<(), Failure> {
    match resolve::format(&args.format)? {
        Format::Float => float(args, host),
        Format::Compressed(profile) => simulated(args, profile, host),
    }
}

fn simulated(args: &GenerateArgs, profile: Profile, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    let model = load(args, host)?;
    let prompt = prompt_tokens(args, &model)?;
    let calibration = super::calibration(args.calibration.as_deref(), &model, &[&profile])?;
    let options = super::options(1, token_count(&prompt)?, args.tokens)?;
    let mask = resolve::attention(&args.attention)?.mask(&model, prompt.len())?;
    let setup = {
        let _busy = host.busy("compressing the weights");
        let setup = Setup::with_weights(machine, model, profile, &calibration, options)?.with_attention(mask)?;
        Setup { optimisations: args.optimisations.set()?, ..setup }
    };
    let watch = Stopwatch::start();
    let mut generation = {
        let bar = host.progress("steps of the prompt", 0);
        Generation::start(&setup, &prompt, |so_far| bar.set(so_far.done, so_far.total))?
    };
    let live = open_text(args)?;
    let mut text = TextStream::new(&setup.model, live);
    {
        // Where the text itself is to be seen, it is the progress.
        let bar = (live == Live::Held).then(|| host.progress("tokens", args.tokens.into()));
        for _ in 0..args.tokens {
            let Some(token) = generation.next_token()? else { break };
            text.push(token)?;
            if let Some(bar) = &bar {
                bar.add(1);
            }
        }
    }
    let host_seconds = watch.seconds();
    let (text, decoded) = text.finish()?;
    let runner = generation.into_runner();
    let facts = Facts {
        prefill_tokens: prompt.len() as u64,
        decode_tokens: decoded as u64,
        text: (live == Live::Held).then_some(text),
        host_seconds,
        peak_memory_bytes: runner.compiler().used_bytes(),
        program_bytes: runner.program_bytes(),
    };
    let mut report = run_report(&setup, &runner.totals, facts)?;
    report.assumptions.extend(args.optimisations.remarks());
    name_overrides(&mut report, &args.machine.overrides);
    match live {
        Live::Held => print(&report.to_json()?),
        Live::Stdout => {
            print("\n\n")?;
            print_report(&report)
        }
    }
}

/// The reference's text: what the compressed formats are judged by.
fn float(args: &GenerateArgs, host: Host) -> Result<(), Failure> {
    if let Some(remark) = args.optimisations.remarks().next() {
        return Err(Failure::input(format!(
            "{remark}, but format `float` is the reference executor and has no programs, expected a compressed format; \
             use w8a8 or leave the option out"
        )));
    }
    let model = load(args, host)?;
    let prompt = prompt_tokens(args, &model)?;
    super::options(1, token_count(&prompt)?, args.tokens)?;
    let mask = resolve::attention(&args.attention)?.mask(&model, prompt.len())?;
    let mut reference = Reference::new(&model)?;
    if let Some(mask) = &mask {
        reference = reference.with_attention(&model.name, mask, prompt.len())?;
    }
    let stops = model.tokenizer.stop_tokens();
    host.note("format `float` is the reference executor: it has no machine, so there are no cycles and no joules");
    let mut next = None;
    {
        let bar = host.progress("tokens of the prompt", prompt.len() as u64);
        for token in &prompt {
            next = Some(argmax(&reference.forward(*token)?));
            bar.add(1);
        }
    }
    let Some(mut next) = next else {
        return Err(Failure::input("--prompt: got 0 tokens, expected at least 1; give a longer prompt"));
    };
    let live = open_text(args)?;
    let mut text = TextStream::new(&model, live);
    for number in 0..args.tokens {
        if stops.contains(&next) {
            break;
        }
        text.push(next)?;
        if number + 1 < args.tokens {
            next = argmax(&reference.forward(next)?);
        }
    }
    let (text, decoded) = text.finish()?;
    match live {
        Live::Stdout => print("\n"),
        Live::Held => print_json(&json!({
            "model": model.name,
            "format": FLOAT,
            "attention": mask.as_ref().map_or("dense", AttentionMask::name),
            "prefill_tokens": prompt.len(),
            "decode_tokens": decoded,
            "text": text,
        })),
    }
}

fn load(args: &GenerateArgs, host: Host) -> Result<Model, Failure> {
    let _busy = host.busy("reading the model");
    let model = resolve::model(&args.model)?;
    if model.weights.is_none() {
        let name = &args.model;
        return Err(Failure::input(format!(
            "model `{name}` has shapes and no weights, expected a folder or file with weights; `lapwing run --model \
             {name}` gives its cycles, `--model tiny-llama` writes text"
        )));
    }
    Ok(model)
}

fn prompt_tokens(args: &GenerateArgs, model: &Model) -> Result<Vec<u32>, Failure> {
    if !args.chat {
        return Ok(model.tokenizer.encode(&args.prompt)?);
    }
    if !model.tokenizer.has_chat_markers() {
        return Err(Failure::input(format!(
            "--chat: model `{}` has no turn markers (<|im_start|>, <|im_end|>) in its vocabulary, expected an instructed \
             model such as SmolLM2-Instruct; leave --chat out",
            model.name
        )));
    }
    Ok(model.tokenizer.encode(&chat_prompt(Some(SMOLLM2_SYSTEM), &args.prompt))?)
}

fn token_count(tokens: &[u32]) -> Result<u32, Failure> {
    u32::try_from(tokens.len())
        .map_err(|_| Failure::input(format!("--prompt: got {} tokens, expected fewer than 2^32", tokens.len())))
}

/// Begins the text on stdout, with the prompt where the model goes on from it.
fn open_text(args: &GenerateArgs) -> Result<Live, Failure> {
    if args.json {
        return Ok(Live::Held);
    }
    if !args.chat {
        print(&args.prompt)?;
    }
    Ok(Live::Stdout)
}
