//! Two clocks with an exact rational ratio; edge 0 of both is at the same instant. Whole numbers only.
//! [`Divider`] is how the fast model divides by what stays the same all run: exact, without a division instruction.

/// Frequencies of kernel and memory clock, reduced: edge `i` of a clock of frequency `f` is at time `i / f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockRatio {
    kernel: Divider,
    memory: Divider,
}

impl ClockRatio {
    /// The ratio of `kernel_mhz` to `memory_mhz / memory_mhz_divisor`. None may be 0.
    pub fn new(kernel_mhz: u32, memory_mhz: u32, memory_mhz_divisor: u32) -> Self {
        assert!(kernel_mhz > 0 && memory_mhz > 0 && memory_mhz_divisor > 0, "clocks must run");
        let (kernel, memory) = (u64::from(kernel_mhz) * u64::from(memory_mhz_divisor), u64::from(memory_mhz));
        let common = gcd(kernel, memory);
        Self { kernel: Divider::new(kernel / common), memory: Divider::new(memory / common) }
    }

    /// Kernel frequency in the unit that makes both whole.
    pub fn kernel(&self) -> u64 {
        self.kernel.divisor
    }

    /// Memory frequency in the same unit.
    pub fn memory(&self) -> u64 {
        self.memory.divisor
    }

    /// First memory edge at or after kernel edge `kernel_cycle`.
    #[inline]
    pub fn memory_at_or_after(&self, kernel_cycle: u64) -> u64 {
        self.kernel.ceil(kernel_cycle * self.memory.divisor)
    }

    /// First kernel edge at or after memory edge `memory_cycle`.
    #[inline]
    pub fn kernel_at_or_after(&self, memory_cycle: u64) -> u64 {
        self.memory.ceil(memory_cycle * self.kernel.divisor)
    }
}

/// Division by a constant known at run time: `n / d` is the upper half of `n * (2^64 / d + 1)` as long as
/// `n * d < 2^64`, because the reciprocal is too large by at most 1 (Granlund and Montgomery, PLDI 1994).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Divider {
    divisor: u64,
    /// 0 stands for 2^64, the reciprocal of 1.
    reciprocal: u64,
    exact_below: u64,
}

impl Divider {
    pub(super) fn new(divisor: u64) -> Self {
        assert!(divisor > 0, "division by 0");
        let reciprocal = if divisor == 1 { 0 } else { u64::MAX / divisor + 1 };
        Self { divisor, reciprocal, exact_below: u64::MAX / divisor }
    }

    /// `n / divisor`, rounded down.
    #[inline]
    pub(super) fn floor(self, n: u64) -> u64 {
        if self.reciprocal == 0 {
            n
        } else if n < self.exact_below {
            ((u128::from(n) * u128::from(self.reciprocal)) >> 64) as u64
        } else {
            n / self.divisor
        }
    }

    /// `n / divisor`, rounded up. `n + divisor` must not overflow.
    #[inline]
    pub(super) fn ceil(self, n: u64) -> u64 {
        self.floor(n + self.divisor - 1)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divider_divides() {
        let mut compared = 0;
        for divisor in (1..200).chain([1 << 20, (1 << 31) + 1, u64::MAX / 3]) {
            let divider = Divider::new(divisor);
            let near = |n: u64| (n.saturating_sub(2)..=n.saturating_add(2)).collect::<Vec<u64>>();
            let limit = u64::MAX / divisor;
            let multiples = [1, 2, 3, 1000, limit / divisor, limit / 2, limit].map(|k: u64| k.saturating_mul(divisor));
            for n in multiples.into_iter().chain([0, limit, 1 << 41, u64::MAX]).flat_map(near) {
                assert_eq!(divider.floor(n), n / divisor, "{n} / {divisor}");
                compared += 1;
            }
        }
        println!("{compared} quotients equal");
        assert!(compared > 10_000);
    }
}
