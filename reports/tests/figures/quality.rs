//! Quality figures: every format has its point and its name, and the front is that of loss against cost.

use crate::read::{ReadAxis, assert_labels_apart, read};
use reports::figure::Figure;
use reports::figure::style::ColumnWidth;
use reports::pareto::Goal;
use reports::quality::{Format, Quality};

fn quality(goal: Goal) -> Quality {
    let formats = [
        ("float", 32.0, 0.0),
        ("w8a8", 8.25, 0.0012),
        ("w4a8", 4.5, 0.021),
        ("w4a16-bitmod", 4.14, 0.016),
        ("w3a16-bitmod", 3.2, 0.071),
    ];
    let format = |(name, cost, loss): (&str, f64, f64)| Format { name: name.to_owned(), cost, loss, group: 0 };
    Quality {
        title: String::new(),
        cost_label: "Stored bits per weight (bits)".to_owned(),
        cost_goal: goal,
        loss_label: "Loss above float (nats/byte)".to_owned(),
        formats: formats.map(format).to_vec(),
        group_title: String::new(),
        groups: Vec::new(),
        width: ColumnWidth::Single,
    }
}

#[test]
fn every_format_has_its_point_and_its_name() {
    // Less is better: only w4a8 is beaten. More is better: the reference beats all.
    for (goal, beaten) in
        [(Goal::Minimise, vec!["w4a8"]), (Goal::Maximise, vec!["w8a8", "w4a8", "w4a16-bitmod", "w3a16-bitmod"])]
    {
        let figure = quality(goal);
        let page = read(&figure.to_svg().expect("drawn"));
        let (x, y) = (ReadAxis::new(&page, "x-tick", false), ReadAxis::new(&page, "y-tick", false));
        let mut compared = 0;
        for format in &figure.formats {
            let class = if beaten.contains(&format.name.as_str()) { "point dominated" } else { "point front" };
            let at = (x.place(format.cost), y.place(format.loss));
            let here = |m: &&(String, f64, f64)| m.0 == class && (m.1 - at.0).abs() < 0.02 && (m.2 - at.1).abs() < 0.02;
            assert!(page.markers.iter().any(|m| here(&m)), "no {class} of {} at {at:?}", format.name);
            let names = [page.texts("name").concat(), page.texts("key").concat()].concat();
            assert!(names.contains(&format.name), "{} is not in {names}", format.name);
            compared += 2;
        }
        println!("compared {compared} points and names, {} pairs", assert_labels_apart(&page, "point front"));
    }
    let titles = read(&quality(Goal::Minimise).to_svg().expect("drawn"));
    assert_eq!(titles.texts("y-title").join(" "), "Loss above float (nats/byte), \u{2190}\u{a0}better");
}

#[test]
fn bytes_repeat_and_data_reads_back() {
    let figure = quality(Goal::Minimise);
    assert_eq!(figure.to_svg(), figure.to_svg());
    let csv = figure.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "name,group,Stored bits per weight (bits),Loss above float (nats/byte),front");
    assert_eq!(rows[3], "w4a8,,4.5,0.021,false");
    assert_eq!(rows.len(), 6);
    println!("compared {} rows", rows.len());
}
