//! Rooflines read back: positions against numbers, labels against each other, bytes against themselves.
//!
//! The axes are taken from the tick labels that stand in the SVG.

use crate::read::{Label, Page, along, assert_labels_apart, number, read};
use proptest::prelude::*;
use reports::figure::drawing::Element;
use reports::figure::style::ColumnWidth;
use reports::figure::{Figure, FigureError};
use reports::roofline::{Bandwidth, Ceiling, CeilingKind, Phase, Point, Roofline};

const PEAK: f64 = 2.8e12;
const SPARSE: f64 = 11.2e12;
const HBM: f64 = 460e9;

fn point(label: &str, phase: Phase, intensity: f64, share: f64) -> Point {
    let roof = PEAK.min(HBM * intensity);
    Point {
        label: label.to_owned(),
        phase,
        intensity_ops_per_byte: intensity,
        attained_ops_per_s: roof * share,
        attainable_ops_per_s: roof,
    }
}

fn roofline(width: ColumnWidth, points: Vec<Point>) -> Roofline {
    let ceiling = |label: &str, ops_per_s, kind| Ceiling { label: label.to_owned(), ops_per_s, kind };
    Roofline {
        title: "LLaMA-2-7B <W4A8> & more".to_owned(),
        ceilings: vec![
            ceiling("INT8 dense", PEAK, CeilingKind::ComputeDense),
            ceiling("INT8 4:16", SPARSE, CeilingKind::ComputeSparse),
        ],
        bandwidths: vec![
            Bandwidth { label: "HBM".to_owned(), bytes_per_s: HBM },
            Bandwidth { label: "on-chip".to_owned(), bytes_per_s: 7.2e12 },
        ],
        points,
        width,
    }
}

fn three_points() -> Vec<Point> {
    vec![
        point("FFN", Phase::Prefill, 90.0, 0.75),
        point("attention", Phase::Decode, 2.0, 0.6),
        point("FFN", Phase::Decode, 3.8, 0.8),
    ]
}

/// A machine with a ceiling in the middle of many points, whose name has no room along it without crossing a stem.
fn crowded() -> Roofline {
    let points = [
        ("attention", Phase::Prefill, 33.600, 5.842e+10, 1.8450e+12),
        ("attention output", Phase::Prefill, 39.573, 1.123e+12, 7.3802e+12),
        ("down", Phase::Prefill, 42.018, 2.355e+12, 7.3802e+12),
        ("gate up", Phase::Prefill, 39.724, 6.991e+11, 7.3802e+12),
        ("key", Phase::Prefill, 39.273, 5.840e+11, 7.3802e+12),
        ("lm head", Phase::Prefill, 1.959, 5.217e+11, 9.0369e+11),
        ("query", Phase::Prefill, 39.573, 4.100e+11, 7.3802e+12),
        ("value", Phase::Prefill, 39.273, 9.836e+11, 7.3802e+12),
        ("attention", Phase::Decode, 4.320, 6.119e+10, 1.8450e+12),
        ("attention output", Phase::Decode, 4.947, 2.025e+11, 2.2817e+12),
        ("down", Phase::Decode, 5.252, 5.307e+11, 2.4227e+12),
        ("gate up", Phase::Decode, 4.966, 2.436e+11, 2.2904e+12),
        ("key", Phase::Decode, 4.909, 1.500e+11, 2.2644e+12),
        ("lm head", Phase::Decode, 1.959, 5.973e+11, 9.0369e+11),
        ("query", Phase::Decode, 4.947, 1.479e+11, 2.2817e+12),
        ("value", Phase::Decode, 4.909, 1.711e+11, 2.2644e+12),
    ];
    let ceiling = |label: &str, ops_per_s, kind| Ceiling { label: label.to_owned(), ops_per_s, kind };
    let point = |(label, phase, intensity, attained, attainable): (&str, Phase, f64, f64, f64)| Point {
        label: label.to_owned(),
        phase,
        intensity_ops_per_byte: intensity,
        attained_ops_per_s: attained,
        attainable_ops_per_s: f64::min(attainable, 7.3728e12),
    };
    Roofline {
        title: String::new(),
        ceilings: vec![
            ceiling("INT8 dense", 1.8432e12, CeilingKind::ComputeDense),
            ceiling("INT8 sparse, 4.0x", 7.3728e12, CeilingKind::ComputeSparse),
            ceiling("FP32 vector", 2.88e10, CeilingKind::Vector),
        ],
        bandwidths: vec![
            Bandwidth { label: "hbm2-u280".to_owned(), bytes_per_s: 4.608e11 },
            Bandwidth { label: "weight buffer".to_owned(), bytes_per_s: 9.216e11 },
        ],
        points: points.map(point).into(),
        width: ColumnWidth::Single,
    }
}

#[test]
fn names_of_ceilings_stand_at_their_lines() {
    let figure = crowded();
    let page = read(&figure.to_svg().expect("drawn"));
    let (_, y) = axes(&page);
    let names: Vec<&Label> = page.labels.iter().filter(|label| label.class == "ceiling-name").collect();
    for ceiling in &figure.ceilings {
        let name = names.iter().find(|name| name.text.starts_with(&ceiling.label)).expect("every ceiling has its name");
        let away = (name.y - y.place(ceiling.ops_per_s / 1e9)).abs();
        assert!(away < 22.0, "{} stands {away} pt from its line", name.text);
    }
    assert_labels_apart(&page, "point");
    println!("compared {} names", figure.ceilings.len());
}

/// Several points with one number: the key says which is which.
#[test]
fn a_shared_number_lists_its_points_from_the_top() {
    let figure = crowded();
    let page = read(&figure.to_svg().expect("drawn"));
    let shared: Vec<&str> = page.texts("key").into_iter().filter(|line| line.contains(", ")).collect();
    assert!(!shared.is_empty());
    let height = |label: &str, phase| {
        let found = figure.points.iter().find(|point| point.label == label && point.phase == phase);
        found.expect("a point").attained_ops_per_s
    };
    let mut compared = 0;
    for line in shared {
        let (names, phase) = line.rsplit_once(" (").expect("a phase");
        let phase = match phase {
            "prefill, from the top)" => Phase::Prefill,
            "decode, from the top)" => Phase::Decode,
            other => panic!("`{other}` does not say the order"),
        };
        let (_, names) = names.split_once(' ').expect("a number");
        let heights: Vec<f64> = names.split(", ").map(|name| height(name, phase)).collect();
        assert!(heights.windows(2).all(|pair| pair[0] >= pair[1]), "{line}: {heights:?}");
        compared += heights.len();
    }
    println!("compared {compared} points");
}

/// An axis as its tick labels tell it: page position of a power of ten.
struct LogAxis {
    at: [(f64, f64); 2],
}

impl LogAxis {
    fn new(page: &Page, class: &str, position: impl Fn(&Label) -> f64) -> LogAxis {
        let ticks: Vec<(f64, f64)> = page
            .labels
            .iter()
            .filter(|l| l.class == class)
            .map(|l| {
                let exponent = l.text.strip_prefix("10").expect("a power of ten").replace('\u{2212}', "-");
                (number(&exponent), position(l))
            })
            .collect();
        assert!(ticks.len() >= 2, "{} {class} labels", ticks.len());
        LogAxis { at: [ticks[0], ticks[ticks.len() - 1]] }
    }

    fn place(&self, value: f64) -> f64 {
        let [(e0, p0), (e1, p1)] = self.at;
        p0 + (value.log10() - e0) / (e1 - e0) * (p1 - p0)
    }
}

fn axes(page: &Page) -> (LogAxis, LogAxis) {
    // A y label's baseline stands half a capital (0.688 of 7 pt) below its tick.
    (LogAxis::new(page, "x-tick", |l| l.x), LogAxis::new(page, "y-tick", |l| l.y - 0.688 * 7.0 / 2.0))
}

fn unit_of(page: &Page) -> f64 {
    let title = page.labels.iter().find(|l| l.class == "y-title").expect("a y title");
    match title.text.as_str() {
        "Performance (TOP/s)" => 1e12,
        "Performance (GOP/s)" => 1e9,
        "Performance (MOP/s)" => 1e6,
        other => panic!("y title {other}"),
    }
}

/// No name or number of a point covers a roof or a stem. Returns how many positions along lines were compared with labels.
fn assert_lines_free(page: &Page) -> usize {
    let mut compared = 0;
    for (class, ends) in page.lines.iter().filter(|l| ["ceiling", "bandwidth", "stem"].contains(&l.0.as_str())) {
        for label in page.labels.iter().filter(|l| l.class == "name" || l.class == "number") {
            for at in along(ends) {
                assert!(!label.covers(at), "'{}' covers a {class} at {at:?}", label.text);
                compared += 1;
            }
        }
    }
    compared
}

/// No leader runs through a label that it does not belong to, or far over the page. Returns how many positions were
/// compared.
fn assert_leaders_clear(page: &Page) -> usize {
    let mut compared = 0;
    for (_, ends) in page.lines.iter().filter(|l| l.0 == "leader") {
        let [x0, y0, x1, y1] = *ends;
        assert!(
            (x1 - x0).hypot(y1 - y0) < 0.3 * page.width.hypot(page.height),
            "a leader from {x0}, {y0} to {x1}, {y1}"
        );
        for label in &page.labels {
            // A leader ends at the rim of its own label.
            for at in along(ends).filter(|(x, y)| (x - x1).hypot(y - y1) > 3.0) {
                assert!(!label.covers(at), "a leader runs through '{}' at {at:?}", label.text);
                compared += 1;
            }
        }
    }
    compared
}

// ---- tests ----

#[test]
fn markers_and_roofs_stand_where_the_numbers_say() {
    let mut compared = 0;
    for width in [ColumnWidth::Single, ColumnWidth::Double] {
        let figure = roofline(width, three_points());
        let page = read(&figure.to_svg().expect("drawn"));
        assert_eq!(page.width, width.points());
        let (x, y) = axes(&page);
        let unit = unit_of(&page);
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        for phase in [Phase::Prefill, Phase::Decode] {
            let class = format!("point {}", phase.name());
            let drawn: Vec<_> = page.markers.iter().filter(|m| m.0 == class).collect();
            let wanted: Vec<_> = figure.points.iter().filter(|p| p.phase == phase).collect();
            assert_eq!(drawn.len(), wanted.len());
            for (marker, p) in drawn.iter().zip(wanted) {
                let (px, py) = (x.place(p.intensity_ops_per_byte), y.place(p.attained_ops_per_s / unit));
                assert!(near(marker.1, px) && near(marker.2, py), "{} at {marker:?}, expected {px}, {py}", p.label);
                let top = y.place(p.attainable_ops_per_s / unit);
                let stem = |l: &&(String, [f64; 4])| l.0 == "stem" && near(l.1[0], px) && near(l.1[1], py);
                let stem = page.lines.iter().find(stem).expect("a stem");
                assert!(near(stem.1[3], top), "{}: stem ends at {}, expected {top}", p.label, stem.1[3]);
                compared += 4;
            }
        }
        let ceilings: Vec<_> = page.lines.iter().filter(|l| l.0 == "ceiling").collect();
        for (drawn, wanted) in ceilings.iter().zip(&figure.ceilings) {
            let height = y.place(wanted.ops_per_s / unit);
            assert!(near(drawn.1[1], height) && near(drawn.1[3], height), "{drawn:?} not at {height}");
            compared += 2;
        }
        let slants: Vec<_> = page.lines.iter().filter(|l| l.0 == "bandwidth").collect();
        assert_eq!((ceilings.len(), slants.len()), (2, 2));
        for (drawn, wanted) in slants.iter().zip(&figure.bandwidths) {
            let [_, _, x1, y1] = drawn.1;
            let ridge = SPARSE / wanted.bytes_per_s;
            assert!(near(x1, x.place(ridge)) && near(y1, y.place(SPARSE / unit)), "{drawn:?}");
            // One decade to the left performance is a tenth: the slope of a bandwidth roof.
            let slope = (drawn.1[3] - drawn.1[1]) / (drawn.1[2] - drawn.1[0]);
            let decade = (y.place(0.1) - y.place(1.0)) / (x.place(0.1) - x.place(1.0));
            assert!((slope - decade).abs() < 1e-3, "slope {slope}, expected {decade}");
            compared += 3;
        }
        for (ridge, words) in [(SPARSE / HBM, "24.3"), (PEAK / HBM, "6.09"), (SPARSE / 7.2e12, "1.56")] {
            let at = x.place(ridge);
            assert!(page.markers.iter().any(|m| m.0 == "ridge" && near(m.1, at)), "no ridge at {ridge}");
            assert!(page.labels.iter().any(|l| l.class == "ridge-name" && l.text == words), "no ridge value {words}");
            compared += 2;
        }
    }
    println!("compared {compared} positions");
    assert!(compared > 40);
}

#[test]
fn every_name_is_real_text() {
    let figure = roofline(ColumnWidth::Single, three_points());
    let page = read(&figure.to_svg().expect("drawn"));
    let texts: Vec<&str> = page.labels.iter().map(|l| l.text.as_str()).collect();
    for words in
        ["FFN", "attention", "INT8 dense 2.8 TOP/s", "HBM 460 GB/s", "prefill", "decode", "LLaMA-2-7B <W4A8> & more"]
    {
        assert!(texts.contains(&words), "'{words}' is not among {texts:?}");
    }
    assert!(page.labels.iter().all(|l| l.size >= 6.5 && l.size <= 8.0));
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let draw = || {
        let figure = roofline(ColumnWidth::Single, three_points());
        (figure.to_svg().expect("svg"), figure.to_pdf().expect("pdf"), figure.to_png(150.0).expect("png"))
    };
    assert_eq!(draw(), draw());
}

#[test]
fn the_pdf_embeds_its_font_and_no_date() {
    let figure = roofline(ColumnWidth::Double, three_points());
    let pdf = figure.to_pdf().expect("pdf");
    let text = String::from_utf8_lossy(&pdf);
    for part in ["%PDF-", "/FontFile2", "/ToUnicode", "/Identity-H", "/MediaBox [0 0 516 "] {
        assert!(text.contains(part), "no {part}");
    }
    assert!(!text.contains("Date"));
    assert!(pdf.len() < 60_000, "{} bytes: the whole font seems to be inside", pdf.len());
    let shown = text.matches(" Tj").count() + text.matches("\nTj").count();
    assert!(shown >= 20, "{shown} texts shown");
}

#[test]
fn the_png_has_the_marker_where_the_svg_has_it() {
    let figure = roofline(ColumnWidth::Single, three_points());
    let page = read(&figure.to_svg().expect("svg"));
    let pixmap = tiny_skia::Pixmap::decode_png(&figure.to_png(300.0).expect("png")).expect("a PNG");
    assert_eq!(pixmap.width(), 1050);
    let (_, x, y) = page.markers.iter().find(|m| m.0 == "point prefill").expect("a prefill point");
    let pixel = |x: f64, y: f64| {
        let p = pixmap.pixel((x * 300.0 / 72.0) as u32, (y * 300.0 / 72.0) as u32).expect("on the page");
        [p.red(), p.green(), p.blue()]
    };
    assert_eq!(pixel(*x, *y), [0, 114, 178]);
    assert_eq!(pixel(1.0, 1.0), [255, 255, 255]);
    assert!(matches!(figure.to_png(0.0), Err(FigureError::Resolution { .. })));
    assert!(matches!(figure.to_png(f64::NAN), Err(FigureError::Resolution { .. })));
    assert!(matches!(figure.to_png(1e9), Err(FigureError::Resolution { .. })));
}

#[test]
fn a_point_above_its_roof_is_an_error() {
    let mut above_own = three_points();
    above_own[1].attained_ops_per_s = above_own[1].attainable_ops_per_s * 1.001;
    let mut above_machine = three_points();
    above_machine[0].attained_ops_per_s = SPARSE * 1.001;
    above_machine[0].attainable_ops_per_s = SPARSE * 1.001;
    let mut promised_too_much = three_points();
    promised_too_much[0].attainable_ops_per_s = SPARSE * 1.001;
    for points in [above_own, above_machine, promised_too_much] {
        let figure = roofline(ColumnWidth::Single, points);
        let outcomes = [figure.to_svg().err(), figure.to_csv().err(), figure.to_tikz().err(), figure.draw().err()];
        for error in outcomes {
            assert!(matches!(error, Some(FigureError::AboveRoof { .. })), "{error:?}");
        }
    }
    let mut at_its_roof = three_points();
    at_its_roof[0].attained_ops_per_s = at_its_roof[0].attainable_ops_per_s;
    roofline(ColumnWidth::Single, at_its_roof).to_svg().expect("a point on its roof is drawn");
}

#[test]
fn values_without_a_place_are_refused_by_name() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut points = three_points();
        points[2].intensity_ops_per_byte = value;
        let error = roofline(ColumnWidth::Single, points).to_svg().expect_err("refused").to_string();
        assert!(error.contains("intensity_ops_per_byte of 'FFN'"), "{error}");
    }
    let empty = roofline(ColumnWidth::Single, Vec::new());
    assert_eq!(empty.to_svg(), Err(FigureError::Empty { what: "point" }));
    let mut strange = three_points();
    strange[0].label = "注意".to_owned();
    let strange = roofline(ColumnWidth::Single, strange);
    assert_eq!(strange.to_svg(), Err(FigureError::MissingGlyph { character: '注' }));
    let mut long = roofline(ColumnWidth::Single, three_points());
    long.title = "a title much longer than one column of a paper has room for at eight points".to_owned();
    assert!(matches!(long.to_svg(), Err(FigureError::TooWide { .. })));
}

#[test]
fn exports_carry_every_number() {
    let mut figure = roofline(ColumnWidth::Single, three_points());
    figure.points[0].label = "up, \"gate\" & down_proj".to_owned();
    let csv = figure.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 1 + 2 + 2 + 4 + 3);
    assert!(rows[9].starts_with("point,\"up, \"\"gate\"\" & down_proj\",prefill,90,"), "{}", rows[9]);
    let mut compared = 0;
    for (row, p) in rows[10..].iter().zip(&figure.points[1..]) {
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!(fields.len(), 7);
        for (field, value) in
            fields[3..].iter().zip([p.intensity_ops_per_byte, p.attained_ops_per_s, p.attainable_ops_per_s])
        {
            assert_eq!(number(field), value);
            compared += 1;
        }
    }
    println!("compared {compared} exported numbers");
    assert_eq!(compared, 6);
    let tikz = figure.to_tikz().expect("tikz");
    assert!(tikz.contains("\\& down\\_proj"));
    assert_eq!(tikz.matches("\\begin").count(), tikz.matches("\\end").count());
    let drawing = figure.draw().expect("drawn");
    let (mut paths, mut texts) = (0, 0);
    for element in &drawing.elements {
        match element {
            Element::Path(_) => paths += 1,
            Element::Text(text) => {
                texts += 1;
                let at = format!("at ({},{})", thousandths(text.at.x), thousandths(text.at.y));
                assert!(tikz.lines().any(|line| line.starts_with("\\node") && line.contains(&at)), "no text {at}");
            }
        }
    }
    assert_eq!(tikz.matches("\n\\path[draw").count() + tikz.matches("\n\\path[fill").count(), paths);
    assert_eq!((tikz.matches("\n\\node").count(), tikz.matches("\\resizebox").count()), (texts, texts));
    assert!(tikz.is_ascii(), "every TeX takes it");
    println!("compared {paths} paths and {texts} texts");
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The same picture of a machine with other peaks: ridges and points move together.
fn scale(figure: &mut Roofline, compute: f64, bandwidth: f64) {
    figure.ceilings.iter_mut().for_each(|c| c.ops_per_s *= compute);
    figure.bandwidths.iter_mut().for_each(|b| b.bytes_per_s *= bandwidth);
    for p in &mut figure.points {
        p.intensity_ops_per_byte *= compute / bandwidth;
        p.attained_ops_per_s *= compute;
        p.attainable_ops_per_s *= compute;
    }
}

fn any_point() -> impl Strategy<Value = Point> {
    let names = prop::sample::select(vec!["q", "o_proj", "FFN gate", "attention QK^T", "a rather long operator name"]);
    // Half of all points in a narrow cluster, as the operators of a decode step are.
    let intensity = prop_oneof![3.5..4.2_f64, (-1.0..3.0_f64).prop_map(|e| 10_f64.powf(e))];
    (names, any::<bool>(), intensity, 0.05..1.0_f64).prop_map(|(name, prefill, intensity, share)| {
        point(name, if prefill { Phase::Prefill } else { Phase::Decode }, intensity, share)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn labels_never_meet(
        points in prop::collection::vec(any_point(), 1..18),
        double in any::<bool>(),
        faster in -4.0..2.0_f64,
        wider in -4.0..1.5_f64,
    ) {
        let width = if double { ColumnWidth::Double } else { ColumnWidth::Single };
        let mut figure = roofline(width, points);
        scale(&mut figure, 10_f64.powf(faster), 10_f64.powf(wider));
        let page = read(&figure.to_svg().expect("random points are drawn"));
        prop_assert!(assert_labels_apart(&page, "point") > 0);
        prop_assert!(assert_lines_free(&page) > 0);
        assert_leaders_clear(&page);
        let drawn = page.markers.iter().filter(|m| m.0.starts_with("point ")).count();
        prop_assert_eq!(drawn, figure.points.len());
    }
}

#[test]
fn a_column_of_points_shares_one_label_off_the_roofs() {
    let names = ["down", "gate up", "query", "value", "attention output", "key"];
    // Heights over the roof of a small machine's prefill: half a decade at one intensity.
    let shares = [0.54, 0.46, 0.42, 0.372, 0.371, 0.344];
    for width in [ColumnWidth::Single, ColumnWidth::Double] {
        let points = names.iter().zip(shares).map(|(name, share)| point(name, Phase::Prefill, 12.0, share)).collect();
        let page = read(&roofline(width, points).to_svg().expect("drawn"));
        let lines: Vec<&str> = page.labels.iter().filter(|l| l.class == "name").map(|l| l.text.as_str()).collect();
        let compared = assert_lines_free(&page);
        println!("compared {compared} positions along lines");
        assert!(compared > 1000);
        if width == ColumnWidth::Single {
            assert_eq!(lines.join(" "), names.join(", "));
        }
    }
}

#[test]
fn fourteen_points_in_one_place_are_labelled_apart() {
    let mut points = Vec::new();
    for i in 0..14 {
        let phase = if i % 2 == 0 { Phase::Prefill } else { Phase::Decode };
        points.push(point(&format!("layer {i} attention"), phase, 4.0 + 0.01 * f64::from(i), 0.8));
    }
    let page = read(&roofline(ColumnWidth::Single, points).to_svg().expect("drawn"));
    let compared = assert_labels_apart(&page, "point");
    println!("compared {compared} pairs");
    assert!(compared > 200);
}
