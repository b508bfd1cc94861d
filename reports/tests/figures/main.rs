//! Figures read back: positions against numbers, labels against each other, bytes against themselves.

mod heat_map;
mod pareto;
mod read;
mod roofline;
