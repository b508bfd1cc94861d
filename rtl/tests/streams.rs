//! `fifo` and `skid_buffer` under random traffic and random holding back, beside a `VecDeque`: what is offered and what
//! is taken in every period.

use hw_config::program::random::Rng;
use rtl::verilated::{Design, Model, sources_for_test};
use std::collections::VecDeque;
use std::path::Path;

const PERIODS: usize = 20_000;
const WIDTH: u64 = 37;

fn build(top: &str, parameters: &[(&str, u64)]) -> Model {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut design = Design::new(top, sources_for_test(top, &target.join(format!("{top}_sources"))));
    for (name, value) in parameters {
        design = design.with(name, *value);
    }
    let mut model = design.build(&target.join("verilated"), false).unwrap_or_else(|error| panic!("{error}"));
    let reset = model.port("rst_ni");
    model.set(reset, 0);
    model.tick();
    model.set(reset, 1);
    model
}

/// A queue of `depth`, with or without fall-through, beside the Verilog; gives how many entries went through.
fn check_fifo(depth: usize, falls_through: bool) -> usize {
    let parameters = [("Width", WIDTH), ("Depth", depth as u64), ("FallThrough", u64::from(falls_through))];
    let mut model = build("fifo", &parameters);
    let port = |name: &str| model.port(name);
    let (valid_i, ready_o, data_i) = (port("valid_i"), port("ready_o"), port("data_i"));
    let (valid_o, ready_i, data_o, count_o) = (port("valid_o"), port("ready_i"), port("data_o"), port("count_o"));
    let mut rng = Rng::new(depth as u64 + 100 * u64::from(falls_through));
    let (mut queue, mut through) = (VecDeque::new(), 0);
    for period in 0..PERIODS {
        // Traffic from one side or the other holds back more, in turn, so that it runs full and empty.
        let mode = period as u64 / 200 % 4;
        let (sends, takes) = (rng.up_to(3) >= mode, rng.up_to(3) >= 3 - mode);
        let value = rng.next_u64() >> (64 - WIDTH);
        model.set(valid_i, u64::from(sends));
        model.set(data_i, value);
        model.set(ready_i, u64::from(takes));
        model.eval();
        let full = queue.len() == depth;
        let passes = falls_through && queue.is_empty() && sends;
        let offered = if passes { Some(value) } else { queue.front().copied() };
        assert_eq!(model.get(count_o), queue.len() as u64, "depth {depth}, period {period}: count");
        assert_eq!(model.get(ready_o) == 1, !full, "depth {depth}, period {period}: ready");
        assert_eq!(model.get(valid_o) == 1, offered.is_some(), "depth {depth}, period {period}: valid");
        if let Some(offered) = offered {
            assert_eq!(model.get(data_o), offered, "depth {depth}, period {period}: data");
        }
        if sends && !full {
            queue.push_back(value);
        }
        if takes && offered.is_some() {
            queue.pop_front();
            through += 1;
        }
        model.tick();
    }
    through
}

#[test]
fn fifo_is_a_queue() {
    let mut through = 0;
    let queues = [(1, true), (3, false), (4, true), (7, true)];
    for (depth, falls_through) in queues {
        through += check_fifo(depth, falls_through);
    }
    println!("{through} entries through {} queues in {} periods, each compared", queues.len(), queues.len() * PERIODS);
    assert!(through > 0, "nothing compared");
}

#[test]
fn skid_buffer_cuts_and_keeps_order() {
    let mut model = build("skid_buffer", &[("Width", WIDTH)]);
    let port = |name: &str| model.port(name);
    let (valid_i, ready_o, data_i) = (port("valid_i"), port("ready_o"), port("data_i"));
    let (valid_o, ready_i, data_o) = (port("valid_o"), port("ready_i"), port("data_o"));
    let mut rng = Rng::new(5);
    let (mut queue, mut through, mut most) = (VecDeque::new(), 0, 0);
    for period in 0..PERIODS {
        let mode = period as u64 / 200 % 4;
        let (sends, takes) = (rng.up_to(3) >= mode, rng.up_to(3) >= 3 - mode);
        let value = rng.next_u64() >> (64 - WIDTH);
        // What the module offers is decided before this period's inputs are: nothing of them may be seen.
        model.set(valid_i, u64::from(!sends));
        model.set(data_i, !value >> (64 - WIDTH));
        model.set(ready_i, u64::from(!takes));
        model.eval();
        let before = (model.get(ready_o), model.get(valid_o), model.get(data_o));
        model.set(valid_i, u64::from(sends));
        model.set(data_i, value);
        model.set(ready_i, u64::from(takes));
        model.eval();
        assert_eq!((model.get(ready_o), model.get(valid_o), model.get(data_o)), before, "period {period}: a path");
        assert_eq!(model.get(ready_o) == 1, queue.len() < 2, "period {period}: ready");
        assert_eq!(model.get(valid_o) == 1, !queue.is_empty(), "period {period}: valid");
        let room = queue.len() < 2;
        if let Some(oldest) = queue.front().copied() {
            assert_eq!(model.get(data_o), oldest, "period {period}: data");
            if takes {
                queue.pop_front();
                through += 1;
            }
        }
        if sends && room {
            queue.push_back(value);
        }
        most = most.max(queue.len());
        model.tick();
    }
    println!("{through} entries through a skid buffer in {PERIODS} periods, each compared");
    assert!(through > 0 && most == 2, "nothing compared");
}
