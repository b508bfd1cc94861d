//! Which channels of one step can stand for which of another. All channels of a core are alike and begin alike, loads go
//! to all of them, and what holds for all is the maximum over them: so a step in which channels have changed places with
//! each other, the same for all its writes, goes through the same cycles.

/// Sets of channels of one step beside sets of equal size of another: a channel of the first can stand for any of the
/// second.
pub(super) struct Renaming {
    classes: Vec<(u64, u64)>,
    last: (u64, u64),
}

impl Renaming {
    /// Any of these channels for any other.
    pub(super) fn of(channels: u64) -> Self {
        Self { classes: vec![(channels, channels)], last: (channels, channels) }
    }

    /// Keeps what brings the channels `from` of one step to `to` of the other; false if nothing does.
    pub(super) fn bring(&mut self, from: u64, to: u64) -> bool {
        if (from, to) == self.last {
            return true;
        }
        for index in 0..self.classes.len() {
            let (a, b) = self.classes[index];
            let (inside, others) = ((a & from, b & to), (a & !from, b & !to));
            if inside.0.count_ones() != inside.1.count_ones() {
                return false;
            }
            if inside.0 != 0 && others.0 != 0 {
                self.classes[index] = inside;
                self.classes.push(others);
            }
        }
        self.last = (from, to);
        true
    }

    /// The channel of the second step for one of the first.
    pub(super) fn channel(&self, channel: usize) -> usize {
        let of = |&&(from, _): &&(u64, u64)| from >> channel & 1 == 1;
        let &(from, mut to) = self.classes.iter().find(of).expect("every channel is in a set");
        // The n-th of one set for the n-th of the other.
        for _ in 0..(from & ((1 << channel) - 1)).count_ones() {
            to &= to - 1;
        }
        to.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hw_config::program::random::Rng;

    /// Random sets and the same under a random permutation are brought to each other, channel by channel, and one set
    /// of another size or another meeting with the others is not.
    #[test]
    fn a_permutation_is_found_and_nothing_else() {
        let mut rng = Rng::new(1);
        let (mut compared, mut refused) = (0, 0);
        for _ in 0..300 {
            let count = 1 + rng.up_to(62) as usize;
            let all = u64::MAX >> (64 - count);
            let mut places: Vec<usize> = (0..count).collect();
            (1..count).rev().for_each(|i| places.swap(i, rng.up_to(i as u64) as usize));
            let moved = |set: u64| (0..count).filter(|&c| set >> c & 1 == 1).fold(0, |to, c| to | 1 << places[c]);
            let sets: Vec<u64> = (0..rng.up_to(6)).map(|_| rng.next_u64() & all).collect();
            let mut renaming = Renaming::of(all);
            assert!(sets.iter().all(|&set| renaming.bring(set, moved(set))), "a permutation brings them");
            let to: Vec<usize> = (0..count).map(|channel| renaming.channel(channel)).collect();
            let image = |set: u64| (0..count).filter(|&c| set >> c & 1 == 1).fold(0_u64, |image, c| image | 1 << to[c]);
            for &set in &sets {
                assert_eq!(image(set), moved(set), "of {count} channels");
                compared += 1;
            }
            assert_eq!(image(all), all, "every channel once");
            // A channel in and one out of a set: the same size, but it meets another set elsewhere.
            for &set in &sets {
                let (inside, outside) = (moved(set), all & !moved(set));
                if inside != 0 && outside != 0 {
                    let other = inside & (inside - 1) | outside & outside.wrapping_neg();
                    assert!(!renaming.bring(set, other), "{count} channels, {set:#x} to {other:#x}");
                    refused += 1;
                }
            }
        }
        println!("{compared} sets brought, {refused} refused");
        assert!(compared > 500 && refused > 500);
    }
}
