//! Figures of results in a paper: what LaTeX makes of them.

use std::process::{Command, Stdio};

use crate::common::Folder;
use crate::figures::{runs, sweep};

/// Pictures for papers, on a column of 252 points: LaTeX sets each of them, with `tikz` alone, and none is wider than the column.
#[test]
fn pictures_for_papers_are_latex() {
    let folder = Folder::new("figure-latex");
    sweep(&folder);
    runs(&folder);
    let pictures: [(&str, &[&str]); 4] = [
        ("pareto", &["pareto", "sweep", "--x", "decode_ms_per_token", "--y", "average_power_w", "--group", "format"]),
        (
            "map",
            &["heat-map", "sweep", "--x", "machine.core.matrix.columns", "--y", "format", "--value", "average_power_w"],
        ),
        ("roof", &["roofline", "w8a8.json"]),
        ("bars", &["breakdown", "w8a8.json", "w4a8.json", "--by", "operator", "--of", "latency"]),
    ];
    let mut document =
        "\\documentclass{article}\\usepackage{tikz}\\textwidth=252pt\\parindent=0pt\\begin{document}\n".to_owned();
    for (name, arguments) in pictures {
        folder.must(&[&["figure"], arguments, &["-o", &format!("{name}.tex"), "--quiet"]].concat());
        document.push_str(&format!("\\input{{{name}}}\\clearpage\n"));
    }
    folder.write("paper.tex", document + "\\end{document}\n");
    let mut latex = Command::new("pdflatex");
    latex.args(["-interaction=nonstopmode", "-halt-on-error", "paper.tex"]).current_dir(folder.at("."));
    let Ok(output) = latex.stdin(Stdio::null()).output() else {
        println!("SKIPPED: pdflatex is not installed");
        return;
    };
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(!log.contains("Overfull"), "a picture is wider than its column: {log}");
    assert!(log.contains(&format!("({} pages", pictures.len())), "{log}");
    println!("set {} pictures", pictures.len());
}
