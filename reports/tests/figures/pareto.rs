//! Pareto figures: points and steps where the numbers say, the front against a definition of its own, names apart.

use crate::read::{Page, ReadAxis, along, assert_labels_apart, number, read};
use proptest::prelude::*;
use reports::figure::axis::Scale;
use reports::figure::style::ColumnWidth;
use reports::figure::{Figure, FigureError};
use reports::pareto::{Design, Goal, Iso, Merit, Names, Objective, Pareto};

fn design(name: &str, x: f64, y: f64, group: usize) -> Design {
    Design { name: name.to_owned(), x, y, group }
}

fn objective(label: &str, goal: Goal, scale: Scale) -> Objective {
    Objective { label: label.to_owned(), goal, scale }
}

fn pareto(points: Vec<Design>, goals: [Goal; 2], scale: Scale) -> Pareto {
    Pareto {
        title: String::new(),
        x: objective("Time (ms)", goals[0], scale),
        y: objective("Power (W)", goals[1], scale),
        points,
        group_title: "format".to_owned(),
        groups: vec!["w8a8".to_owned(), "w4a8".to_owned()],
        names: Names::Front(4),
        iso: None,
        width: ColumnWidth::Single,
    }
}

fn five() -> Vec<Design> {
    vec![
        design("a", 10.0, 40.0, 0),
        design("b", 20.0, 30.0, 1),
        design("beaten by b", 25.0, 30.0, 1),
        design("c", 40.0, 12.5, 0),
        design("beaten by all", 60.0, 55.0, 0),
    ]
}

/// Whether another point is as good in both objectives and better in one: the definition, point against point.
fn beaten(points: &[Design], goals: [Goal; 2], own: usize) -> bool {
    let better = |goal: Goal, a: f64, b: f64| match goal {
        Goal::Minimise => a < b,
        Goal::Maximise => a > b,
    };
    points.iter().any(|other| {
        let (o, p) = ([other.x, other.y], [points[own].x, points[own].y]);
        let worse = (0..2).any(|i| better(goals[i], p[i], o[i]));
        !worse && (0..2).any(|i| better(goals[i], o[i], p[i]))
    })
}

fn markers(page: &Page, class: &str) -> Vec<(f64, f64)> {
    page.markers.iter().filter(|m| m.0 == class).map(|m| (m.1, m.2)).collect()
}

#[test]
fn points_and_steps_stand_where_the_numbers_say() {
    let mut compared = 0;
    for scale in [Scale::Linear, Scale::Log] {
        let figure = pareto(five(), [Goal::Minimise; 2], scale);
        let page = read(&figure.to_svg().expect("drawn"));
        let (x, y) =
            (ReadAxis::new(&page, "x-tick", scale == Scale::Log), ReadAxis::new(&page, "y-tick", scale == Scale::Log));
        let near = |a: f64, b: f64| (a - b).abs() < 0.02;
        for (class, wanted) in [("point front", vec![0, 1, 3]), ("point dominated", vec![2, 4])] {
            let drawn = markers(&page, class);
            assert_eq!(drawn.len(), wanted.len(), "{class}");
            for (at, i) in drawn.iter().zip(wanted) {
                let (px, py) = (x.place(figure.points[i].x), y.place(figure.points[i].y));
                assert!(near(at.0, px) && near(at.1, py), "{class} {i} at {at:?}, expected {px}, {py}");
                compared += 2;
            }
        }
        // From the upper edge down to a, along to below b, and so on to the right edge.
        let corners = [
            (10.0, None),
            (10.0, Some(40.0)),
            (20.0, Some(40.0)),
            (20.0, Some(30.0)),
            (40.0, Some(30.0)),
            (40.0, Some(12.5)),
        ];
        let steps = &page.of("front").next().expect("a front").points;
        assert_eq!(steps.len(), corners.len() + 1);
        let frame = page.of("frame").next().expect("a frame").bounds();
        for (step, (cx, cy)) in steps.iter().zip(corners) {
            let py = cy.map_or(frame[1], |cy| y.place(cy));
            assert!(near(step.0, x.place(cx)) && near(step.1, py), "{step:?}, expected {cx}, {cy:?}");
            compared += 2;
        }
        assert!(near(steps[6].0, frame[2]) && near(steps[6].1, y.place(12.5)));
    }
    println!("compared {compared} positions");
    assert!(compared > 30);
}

/// A group whose designs are all beaten has no coloured marker, in the plot or in the legend.
#[test]
fn the_legend_has_the_markers_that_are_drawn() {
    let mut figure = pareto(five(), [Goal::Minimise; 2], Scale::Linear);
    figure.groups = vec!["first".to_owned(), "second".to_owned()];
    let front = figure.front();
    for (number, point) in figure.points.iter_mut().enumerate() {
        point.group = usize::from(!front.contains(&number));
    }
    let svg = figure.to_svg().expect("drawn");
    let filled =
        svg.split('<').filter(|tag| tag.contains("class=\"legend-point\"") && !tag.contains("fill=\"#ffffff\""));
    assert_eq!(filled.count(), 1, "that of the first group");
    for (number, point) in figure.points.iter_mut().enumerate() {
        point.group = number % 2;
    }
    let svg = figure.to_svg().expect("drawn");
    let filled =
        svg.split('<').filter(|tag| tag.contains("class=\"legend-point\"") && !tag.contains("fill=\"#ffffff\""));
    assert_eq!(filled.count(), 2, "both are on the front");
    println!("compared 2 legends");
}

#[test]
fn lines_of_equal_merit_are_what_they_say() {
    let mut compared = 0;
    for (merit, scale, divisor) in [
        (Merit::Product, Scale::Linear, 1000.0),
        (Merit::Product, Scale::Log, 1.0),
        (Merit::Quotient, Scale::Linear, 1.0),
    ] {
        let mut figure = pareto(five(), [Goal::Minimise; 2], scale);
        figure.iso = Some(Iso { merit, label: "merit".to_owned(), divisor });
        let page = read(&figure.to_svg().expect("drawn"));
        let (x, y) =
            (ReadAxis::new(&page, "x-tick", scale == Scale::Log), ReadAxis::new(&page, "y-tick", scale == Scale::Log));
        let names: Vec<f64> = page.texts("iso-name").iter().map(|text| number(text)).collect();
        assert!(page.texts("legend").contains(&"equal merit"));
        assert!(names.len() >= 2, "{names:?}");
        for value in names {
            let of = |px: f64| match merit {
                Merit::Product => value * divisor / px,
                Merit::Quotient => value * divisor * px,
            };
            // Some line runs through the points that the product or quotient demands.
            let wanted: Vec<(f64, f64)> =
                [12.0, 20.0, 31.0, 47.0].iter().map(|&v| (x.place(v), y.place(of(v)))).collect();
            let frame = page.of("frame").next().expect("a frame").bounds();
            for (px, py) in wanted.into_iter().filter(|p| p.1 > frame[1] && p.1 < frame[3]) {
                let on = |shape: &crate::read::Shape| {
                    shape.points.windows(2).any(|pair| {
                        let ends = [pair[0].0, pair[0].1, pair[1].0, pair[1].1];
                        along(&ends).any(|at| (at.0 - px).hypot(at.1 - py) < 0.6)
                    })
                };
                assert!(page.of("iso").any(on), "no line of {value} through {px}, {py}");
                compared += 1;
            }
        }
    }
    println!("compared {compared} positions");
    assert!(compared >= 12);
}

#[test]
fn bytes_repeat_and_data_reads_back() {
    let mut figure = pareto(five(), [Goal::Minimise; 2], Scale::Linear);
    figure.points[2].name = "beaten, \"b\"".to_owned();
    let draw = || {
        (
            figure.to_svg().expect("svg"),
            figure.to_pdf().expect("pdf"),
            figure.to_png(100.0).expect("png"),
            figure.to_tikz().expect("tikz"),
        )
    };
    assert_eq!(draw(), draw());
    assert!(draw().3.is_ascii(), "every TeX takes it");
    let csv = figure.to_csv().expect("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "name,format,Time (ms),Power (W),front");
    assert_eq!(rows[1], "a,w8a8,10,40,true");
    assert_eq!(rows[3], "\"beaten, \"\"b\"\"\",w4a8,25,30,false");
    println!("compared {} rows", rows.len());
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let with = |x: f64, scale| {
        let mut points = five();
        points[1].x = x;
        pareto(points, [Goal::Minimise; 2], scale).to_svg().expect_err("refused").to_string()
    };
    let zero = with(0.0, Scale::Log);
    assert!(zero.contains("Time (ms) of 'b' is 0, expected a finite value above 0 on a logarithmic axis"), "{zero}");
    let undefined = with(f64::NAN, Scale::Linear);
    assert!(undefined.contains("Time (ms) of 'b' is NaN"), "{undefined}");
    let none = pareto(Vec::new(), [Goal::Minimise; 2], Scale::Linear);
    assert_eq!(none.to_csv(), Err(FigureError::Empty { what: "point" }));
    let mut many = pareto(five(), [Goal::Minimise; 2], Scale::Linear);
    many.groups = (0..9).map(|i| i.to_string()).collect();
    assert!(matches!(many.draw(), Err(FigureError::TooMany { count: 9, most: 8, .. })));
    println!("compared 4 refusals");
}

#[test]
fn what_does_not_fit_beside_a_marker_stands_in_the_key() {
    let mut points = five();
    for (number, point) in points.iter_mut().enumerate() {
        point.name = format!("machine.core.matrix.columns={number}, machine.core.matrix.chain=16, a long format name");
    }
    let mut figure = pareto(points, [Goal::Minimise; 2], Scale::Linear);
    figure.names = Names::All;
    let page = read(&figure.to_svg().expect("drawn"));
    let (key, beside) = (page.texts("key").concat(), page.texts("name").concat());
    for number in 0..5 {
        let name = format!("columns={number},");
        assert!(key.contains(&name) != beside.contains(&name), "{name} is not once in {key} or {beside}");
    }
    assert!(!page.texts("number").is_empty());
    println!("compared {} pairs", assert_labels_apart(&page, "point front"));
}

fn any_design() -> impl Strategy<Value = Design> {
    let names = prop::sample::select(vec!["q", "columns 64, chain 16", "a rather long name of a design, w4a8-g128"]);
    // Whole numbers often: equal values are the hard case.
    let value = prop_oneof![(1..6_u32).prop_map(f64::from), (-2.0..3.0_f64).prop_map(|e| 10_f64.powf(e))];
    (names, value.clone(), value, 0..2_usize).prop_map(|(name, x, y, group)| design(name, x, y, group))
}

fn any_goal() -> impl Strategy<Value = Goal> {
    prop_oneof![Just(Goal::Minimise), Just(Goal::Maximise)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_front_is_what_nothing_beats_and_labels_never_meet(
        points in prop::collection::vec(any_design(), 1..40),
        goals in [any_goal(), any_goal()],
        log in any::<bool>(),
        iso in any::<bool>(),
    ) {
        let mut figure = pareto(points, goals, if log { Scale::Log } else { Scale::Linear });
        figure.iso = iso.then(|| Iso { merit: Merit::Product, label: "energy (J)".to_owned(), divisor: 1.0 });
        let mut front = figure.front();
        front.sort_unstable();
        let wanted: Vec<usize> = (0..figure.points.len()).filter(|i| !beaten(&figure.points, goals, *i)).collect();
        prop_assert_eq!(&front, &wanted);
        let page = read(&figure.to_svg().expect("random points are drawn"));
        prop_assert_eq!(markers(&page, "point front").len(), wanted.len());
        prop_assert_eq!(markers(&page, "point dominated").len(), figure.points.len() - wanted.len());
        prop_assert!(assert_labels_apart(&page, "point front") > 0);
        let frame = page.of("frame").next().expect("a frame").bounds();
        for (class, x, y) in page.markers.iter().filter(|m| m.0.starts_with("point")) {
            prop_assert!(*x > frame[0] && *x < frame[2] && *y > frame[1] && *y < frame[3], "{} at {}, {}", class, x, y);
        }
    }
}
