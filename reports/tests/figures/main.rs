//! Figures read back: positions against numbers, labels against each other, bytes against themselves.

mod breakdown;
mod heat_map;
mod pareto;
mod quality;
mod read;
mod roofline;
mod utilisation;
