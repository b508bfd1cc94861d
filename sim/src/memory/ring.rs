//! A queue that never grows beyond what it was made for: what the fast model turns over with every burst.
//! It knows nothing of bursts or cycles. Equal queues hold equal items in equal order, wherever they begin in memory.

/// Most items of a queue: a power of two, and all of them in the queue itself, so that no place is looked for elsewhere or checked.
const PLACES: usize = 64;

/// Items, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    places: [T; PLACES],
    /// One less than the places in use, a power of two.
    mask: usize,
    head: usize,
    len: usize,
}

impl<T: Copy> Ring<T> {
    /// Room for `capacity` items, none of them there; `filler` is never seen.
    pub(super) fn empty(capacity: usize, filler: T) -> Self {
        assert!((1..=PLACES).contains(&capacity), "a ring of {capacity}");
        Self { places: [filler; PLACES], mask: capacity.next_power_of_two() - 1, head: 0, len: 0 }
    }

    /// `count` times `item`, at least one.
    pub(super) fn of(count: usize, item: T) -> Self {
        Self { len: count, ..Self::empty(count, item) }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The `i`-th oldest item.
    #[inline]
    pub(super) fn at(&self, i: usize) -> T {
        debug_assert!(i < self.len, "item {i} of {}", self.len);
        self.places[self.place(i)]
    }

    #[inline]
    pub(super) fn front(&self) -> Option<&T> {
        (self.len > 0).then(|| &self.places[self.head % PLACES])
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        assert!(self.len <= self.mask, "a ring of {} is full", self.len);
        self.places[self.place(self.len)] = item;
        self.len += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let item = *self.front()?;
        self.head = self.place(1);
        self.len -= 1;
        Some(item)
    }

    /// Puts `item` behind the others and lets the oldest go.
    #[inline]
    pub(super) fn turn(&mut self, item: T) {
        let end = self.place(self.len);
        self.places[end] = item;
        self.head = self.place(1);
    }

    /// Puts `count` items behind the others and lets as many of the oldest go.
    #[inline]
    pub(super) fn turn_each(&mut self, count: usize, item: impl Fn(usize) -> T) {
        for i in 0..count {
            let end = self.place(self.len + i);
            self.places[end] = item(i);
        }
        self.head = self.place(count);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).map(|i| &self.places[self.place(i)])
    }

    /// Changes every item, oldest first.
    pub(super) fn each(&mut self, mut f: impl FnMut(&mut T)) {
        for i in 0..self.len {
            let place = self.place(i);
            f(&mut self.places[place]);
        }
    }

    #[inline]
    fn place(&self, i: usize) -> usize {
        (self.head + i) & (self.mask % PLACES)
    }
}

impl<T: Copy + PartialEq> PartialEq for Ring<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Against a queue that grows, through every place where a ring may begin.
    #[test]
    fn a_ring_is_a_queue() {
        let mut compared = 0;
        for capacity in 1..20 {
            let (mut ring, mut queue) = (Ring::empty(capacity, 99), VecDeque::new());
            for step in 0..200_usize {
                match step * 7 % 6 {
                    0 | 1 if queue.len() < capacity => {
                        ring.push(step);
                        queue.push_back(step);
                    }
                    2 if !queue.is_empty() => {
                        ring.turn(step);
                        queue.pop_front();
                        queue.push_back(step);
                    }
                    5 if queue.len() > 1 => {
                        ring.turn_each(2, |i| step + i);
                        queue.extend([step, step + 1]);
                        queue.drain(..2);
                    }
                    _ => assert_eq!(ring.pop(), queue.pop_front()),
                }
                assert_eq!((ring.front(), ring.len()), (queue.front(), queue.len()));
                assert!(ring.iter().eq(&queue));
                let mut fresh = Ring::empty(capacity, 0);
                queue.iter().for_each(|&item| fresh.push(item));
                assert!(fresh == ring, "equal items in other places");
                compared += queue.len();
                if let Some(last) = queue.len().checked_sub(1) {
                    assert_eq!(ring.at(last), queue[last]);
                    fresh.turn(1000);
                    assert!(fresh != ring);
                }
            }
        }
        println!("{compared} items equal");
        assert!(compared > 1000);
    }
}
