//! The calculation by hand in `docs/src/getting-started.md` against the cycle engine: dispatch, issue and retirement of
//! the first instruction of a prefill and of a decode program. The page's figures were worked out on paper; nothing here
//! computes them.

use std::path::Path;

use compiler::step::Logits;
use compiler::{Compiler, FormatTable, Options, StepKind};
use hw_config::isa::REGISTERS;
use hw_config::machine::Machine;
use models::Model;
use models::compress::Format;
use sim::engine::{MemoryModel, Step, run_step_with_timeline};
use sim::memory::Grouping;

const PAGE: &str = include_str!("../../docs/src/getting-started.md");

/// The number that the page gives after these words.
fn figure(words: &str) -> u64 {
    let text = PAGE.replace('\n', " ");
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("the page does not say {words:?}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number after {words:?}"))
}

#[test]
fn the_page_and_the_engine_agree_on_the_first_instruction() {
    let expected = [figure("**dispatched in cycle "), figure("**issues in cycle "), figure("It **retires in cycle ")];
    let machine = Machine::by_name("tiny").unwrap_or_else(|faults| panic!("{faults}"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tiny-llama");
    let model = Model::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let mut compared = 0;
    for format in ["w8a8", "w4a8"] {
        let Ok(Format::Compressed(profile)) = Format::by_name(format) else { panic!("{format} is a shipped profile") };
        let formats = FormatTable::of_shapes(&model.config, &profile);
        let options = Options { batch: 1, context: 256 };
        let compiler = Compiler::new(&machine, &model.config, "first", &formats, options);
        let compiler = compiler.unwrap_or_else(|error| panic!("{error}"));
        for (kind, rows) in [(StepKind::Prefill { logits: Logits::Last }, 8_u32), (StepKind::Decode, 1)] {
            let program = compiler.compile(kind, compiler.bucket(kind, rows)).unwrap_or_else(|error| panic!("{error}"));
            let text = program.instructions[0].to_string();
            assert!(PAGE.contains(&text[..text.find(" stride=").unwrap_or(text.len())]), "the page shows not {text}");
            let mut registers = [0; REGISTERS];
            registers[2] = rows;
            registers[3] = rows;
            registers[4] = rows - 1;
            let memory = MemoryModel::Fast(Grouping::Shared);
            let step = Step { machine: &machine, program: &program, registers: &registers, routing: &[], memory };
            let (_, timeline) = run_step_with_timeline(&step);
            let got = [timeline.dispatch[0], timeline.issue[0], timeline.retire[0]];
            assert_eq!(got, expected, "{format} {kind:?}: dispatch, issue, retirement of {text}");
            compared += got.len();
        }
    }
    println!("{compared} cycles compared with the page");
    assert!(compared > 0);
}
