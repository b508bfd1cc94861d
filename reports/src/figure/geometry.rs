//! Plane geometry of a figure: positions in points (1 pt = 1/72 in), y growing downwards as in SVG.
//!
//! Must never know what is drawn: it answers only whether convex shapes meet.

/// A position or an offset in points, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xy {
    /// Distance from the left edge, in points.
    pub x: f64,
    /// Distance from the top edge, in points.
    pub y: f64,
}

/// Shorthand for [`Xy`].
pub const fn xy(x: f64, y: f64) -> Xy {
    Xy { x, y }
}

impl Xy {
    /// `self + other`.
    pub fn plus(self, other: Xy) -> Xy {
        xy(self.x + other.x, self.y + other.y)
    }

    /// Distance to `other`, in points.
    pub fn distance(self, other: Xy) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Turned about the origin by `degrees`, clockwise on the page because y points down.
    pub fn turned(self, degrees: f64) -> Xy {
        let (sin, cos) = degrees.to_radians().sin_cos();
        xy(self.x * cos - self.y * sin, self.x * sin + self.y * cos)
    }
}

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge, points.
    pub left: f64,
    /// Top edge, points.
    pub top: f64,
    /// Right edge, points.
    pub right: f64,
    /// Bottom edge, points.
    pub bottom: f64,
}

impl Rect {
    /// Width in points.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height in points.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// A square of half side `reach` about `centre`.
    pub fn about(centre: Xy, reach: f64) -> Rect {
        Rect { left: centre.x - reach, top: centre.y - reach, right: centre.x + reach, bottom: centre.y + reach }
    }

    /// Whether every corner of `shape` lies inside.
    pub fn holds(&self, shape: &[Xy]) -> bool {
        shape.iter().all(|p| p.x >= self.left && p.x <= self.right && p.y >= self.top && p.y <= self.bottom)
    }

    /// The four corners in order around the rectangle.
    pub fn corners(&self) -> [Xy; 4] {
        [xy(self.left, self.top), xy(self.right, self.top), xy(self.right, self.bottom), xy(self.left, self.bottom)]
    }

    /// The point of the rectangle nearest to `p`.
    pub fn nearest(&self, p: Xy) -> Xy {
        xy(p.x.clamp(self.left, self.right), p.y.clamp(self.top, self.bottom))
    }

    /// The smallest upright rectangle around `shape`.
    pub fn around(shape: &[Xy]) -> Rect {
        let mut r =
            Rect { left: f64::INFINITY, top: f64::INFINITY, right: f64::NEG_INFINITY, bottom: f64::NEG_INFINITY };
        for p in shape {
            r.left = r.left.min(p.x);
            r.right = r.right.max(p.x);
            r.top = r.top.min(p.y);
            r.bottom = r.bottom.max(p.y);
        }
        r
    }

    /// Whether the two rectangles share more than an edge.
    pub fn meets(&self, other: &Rect) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

/// Whether two convex shapes (two corners make a segment) share more than a boundary.
///
/// Separating axis theorem: convex shapes are apart exactly when some edge normal separates them.
pub fn shapes_meet(a: &[Xy], b: &[Xy]) -> bool {
    !has_separating_edge(a, b) && !has_separating_edge(b, a)
}

fn has_separating_edge(a: &[Xy], b: &[Xy]) -> bool {
    (0..a.len()).any(|i| {
        let from = a[i];
        let to = a[(i + 1) % a.len()];
        let along = xy(to.x - from.x, to.y - from.y);
        let normal = xy(along.y, -along.x);
        // A segment has only one edge direction, so its own direction is an axis too.
        separates(normal, a, b) || (a.len() == 2 && separates(along, a, b))
    })
}

fn separates(axis: Xy, a: &[Xy], b: &[Xy]) -> bool {
    let (a_low, a_high) = span(axis, a);
    let (b_low, b_high) = span(axis, b);
    a_high <= b_low || b_high <= a_low
}

fn span(axis: Xy, shape: &[Xy]) -> (f64, f64) {
    shape.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
        let along = p.x * axis.x + p.y * axis.y;
        (low.min(along), high.max(along))
    })
}

/// The part of segment `from`..`to` inside `frame`, or `None` when it misses it (Liang-Barsky).
pub fn clip_segment(from: Xy, to: Xy, frame: &Rect) -> Option<(Xy, Xy)> {
    let step = xy(to.x - from.x, to.y - from.y);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let bounds = [
        (-step.x, from.x - frame.left),
        (step.x, frame.right - from.x),
        (-step.y, from.y - frame.top),
        (step.y, frame.bottom - from.y),
    ];
    for (speed, room) in bounds {
        if speed == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if speed < 0.0 {
            enter = enter.max(room / speed);
        } else {
            leave = leave.min(room / speed);
        }
    }
    let at = |t: f64| xy(from.x + step.x * t, from.y + step.y * t);
    (enter < leave).then(|| (at(enter), at(leave)))
}
