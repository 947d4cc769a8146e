//! A picture as its pixels.

use std::ops::Range;

/// Red, green and blue of each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    width: usize,
    rgb: Vec<[u8; 3]>,
}

impl Pixels {
    /// Rows of `width` pixels.
    pub fn new(width: usize, rgb: Vec<[u8; 3]>) -> Self {
        Self { width, rgb }
    }

    /// Pixels from side to side, and from top to bottom.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.rgb.len() / self.width.max(1))
    }

    /// All of them, row by row.
    pub fn rgb(&self) -> &[[u8; 3]] {
        &self.rgb
    }

    /// What a part of it is on the whole; black where it is empty.
    pub fn average(&self, columns: Range<usize>, rows: Range<usize>) -> [u8; 3] {
        let (mut sums, mut count) = ([0_u64; 3], 0);
        for row in rows {
            let start = row * self.width;
            let part = self.rgb.get(start + columns.start..start + columns.end);
            for pixel in part.unwrap_or_default() {
                count += 1;
                for (sum, part) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*part);
                }
            }
        }
        sums.map(|sum| u8::try_from(sum / u64::max(count, 1)).unwrap_or(u8::MAX))
    }

    /// The same in another size, without regard to proportions.
    #[must_use]
    pub fn scaled(&self, (width, height): (usize, usize)) -> Self {
        let own = self.size();
        if own == (width, height) {
            return self.clone();
        }
        let rows = (0..height).map(|row| part(row, height, own.1));
        let rgb = rows.flat_map(|rows| {
            (0..width).map(move |column| self.average(part(column, width, own.0), rows.clone()))
        });
        Self { width, rgb: rgb.collect() }
    }
}

/// The part `index` when `size` is shared out among `of`; never empty.
pub fn part(index: usize, of: usize, size: usize) -> Range<usize> {
    let from = index * size / of;
    from..((index + 1) * size / of).max(from + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_one_is_the_average_and_a_larger_one_the_same_pixels() {
        let four = Pixels::new(2, vec![[0; 3], [100; 3], [200; 3], [100; 3]]);
        assert_eq!(four.scaled((1, 1)).rgb(), [[100; 3]]);
        assert_eq!(four.scaled((2, 1)).rgb(), [[100; 3]; 2]);
        let large = four.scaled((4, 4));
        assert_eq!(large.size(), (4, 4));
        assert_eq!(large.rgb()[..4], [[0; 3], [0; 3], [100; 3], [100; 3]]);
        assert_eq!(large.scaled((2, 2)), four);
    }
}
