//! Results as one HTML file that needs nothing else: no network, no other file. Tables that sort and filter, a scatter of any
//! two results, figures as SVG, the machine as blocks and its floorplan.
//!
//! It must never compute a figure; what its script draws are the numbers of the tables.

mod machine;

use serde::Serialize;

pub use machine::{Block, MachinePicture, Region};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// Facts below the title: name and value.
    pub facts: Vec<(String, String)>,
    /// The rest, in order.
    pub sections: Vec<Section>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub enum Section {
    /// A figure.
    Figure {
        /// Heading.
        title: String,
        /// The picture, an `svg` element.
        svg: String,
    },
    /// A table that sorts, and filters where it says so.
    Table(Table),
    /// Lines of text.
    List {
        /// Heading.
        title: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// Text as it stands in a file.
    Text {
        /// Heading.
        title: String,
        /// The text.
        text: String,
    },
    /// The machine as blocks, its floorplan and its keys.
    Machine(MachinePicture),
}

/// A table.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Heading.
    pub title: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows: a value a column.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Whether the rows are points of a sweep: with filters, and a scatter of two columns.
    pub points: Option<Points>,
}

/// What a table of points has besides.
#[derive(Clone, Debug, Serialize)]
pub struct Points {
    /// Columns that say which point it is and how it stands: they have filters and stand in what is shown of a point.
    pub axes: Vec<usize>,
    /// The column that says whether a point is on the front.
    pub front: usize,
    /// Columns that the scatter shows at first.
    pub shown: [usize; 2],
}

/// A column.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Unit and meaning, shown when pointed at.
    pub meaning: String,
}

impl Page {
    /// The HTML.
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        let facts: String = self
            .facts
            .iter()
            .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value)))
            .collect();
        let sections: String =
            self.sections.iter().enumerate().map(|(number, section)| section.to_html(number)).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <dl class=\"facts\">\n{facts}</dl>\n{sections}<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }
}

impl Section {
    fn to_html(&self, number: usize) -> String {
        match self {
            Self::Figure { title, svg } => {
                format!(
                    "<section>\n<h2>{}</h2>\n<div class=\"figure\">{}</div>\n</section>\n",
                    escape(title),
                    own_ids(svg, number)
                )
            }
            Self::List { title, lines } => {
                let items: String = lines.iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
                format!("<section>\n<h2>{}</h2>\n<ul>\n{items}</ul>\n</section>\n", escape(title))
            }
            Self::Text { title, text } => {
                format!("<section>\n<h2>{}</h2>\n<pre>{}</pre>\n</section>\n", escape(title), escape(text))
            }
            Self::Table(table) => {
                // `<` would end the script element inside of a text.
                let data = serde_json::to_string(table).expect("plain data serialises").replace('<', "\\u003c");
                format!(
                    "<section class=\"data\">\n<h2>{}</h2>\n<script type=\"application/json\">{data}</script>\n\
                     <noscript>This table needs a browser with JavaScript.</noscript>\n</section>\n",
                    escape(&table.title)
                )
            }
            Self::Machine(picture) => picture.to_html(),
        }
    }
}

/// The picture without what only a file of its own has, its ids told apart from those of other pictures of the page.
fn own_ids(svg: &str, number: usize) -> String {
    let svg = svg.find("<svg").map_or(svg, |start| &svg[start..]);
    let mut out = svg.to_owned();
    for mark in ["id=\"", "url(#", "href=\"#"] {
        out = out.replace(mark, &format!("{mark}s{number}-"));
    }
    out
}

/// A text as it stands in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let column = |name: &str| Column { name: name.to_owned(), meaning: format!("what {name} is") };
        let table = Table {
            title: "points".to_owned(),
            columns: vec![column("a"), column("b"), column("front")],
            rows: vec![vec![1.into(), "</script><b>".into(), true.into()]],
            points: Some(Points { axes: vec![0], front: 2, shown: [0, 1] }),
        };
        let svg = "<?xml version=\"1.0\"?><svg><g id=\"x\"/><use href=\"#x\" fill=\"url(#x)\"/></svg>".to_owned();
        Page {
            title: "a < b".to_owned(),
            facts: vec![("model".to_owned(), "\"tiny\" & more".to_owned())],
            sections: vec![
                Section::Figure { title: "one".to_owned(), svg: svg.clone() },
                Section::Figure { title: "two".to_owned(), svg },
                Section::Table(table),
                Section::List { title: "left out".to_owned(), lines: vec!["<i>".to_owned()] },
            ],
        }
    }

    #[test]
    fn nothing_is_taken_from_elsewhere_and_no_text_becomes_markup() {
        let html = page().to_html();
        let elsewhere = ["http://", "https://", "src=", "@import", "fetch("];
        // The name space of SVG is no address.
        let checked = html.replace("http://www.w3.org/2000/svg", "");
        for mark in elsewhere {
            assert!(!checked.contains(mark), "{mark} in the page");
        }
        assert!(
            html.contains("a &lt; b") && html.contains("&quot;tiny&quot; &amp; more") && html.contains("&lt;i&gt;")
        );
        assert_eq!(html.matches("</script>").count(), 2, "a text ended a script");
        assert!(html.contains("li { white-space: pre-wrap; }"), "lines of a list lose their indentation");
        for id in ["s0-x", "s1-x"] {
            assert_eq!(html.matches(id).count(), 3, "{id}");
        }
        println!("compared {} marks", elsewhere.len() + 6);
    }
}
