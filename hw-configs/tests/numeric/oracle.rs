//! IEEE 754 binary32 addition, multiplication and rounding in integers, with the machine's flush to zero.
//! It uses no floating-point operation at all.

const NAN: u32 = 0x7fc0_0000;
const INFINITY: u32 = 0x7f80_0000;
const SIGN: u32 = 0x8000_0000;

/// A finite value `mantissa * 2^exponent`, with its sign bit in place.
struct Finite {
    sign: u32,
    mantissa: u128,
    exponent: i32,
}

/// Bits where the contract matters: zeros, extremes, neighbours of powers of two, subnormals, NaNs.
pub(crate) const DIRECTED: [u32; 30] = [
    0x0000_0000,
    0x0000_0001,
    0x0040_0000,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x00ff_ffff,
    0x0100_0000,
    0x0c00_0000,
    0x1fff_ffff,
    0x2000_0000,
    0x2000_0001,
    0x3300_0000,
    0x337f_ffff,
    0x3380_0000,
    0x3380_0001,
    0x3400_0000,
    0x3f00_0000,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3fff_ffff,
    0x4000_0000,
    0x4b7f_ffff,
    0x4b80_0000,
    0x7e80_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fff_ffff,
];

/// `a + b` on bit patterns.
pub(crate) fn add(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    match (is_infinite(a), is_infinite(b)) {
        (true, true) => return if a == b { a } else { NAN },
        (true, false) => return a,
        (false, true) => return b,
        (false, false) => {}
    }
    let (x, y) = (finite(a), finite(b));
    if x.mantissa == 0 && y.mantissa == 0 {
        return x.sign & y.sign;
    }
    // 100 spare bits hold every alignment that can matter; what is further below becomes a sticky unit.
    let (large, small) = if (x.mantissa != 0 && x.exponent >= y.exponent) || y.mantissa == 0 { (x, y) } else { (y, x) };
    let base = large.exponent - 100;
    let wide = (large.mantissa << 100).cast_signed();
    let distance = small.exponent - base;
    let narrow = if small.mantissa == 0 {
        0
    } else if distance >= 0 {
        (small.mantissa << distance).cast_signed()
    } else {
        1
    };
    let signed = |value: i128, sign: u32| if sign == 0 { value } else { -value };
    let sum = signed(wide, large.sign) + signed(narrow, small.sign);
    if sum == 0 {
        return 0;
    }
    flush(round(if sum < 0 { SIGN } else { 0 }, sum.unsigned_abs(), base))
}

/// `a * b` on bit patterns.
pub(crate) fn mul(a: u32, b: u32) -> u32 {
    let sign = (a ^ b) & SIGN;
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x_infinite, y_infinite) = (is_infinite(a), is_infinite(b));
    if x_infinite || y_infinite {
        let zero = (!x_infinite && finite(a).mantissa == 0) || (!y_infinite && finite(b).mantissa == 0);
        return if zero { NAN } else { sign | INFINITY };
    }
    let (x, y) = (finite(a), finite(b));
    flush(round(sign, x.mantissa * y.mantissa, x.exponent + y.exponent))
}

/// An integer as f32 bits.
pub(crate) fn from_integer(x: i32) -> u32 {
    round(if x < 0 { SIGN } else { 0 }, u128::from(x.unsigned_abs()), 0)
}

/// A pattern with subnormals replaced by zero of the same sign.
pub(crate) fn flush(bits: u32) -> u32 {
    if bits & !SIGN < 0x0080_0000 { bits & SIGN } else { bits }
}

/// A finite pattern rounded to an integer, ties to even, clamped to +-limit; NaN gives 0.
pub(crate) fn to_integer(bits: u32, limit: i32) -> i32 {
    if is_nan(bits) {
        return 0;
    }
    let signed = |magnitude: i32| {
        if bits & SIGN == 0 { magnitude } else { -magnitude }
    };
    if is_infinite(bits) {
        return signed(limit);
    }
    let value = finite(bits);
    let magnitude = if value.exponent >= 0 {
        i128::from(limit)
    } else if value.exponent < -64 {
        0
    } else {
        let unit = 1_u128 << -value.exponent;
        let (whole, rest) = (value.mantissa / unit, value.mantissa % unit);
        let up = 2 * rest > unit || (2 * rest == unit && whole % 2 == 1);
        (whole + u128::from(up)).cast_signed()
    };
    signed(magnitude.min(i128::from(limit)) as i32)
}

pub(crate) fn is_nan(bits: u32) -> bool {
    bits & !SIGN > INFINITY
}

fn is_infinite(bits: u32) -> bool {
    bits & !SIGN == INFINITY
}

fn finite(bits: u32) -> Finite {
    let bits = flush(bits);
    let field = (bits >> 23) & 0xff;
    let hidden = if field == 0 { 0 } else { 0x0080_0000 };
    Finite { sign: bits & SIGN, mantissa: u128::from(bits & 0x007f_ffff | hidden), exponent: field.cast_signed() - 150 }
}

/// `mantissa * 2^exponent` rounded to nearest even on IEEE's own grid, subnormals included.
fn round(sign: u32, mantissa: u128, exponent: i32) -> u32 {
    if mantissa == 0 {
        return sign;
    }
    let top = mantissa.ilog2().cast_signed() + exponent;
    let quantum = (top - 23).max(-149);
    let shift = quantum - exponent;
    let rounded = if shift <= 0 {
        mantissa << -shift
    } else if shift > 127 {
        0
    } else {
        let unit = 1_u128 << shift;
        let (whole, rest) = (mantissa / unit, mantissa % unit);
        let half = unit / 2;
        whole + u128::from(rest > half || (rest == half && whole % 2 == 1))
    };
    // The hidden one and a carry out of the mantissa both add one to the exponent field.
    let packed = ((quantum + 149) as u128 * (1 << 23)) + rounded;
    sign | if packed >= u128::from(INFINITY) { INFINITY } else { packed as u32 }
}
