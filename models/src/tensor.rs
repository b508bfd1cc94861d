//! A plain row-major float tensor. It must never know what it is used for, nor hold a compressed format.

/// Row-major float32 values; linears are `[out][in]`, vectors `[n]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor of `shape` over `data`.
    ///
    /// # Panics
    /// If the product of `shape` is not the number of values: readers check their sizes before they come here.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        let elements: usize = shape.iter().product();
        assert_eq!(elements, data.len(), "tensor shape {shape:?} does not hold {} values", data.len());
        Self { shape, data }
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All values, to be changed in place.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Number of rows: outputs of a linear; 1 for a vector.
    pub fn rows(&self) -> usize {
        self.data.len() / self.columns().max(1)
    }

    /// Length of one row: inputs of a linear.
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Row `index` as a slice of `columns()` values.
    ///
    /// # Panics
    /// If `index >= rows()`.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.columns()..][..self.columns()]
    }
}
