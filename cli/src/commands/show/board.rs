//! `show board`: fabric, memories and power, each with its source.

use hw_config::board::{Board, Fabric, Figure};
use reports::table::{Align, Table, count, plain};
use serde_json::{Value, json};
use session::resolve;

use super::{Form, show};
use crate::failure::Failure;

/// The boards that come with the command.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let names = Board::names();
    let boards = names.iter().map(|name| resolve::board(name)).collect::<Result<Vec<_>, _>>()?;
    show(
        form,
        || {
            let mut table = Table::new(&[
                ("board", Align::Left),
                ("device", Align::Left),
                ("DSP", Align::Right),
                ("SLRs", Align::Right),
                ("memories", Align::Left),
            ]);
            for board in &boards {
                let memories = board.memories.iter().map(|memory| format!("{} x {}", memory.channels, memory.standard));
                table.row(vec![
                    board.name.clone(),
                    board.device.clone(),
                    count(board.total.dsp.into()),
                    board.slrs.len().to_string(),
                    memories.collect::<Vec<_>>().join(", "),
                ]);
            }
            table.render()
        },
        || json!(names),
    )
}

/// One board.
pub(super) fn one(name: &str, form: Form) -> Result<(), Failure> {
    let board = resolve::board(name)?;
    show(form, || text(&board), || value(&board))
}

fn regions(board: &Board) -> impl Iterator<Item = (String, &Fabric)> {
    let slrs = board.slrs.iter().enumerate().map(|(number, slr)| (format!("SLR{number}, less the shell"), slr));
    std::iter::once(("device".to_owned(), &board.total)).chain(slrs)
}

/// The figures that a board has, with their units.
fn figures(board: &Board) -> impl Iterator<Item = (&'static str, &'static str, &Figure)> {
    let power = std::iter::once(("static power", "W", &board.static_w));
    let design = board.tdp_w.iter().map(|figure| ("thermal design power", "W", figure));
    power.chain(design).chain(board.price_usd.iter().map(|figure| ("price", "US$", figure)))
}

fn text(board: &Board) -> String {
    let mut fabric = Table::new(&[
        ("region", Align::Left),
        ("LUT", Align::Right),
        ("FF", Align::Right),
        ("BRAM36", Align::Right),
        ("URAM", Align::Right),
        ("DSP", Align::Right),
        ("source", Align::Left),
    ]);
    for (name, f) in regions(board) {
        let mut cells = vec![name];
        cells.extend([f.lut, f.ff, f.bram36, f.uram, f.dsp].map(|amount| count(amount.into())));
        cells.push(f.source.clone());
        fabric.row(cells);
    }
    let mut memories = Table::new(&[
        ("memory", Align::Left),
        ("channels", Align::Right),
        ("MiB a channel", Align::Right),
        ("peak (GB/s)", Align::Right),
        ("source", Align::Left),
    ]);
    for memory in &board.memories {
        memories.row(vec![
            memory.standard.clone(),
            memory.channels.to_string(),
            count(memory.channel_mib.into()),
            plain(memory.peak_gb_per_s),
            memory.source.clone(),
        ]);
    }
    let mut power =
        Table::new(&[("figure", Align::Left), ("value", Align::Right), ("unit", Align::Left), ("source", Align::Left)]);
    for (name, unit, figure) in figures(board) {
        power.row(vec![name.to_owned(), figure.value.to_string(), unit.to_owned(), figure.source.clone()]);
    }
    let head = format!("{}: {}, {} nm, {} blocks", board.name, board.device, board.process_nm, board.dsp_kind.name());
    let part = board.part.as_ref().map_or_else(String::new, |part| format!("part {}: {}\n", part.number, part.source));
    format!("{head}\n{part}\n{}\n{}\n{}", fabric.render(), memories.render(), power.render())
}

fn value(board: &Board) -> Value {
    let region = |(name, f): (String, &Fabric)| {
        json!({ "region": name, "lut": f.lut, "ff": f.ff, "bram36": f.bram36, "uram": f.uram, "dsp": f.dsp,
                "source": f.source })
    };
    let memory = |m: &hw_config::board::BoardMemory| {
        json!({ "standard": m.standard, "channels": m.channels, "channel_mib": m.channel_mib,
                "peak_gb_per_s": m.peak_gb_per_s, "source": m.source })
    };
    let figure = |(name, unit, figure): (&str, &str, &Figure)| json!({ "figure": name, "value": figure.value, "unit": unit, "source": figure.source });
    json!({
        "name": board.name,
        "device": board.device,
        "part": board.part.as_ref().map(|part| json!({ "number": part.number, "source": part.source })),
        "process_nm": board.process_nm,
        "dsp_kind": board.dsp_kind.name(),
        "regions": regions(board).map(region).collect::<Vec<_>>(),
        "memories": board.memories.iter().map(memory).collect::<Vec<_>>(),
        "figures": figures(board).map(figure).collect::<Vec<_>>(),
    })
}
