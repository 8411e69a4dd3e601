//! Ridge regression through linfa, on rows that are summed up once and solved many times.
//!
//! The sums of products of a set of rows hold all that least squares needs. Their Cholesky factor
//! is a square set of rows with the same solution, and it is what linfa fits: fitting on the rows
//! up to some instant, for several column sets, costs one pass over the rows in all.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

/// Penalty on the constant: next to none.
const LAMBDA_CONSTANT: f64 = 1e-6;

/// Rows of features with their targets, oldest origin first.
#[derive(Default)]
pub(crate) struct Rows {
    width: usize,
    features: Vec<f64>,
    targets: Vec<f64>,
}

impl Rows {
    pub(crate) fn push(&mut self, features: &[f64], target: f64) {
        self.width = features.len();
        self.features.extend_from_slice(features);
        self.targets.push(target);
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn row(&self, index: usize) -> &[f64] {
        &self.features[index * self.width..(index + 1) * self.width]
    }

    pub(crate) fn target(&self, index: usize) -> f64 {
        self.targets[index]
    }

    /// Mean and spread of every column; the constant and columns without spread keep their values.
    fn moments(&self) -> Vec<(f64, f64)> {
        let count = self.len().max(1) as f64;
        let mut sums = vec![(0.0, 0.0); self.width];
        for row in self.features.chunks_exact(self.width.max(1)) {
            for ((sum, squares), value) in sums.iter_mut().zip(row) {
                *sum += value;
                *squares += value * value;
            }
        }
        let moments = sums.iter().enumerate().map(|(column, (sum, squares))| {
            let mean = sum / count;
            let variance = squares / count - mean * mean;
            if column == 0 || variance < 1e-10 {
                (0.0, 1.0)
            } else {
                (mean, variance.sqrt())
            }
        });
        moments.collect()
    }
}

/// Weighted sums of products of standardised rows, grown row by row.
pub(crate) struct Sums<'a> {
    rows: &'a Rows,
    moments: Vec<(f64, f64)>,
    /// Upper triangle of the products of columns, row by row in full width.
    products: Vec<f64>,
    /// Products of columns with the target.
    answers: Vec<f64>,
    taken: usize,
    scratch: Vec<f64>,
}

impl<'a> Sums<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        let width = rows.width;
        Self {
            rows,
            moments: rows.moments(),
            products: vec![0.0; width * width],
            answers: vec![0.0; width],
            taken: 0,
            scratch: vec![0.0; width],
        }
    }

    /// The same on columns as they are: the penalty is then in their own units.
    pub(crate) fn plain(rows: &'a Rows) -> Self {
        Self {
            moments: vec![(0.0, 1.0); rows.width],
            ..Self::new(rows)
        }
    }

    pub(crate) const fn rows(&self) -> &'a Rows {
        self.rows
    }

    /// Adds rows until `count` are in; `weight` gives the weight of a row by its index.
    pub(crate) fn grow(&mut self, count: usize, weight: &impl Fn(usize) -> f64) {
        let width = self.rows.width;
        for index in self.taken..count.min(self.rows.len()) {
            let row = self.rows.row(index);
            for ((scaled, value), (mean, scale)) in
                self.scratch.iter_mut().zip(row).zip(&self.moments)
            {
                *scaled = (value - mean) / scale;
            }
            let weight = weight(index);
            let target = self.rows.target(index) * weight;
            for (column, value) in self.scratch.iter().enumerate() {
                let weighted = value * weight;
                let products = &mut self.products[column * width + column..(column + 1) * width];
                for (product, other) in products.iter_mut().zip(&self.scratch[column..]) {
                    *product += weighted * other;
                }
                self.answers[column] += value * target;
            }
        }
        self.taken = self.taken.max(count);
    }

    /// Coefficients on raw features, zero outside `columns`; `None` when they are not finite.
    pub(crate) fn solve(&self, columns: &[usize], lambda: f64) -> Option<Vec<f64>> {
        let width = self.rows.width;
        if self.taken <= columns.len() {
            return None;
        }
        let product =
            |left: usize, right: usize| self.products[left.min(right) * width + left.max(right)];
        let mut normal = Array2::from_shape_fn((columns.len(), columns.len()), |(left, right)| {
            product(columns[left], columns[right])
        });
        for (place, column) in columns.iter().enumerate() {
            normal[[place, place]] += if *column == 0 {
                LAMBDA_CONSTANT
            } else {
                lambda
            };
        }
        let answers = Array2::from_shape_fn((columns.len(), 1), |(place, _)| {
            self.answers[columns[place]]
        });
        let lower = normal.cholesky_into().ok()?;
        let targets = lower.solve_triangular_into(answers, UPLO::Lower).ok()?;
        let targets: Array1<f64> = targets.column(0).to_owned();
        let compressed = Dataset::new(lower.t().to_owned(), targets);
        let model = LinearRegression::new()
            .with_intercept(false)
            .fit(&compressed)
            .ok()?;
        self.on_raw_features(columns, model.params().as_slice()?)
    }

    fn on_raw_features(&self, columns: &[usize], scaled: &[f64]) -> Option<Vec<f64>> {
        let mut coefficients = vec![0.0; self.rows.width];
        for (column, weight) in columns.iter().zip(scaled) {
            let (mean, scale) = self.moments[*column];
            coefficients[*column] += weight / scale;
            coefficients[0] -= weight * mean / scale;
        }
        coefficients
            .iter()
            .all(|weight| weight.is_finite())
            .then_some(coefficients)
    }
}

/// The value that coefficients give a row.
pub(crate) fn predict(coefficients: &[f64], row: &[f64]) -> f64 {
    coefficients
        .iter()
        .zip(row)
        .map(|(weight, value)| weight * value)
        .sum()
}
